"""`burgernet participants unreachable`: numbers, mailboxes and browsers at which nothing arrives any more."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Annotated, TextIO

import typer
from rich.table import Table

from actions.books import Actor
from actions.desk import Refused
from actions.unreachable import Unreachable
from burgernet.base import Base
from burgernet.commands.terminal import by_command, out, with_base

COLUMNS = ("contact point", "kind", "address", "unreachable since (UTC)", "why")
ONLY_ITS_OWNER = 0o600

Why = Annotated[str, typer.Option(help="Why, for the audit.")]


def unreachable(
    file: Annotated[
        Path | None, typer.Option(help="Write each with its number to this new file, which only you can read (CSV).")
    ] = None,
    why: Why = "upkeep of the register",
) -> None:
    """Count the contact points at which nothing arrives, by reason. They are alerted again once they are in use."""
    if file:
        out.print(f"{with_base(lambda base: _export(base, file, by_command(why)))} written to {file}.", markup=False)
        return
    table = Table("contact points", "kind", "why")
    for count in with_base(lambda base: Unreachable(base.store, base.vaults.register).counts()):
        table.add_row(str(count.contact_points), count.kind, count.why)
    out.print(table)


def reachable(
    contact_point: Annotated[int, typer.Argument(help="Its number in the exported file.")],
    why: Why = "known to be in use",
) -> None:
    """Alert a contact point again that was taken for unreachable."""

    async def work(base: Base) -> None:
        await Unreachable(base.store, base.vaults.register).reachable(contact_point, by_command(why))

    with_base(work)
    out.print(f"Contact point {contact_point} is alerted again.")


async def _export(base: Base, file: Path, actor: Actor) -> int:
    """How many were written. Raises Refused when the file is there, or cannot be made."""
    count = 0
    with _only_for_its_owner(file) as lines:
        rows = csv.writer(lines)
        rows.writerow(COLUMNS)
        async for lost in Unreachable(base.store, base.vaults.register).all(actor):
            rows.writerow((lost.id, lost.kind, lost.address, f"{lost.since:%Y-%m-%dT%H:%M:%SZ}", lost.why))
            count += 1
    return count


def _only_for_its_owner(file: Path) -> TextIO:
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, ONLY_ITS_OWNER)
    except OSError as fault:
        raise Refused([f"{file} cannot be made: {fault.strerror}; name a new file"]) from None
    return os.fdopen(descriptor, "w", encoding="utf-8", newline="")
