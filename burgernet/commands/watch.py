"""`burgernet action watch`: the wave as it goes, on the terminal or as lines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from actions.desk import Refused
from actions.listing import Listing
from actions.models import Status
from actions.reach import Reach, all_written
from actions.waves import Wave, Waves
from burgernet.base import Base
from burgernet.commands.bars import LEGEND, bar, parts_of
from burgernet.commands.terminal import out, with_base

Show = Callable[[Wave], None]
LONGEST_S = 24 * 3600
SHORTEST_S = 0.2


def watch(
    code: Annotated[str, typer.Argument(help="The spoken code of the action, such as 427.")],
    interval: Annotated[float, typer.Option(min=SHORTEST_S, max=60, help="Seconds between two looks.")] = 1.0,
) -> None:
    """Watch the wave of an action: channels, rings, pace, calls and tips; until it is over and its result is out."""
    with_base(lambda base: _watch(base, code, interval))


async def _watch(base: Base, code: str, interval: float) -> None:
    listed = await Listing(base.store).with_code(code)
    if listed is None or listed.action.id is None:
        raise Refused([f"no action has code {code!r}; `burgernet action list` shows them"])
    if not out.is_terminal:
        return await _until_over(base, listed.action.id, interval, _Lines().say)
    with Live(console=out, auto_refresh=False) as screen:

        def show(wave: Wave) -> None:
            screen.update(drawn(wave), refresh=True)

        return await _until_over(base, listed.action.id, interval, show)


class _Lines:
    """For a file or another program: a line whenever something changed."""

    def __init__(self) -> None:
        self._last = ""

    def say(self, wave: Wave) -> None:
        line = told(wave)
        if line != self._last:
            out.print(line, markup=False)
            self._last = line


async def _until_over(base: Base, action_id: int, interval: float, show: Show) -> None:
    """Looks until nothing more will come, or for a day."""
    waves = Waves(base.store)
    for _ in range(int(LONGEST_S / interval)):
        (wave,) = await waves.look([action_id])
        show(wave)
        if wave.status == Status.ENDED and wave.decided == wave.total and await all_written(base.store, action_id):
            return
        await asyncio.sleep(interval)


def drawn(wave: Wave) -> RenderableType:
    """The wave as bars: each message by channel, and the newest by ring."""
    table = Table("message", "", LEGEND, "decided", "of", expand=False)
    for reach in wave.messages:
        for way, counted in reach.ways.items():
            decided = counted.total - counted.waiting
            table.add_row(reach.message_kind, way, bar(counted), str(decided), str(counted.total))
    for ring, counted in wave.messages[-1].rings.items() if wave.messages else ():
        if ring:
            name, decided = f"ring {ring}", counted.total - counted.waiting
            table.add_row(wave.messages[-1].message_kind, name, bar(counted), str(decided), str(counted.total))
    heading = f"Action {wave.code}, {wave.status}: {wave.calls} calls, {wave.tips} tips, {wave.pace:.0f} a minute"
    return Group(Text(heading, style="bold"), table)


def told(wave: Wave) -> str:
    """The wave in one line."""
    messages = "; ".join(_message(reach) for reach in wave.messages) or "nobody was alerted yet"
    return f"{wave.code} {wave.status}: {messages}; {wave.calls} calls, {wave.tips} tips"


def _message(reach: Reach) -> str:
    parts = ", ".join(f"{count} {what}" for what, count in parts_of(reach).items() if count)
    return f"{reach.message_kind} of {reach.total}: {parts or 'nobody'}"
