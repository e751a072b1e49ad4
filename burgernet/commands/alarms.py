"""`burgernet alarms`: what is wrong now, as all processes see it; exit status 1 when something is red."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.live import Live
from rich.table import Table
from rich.text import Text

from burgernet.base import Base
from burgernet.commands.terminal import out, with_base
from watch.board import Board
from watch.rules import Alarm, Severity

LOOK_AGAIN_S = 2.0


def alarms(
    live: Annotated[bool, typer.Option("--live", help="Keep showing them, until Ctrl-C.")] = False,
) -> None:
    """Show what is wrong now, and what to do about it."""
    if live:
        with_base(_shown)
    found = with_base(_found)
    out.print(table(found, datetime.now(UTC)))
    if any(alarm.severity is Severity.RED for alarm in found):
        raise typer.Exit(1)


def table(found: Sequence[Alarm], at: datetime) -> Table:
    rows = Table("alarm", "", "for", "what to do", caption=None if found else "nothing is wrong")
    for alarm in found:
        minutes, seconds = divmod(int((at - alarm.since).total_seconds()), 60)
        rows.add_row(
            alarm.name, Text(alarm.severity, style=alarm.severity), f"{minutes}:{seconds:02}", Text(alarm.words)
        )
    return rows


async def _found(base: Base) -> Sequence[Alarm]:
    return await Board(base.redis).alarms()


async def _shown(base: Base) -> None:
    with Live(console=out, auto_refresh=False) as screen:
        while True:
            screen.update(table(await _found(base), datetime.now(UTC)), refresh=True)
            await asyncio.sleep(LOOK_AGAIN_S)
