"""`burgernet callback`: who keeps a place in line and is called back."""

from __future__ import annotations

from collections.abc import Sequence

import typer
from rich.table import Table

from actions.models import CallBack
from burgernet.base import Base
from burgernet.commands.terminal import out, with_base

app = typer.Typer(no_args_is_help=True, help="Callers who keep their place in line and are called back.")


@app.command("list")
def list_call_backs() -> None:
    """List the open call-backs, the first to be served of each action first; no numbers."""

    async def work(base: Base) -> Sequence[tuple[CallBack, str]]:
        return await base.call_backs.open_ones()

    table = Table("action", "in line since (UTC)", "says", "why", "tries", "next try (UTC)", "call")
    for row, code in with_base(work):
        since, due = f"{row.arrived_at:%Y-%m-%d %H:%M:%S}", f"{row.due_at:%H:%M:%S}"
        table.add_row(code, since, row.triage or "", row.reason, str(row.tries), due, row.id)
    out.print(table)
