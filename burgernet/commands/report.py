"""`burgernet action report`: who was reached, honestly, and what came back; `--follow` shows the wave as it goes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from actions.desk import Refused
from actions.listing import Listing
from actions.models import Action, Status
from actions.reach import Counted, Reach, all_written, reach_of
from burgernet.base import Base
from burgernet.commands.bars import LEGEND, bar
from burgernet.commands.terminal import err, out, with_base

LOOK_AGAIN_S = 1.0
LONGEST_FOLLOW_S = 4 * 3600
COLUMNS = {
    "human": "a key was pressed",
    "answered": "picked up, no key",
    "text": "text delivered",
    "push": "notice shown",
    "mail": "mail server took it",
    "machine": "machine suspected",
    "unknown": "sent, nothing heard since",
    "waiting": "waiting",
    "not_reached": "not reached",
    "never_tried": "over before it could be sent",
}


def report(
    code: Annotated[str, typer.Argument(help="The spoken code of the action, such as 427.")],
    follow: Annotated[bool, typer.Option("--follow", help="Show the wave as it goes, until all is decided.")] = False,
) -> None:
    """Tell who was reached, by a human, a machine, a text, a notice or a mail, ring by ring; who was not, and why."""
    with_base(lambda base: _report(base, code, follow=follow))


async def _report(base: Base, code: str, *, follow: bool) -> None:
    listed = await Listing(base.store).with_code(code)
    if listed is None or listed.action.id is None:
        raise Refused([f"no action has code {code!r}; `burgernet action list` shows them"])
    if follow:
        await _follow(base, listed.action.id)
    _print(listed.action, await reach_of(base.store, listed.action.id))


async def _follow(base: Base, action_id: int) -> None:
    """A bar that fills as deliveries are decided; ends with the wave, with the action, or after four hours."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err) as progress:
        bar = progress.add_task("decided", total=None)
        for _ in range(int(LONGEST_FOLLOW_S / LOOK_AGAIN_S)):
            reaches = await reach_of(base.store, action_id)
            total, open_ones = sum(r.total for r in reaches), sum(r.waiting + r.unknown for r in reaches)
            progress.update(bar, total=total or None, completed=total - open_ones)
            listed = await Listing(base.store).action(action_id)
            over = listed is None or listed.action.status != Status.OPEN
            undecided = sum(r.waiting for r in reaches) if over else open_ones
            if not undecided and await all_written(base.store, action_id):
                return
            await asyncio.sleep(LOOK_AGAIN_S)


def _counts(what: str, reaches: Sequence[Reach], counted: Sequence[Counted]) -> Table:
    table = Table(what, *(reach.message_kind for reach in reaches))
    for name, words in COLUMNS.items():
        table.add_row(words, *(str(getattr(one, name)) for one in counted))
    table.add_row("together", *(str(one.total) for one in counted), style="bold")
    return table


def _bars(reaches: Sequence[Reach]) -> Table:
    """A bar for each ring and channel of each message."""
    table = Table("message", "", LEGEND, "of", caption="a telephone that people share counts for one of them")
    for reach in reaches:
        parts = {f"ring {ring}" if ring else "no ring": counted for ring, counted in reach.rings.items()}
        for name, counted in (parts | reach.ways).items():
            table.add_row(reach.message_kind, name, bar(counted), str(counted.total))
        table.add_section()
    return table


def _print(action: Action, reaches: list[Reach]) -> None:
    out.print(f"Action {action.code}, {action.kind}, {action.status}{f', {action.outcome}' if action.outcome else ''}")
    if not reaches:
        out.print("Nobody was alerted yet.")
        return
    out.print(_counts("telephones, mailboxes, browsers", reaches, reaches))
    out.print(_counts("people, by the best of each", reaches, [reach.people or Counted() for reach in reaches]))
    out.print(_bars(reaches))
    reasons = {(reach.message_kind, why): count for reach in reaches for why, count in reach.reasons.items()}
    for (kind, why), count in sorted(reasons.items(), key=lambda found: -found[1]):
        out.print(f"  {count} {kind}: {why}", markup=False)
