"""`burgernet operator`: who is on duty, signing on and off, and the account of each operator's phone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

import typer
from rich.table import Table

from actions.duty import Duty
from actions.live import wake
from actions.rooms import Rooms
from actions.short_numbers import ShortNumbers
from burgernet import node
from burgernet.base import Base
from burgernet.commands.terminal import by_command, out, with_base
from burgernet.roster import CHANNEL
from telephony.line_view import OperatorNow, operators_now

app = typer.Typer(no_args_is_help=True, help="Operators: who is on duty, sign on, sign off.")

Who = Annotated[str, typer.Argument(help="The operator, such as rotterdam-1.")]
Why = Annotated[str, typer.Option(help="Why, for the audit.")]


@app.command("list")
def list_operators() -> None:
    """List the operators of all rooms: whom they serve, since when they are on duty, what they do now."""
    table = Table("operator", "number", "room", "language", "talks in", "skills", "on duty since (UTC)", "now")

    async def work(base: Base) -> tuple[list[Duty], dict[str, OperatorNow]]:
        return await base.desk.operators(), await operators_now(base.redis)

    duties, states = with_base(work)
    for duty in duties:
        since = f"{duty.since:%Y-%m-%d %H:%M}" if duty.since else ""
        room = f"{duty.room_id}, lent to {duty.lent_to}" if duty.lent_to else duty.room_id
        now = states.get(duty.operator_id)
        talks, skills = ", ".join(duty.languages), ", ".join(duty.skills)
        doing = f"{now.state} since {now.since:%H:%M:%S}" if now else "paused" if duty.paused else "away"
        table.add_row(duty.operator_id, duty.number or "", room, duty.language, talks, skills, since, doing)
    out.print(table)


@app.command()
def lend(operator: Who, room: Annotated[str, typer.Argument(help="The room to help.")], why: Why = "help") -> None:
    """Let an operator serve the callers of another room, until `return`."""
    _change(lambda base: Rooms(base.store).lend(operator, room, by_command(why)))
    out.print(f"{operator} serves room {room}.")


@app.command("return")
def take_back(operator: Who, why: Why = "the help is over") -> None:
    """Let an operator serve the own room again."""
    duty = _change(lambda base: Rooms(base.store).take_back(operator, by_command(why)))
    out.print(f"{operator} serves room {duty.room_id}.")


@app.command()
def change(
    operator: Who,
    languages: Annotated[str | None, typer.Option(help="Languages of the callers this operator takes: nl,en")] = None,
    skills: Annotated[str | None, typer.Option(help="Skills, separated by commas; empty for none.")] = None,
    why: Why = "another operator sits there",
) -> None:
    """Change whom an operator can help."""
    talks, can = (None if words is None else _words(words) for words in (languages, skills))
    duty = _change(lambda base: Rooms(base.store).change_operator(operator, talks, can, by_command(why)))
    out.print(f"{operator}: languages {', '.join(duty.languages)}; skills {', '.join(duty.skills) or 'none'}.")


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
def number(
    name: Annotated[str, typer.Argument(help="The operator or the room, such as rotterdam-1 or rotterdam.")],
    number: Annotated[str, typer.Argument(help="1 to 6 digits that nobody else has.")],
    why: Why = "a short number",
) -> None:
    """Give an operator or a room the short number that colleagues key in a talk (*2, *3)."""
    with_base(lambda base: ShortNumbers(base.store).give(name, number, by_command(why)))
    out.print(f"{name} has number {number}.")


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


def _change(change: Callable[[Base], Awaitable[Duty]]) -> Duty:
    async def work(base: Base) -> Duty:
        duty = await change(base)
        await wake(base.redis, CHANNEL)
        return duty

    return with_base(work)


def _words(words: str) -> list[str]:
    return [word.strip() for word in words.split(",") if word.strip()]
