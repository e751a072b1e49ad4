"""`burgernet mail`: what our mail server hands over to us."""

from __future__ import annotations

import sys

import typer

from actions.store import Away
from alerting.attempts import record
from alerting.bounces import LARGEST, read_bounce
from burgernet.base import Base
from burgernet.commands.terminal import err, out, with_base

app = typer.Typer(no_args_is_help=True, help="Mail that comes back.")

# A mail server keeps the mail and tries again (sysexits.h).
TRY_AGAIN = 75


@app.command()
def bounce() -> None:
    """Read one returned mail from the standard input and write down that it did not arrive.

    For a mail server's pipe: 0 when it is dealt with, whatever it was; 75 when the database is away: try again."""
    found = read_bounce(sys.stdin.buffer.read(LARGEST))
    if found is None:
        out.print("This is no report about a mail of ours; nothing is done.")
        return
    receipt = found.receipt
    if receipt is None:
        out.print(f"Attempt {found.attempt_id}: the mail is delayed; nothing is done.")
        return

    async def work(base: Base) -> bool:
        return await record(base.store, found.attempt_id, receipt)

    try:
        known = with_base(work)
    except Away as away:
        err.print(f"burgernet: the database is away ({type(away).__name__})", style="bold red", markup=False)
        raise typer.Exit(TRY_AGAIN) from None
    out.print(
        f"Attempt {found.attempt_id}: {receipt.fault.operator_message if known and receipt.fault else 'unknown'}."
    )
