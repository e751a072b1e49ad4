"""`burgernet spending`: what texts and calls cost today, and how much of each budget is left."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from actions.models import now
from alerting.bounds import EURO
from alerting.purse import Spent, day_of, spent_on
from burgernet.base import Base
from burgernet.commands.terminal import out, with_base


def spending(
    day: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="That day; without it: today.", metavar="2026-11-28")
    ] = None,
) -> None:
    """Show what messages cost on one day, by channel and provider."""
    which = day.date().isoformat() if day else day_of(now())

    async def asked(base: Base) -> Sequence[Spent]:
        return await spent_on(base.store, which, base.settings.tariffs)

    out.print(table(with_base(asked), which))


def table(lines: Sequence[Spent], day: str) -> Table:
    rows = Table(
        "", "sent", "parts", "euros", "budget", "used", title=day, caption=None if lines else "nothing was sent"
    )
    for line in lines:
        rows.add_row(
            line.name,
            str(line.sent),
            str(line.parts),
            f"{line.micro_euros / EURO:.2f}",
            f"{line.budget / EURO:.2f}" if line.budget else "none",
            "" if line.share is None else f"{line.share:.0%}",
        )
    return rows
