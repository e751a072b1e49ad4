"""`burgernet statistics`: what actions came to, by month, kind and region, beside the goal."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer
from rich.table import Table

from actions.desk import Refused
from actions.models import Outcome
from actions.statistics import GOAL, Figures, Row, months_until, statistics, together
from burgernet.commands.bars import plain
from burgernet.commands.terminal import out, with_base

SHARE_WIDTH, MOST_MONTHS = 20, 120
COUNTED = ("actions", "ended", "direct", "indirect", "people", "reached", "calls", "tips")
WORKED_OUT = ("direct_share", "indirect_share", "first_alert_s", "first_call_s")


def show(
    month: Annotated[
        str | None, typer.Option(help="Only this month, such as 2026-11; with --months the last of them.")
    ] = None,
    months: Annotated[
        int | None, typer.Option(min=1, max=MOST_MONTHS, help="How many months. Else 12, or the one given.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Every month, kind and region as CSV.")] = False,
) -> None:
    """Show what actions came to: whom they reached, what came back, how they ended. Exercises are left out."""
    try:
        asked = months_until(month, months or (1 if month else 12))
    except ValueError:
        raise Refused([f"--month {month!r} is not a month, such as 2026-11"]) from None
    rows = with_base(lambda base: statistics(base.store, asked))
    if as_csv:
        _as_csv(rows)
        return
    goal = f"the goal: {GOAL[Outcome.DIRECT]:.0%} direct, {GOAL[Outcome.INDIRECT]:.0%} indirect"
    for name, by in (("month", _month), ("kind", _kind), ("region", _region)):
        out.print(_table(name, together(rows, by), goal))


def _month(row: Row) -> str:
    return row.month


def _kind(row: Row) -> str:
    return row.kind


def _region(row: Row) -> str:
    return row.region


def _table(name: str, found: Mapping[str, Figures], goal: str) -> Table:
    heads = ("people", "reached", "calls", "tips", "first alert", "first call", "direct", "", "indirect", "")
    table = Table(name, "actions", "", *heads, caption=goal if found else "no action started in this time")
    most = max((figures.actions for figures in found.values()), default=0)
    for what, one in found.items():
        table.add_row(
            what,
            str(one.actions),
            plain(one.actions, most, SHARE_WIDTH),
            str(one.people),
            _share(one.reached / one.people if one.people else None),
            str(one.calls),
            str(one.tips),
            _seconds(one.first_alert_s),
            _seconds(one.first_call_s),
            _share(one.direct_share),
            beside(one.direct_share, GOAL[Outcome.DIRECT]),
            _share(one.indirect_share),
            beside(one.indirect_share, GOAL[Outcome.INDIRECT]),
        )
    return table


def beside(share: float | None, goal: float) -> str:
    """A bar as long as the share, with a mark where the goal is: twice the goal is as far as it goes."""
    drawn = plain(min(share or 0.0, 2 * goal), 2 * goal, SHARE_WIDTH).ljust(SHARE_WIDTH, "·")
    middle = SHARE_WIDTH // 2
    return f"{drawn[:middle]}|{drawn[middle:]}"


def _as_csv(rows: Sequence[Row]) -> None:
    written = csv.writer(sys.stdout)
    written.writerow(("month", "kind", "region", *COUNTED, *WORKED_OUT))
    for row in rows:
        shares = [_plain(getattr(row.figures, name)) for name in WORKED_OUT]
        written.writerow((row.month, row.kind, row.region, *(getattr(row.figures, name) for name in COUNTED), *shares))


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.0%}"


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.0f} s"
