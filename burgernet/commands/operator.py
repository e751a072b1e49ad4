"""`burgernet operator`: who is on duty, signing on and off, and the account of each operator's phone."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from actions.desk import Duty
from actions.live import wake
from burgernet import node
from burgernet.base import Base
from burgernet.commands.terminal import by_command, out, with_base
from burgernet.roster import CHANNEL

app = typer.Typer(no_args_is_help=True, help="Operators: who is on duty, sign on, sign off.")

Who = Annotated[str, typer.Argument(help="The operator, such as rotterdam-1.")]
Why = Annotated[str, typer.Option(help="Why, for the audit.")]


@app.command("list")
def list_operators() -> None:
    """List the operators of all rooms, and since when they are on duty."""
    table = Table("operator", "room", "language", "on duty since (UTC)")
    for duty in with_base(lambda base: base.desk.operators()):
        since = f"{duty.since:%Y-%m-%d %H:%M}" if duty.since else ""
        table.add_row(duty.operator_id, duty.room_id, duty.language, since)
    out.print(table)


@app.command()
def sign_on(operator: Who, why: Why = "start of duty") -> None:
    """Put an operator on duty: callers of the room come to the operator's phone (as *11 on that phone does)."""

    async def work(base: Base) -> Duty:
        duty = await base.desk.sign_on(operator, by_command(why))
        await wake(base.redis, CHANNEL)
        return duty

    out.print(f"{operator} is on duty in room {with_base(work).room_id}.")


@app.command()
def sign_off(operator: Who, why: Why = "end of duty") -> None:
    """Take an operator off duty (as *12 does); a talk going on is not touched."""

    async def work(base: Base) -> Duty:
        duty = await base.desk.sign_off(operator, by_command(why))
        await wake(base.redis, CHANNEL)
        return duty

    with_base(work)
    out.print(f"{operator} is off duty.")


@app.command()
def phone(operator: Who) -> None:
    """Print the SIP account of an operator's phone, to set the phone up with. Whoever has it can answer calls."""

    async def work(base: Base) -> tuple[str, str]:
        known = {duty.operator_id for duty in await base.desk.operators()}
        if operator not in known:
            raise typer.BadParameter(f"operator {operator!r} is not known; `burgernet operator list` shows them")
        return base.settings.sip_bind, node.sip_password(base.settings, operator)

    server, password = with_base(work)
    out.print(f"server    {server} (UDP)\naccount   {operator}\npassword  {password}", markup=False)
