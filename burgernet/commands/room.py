"""`burgernet room`: the control rooms, who helps them out, closing, taking over a region."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, TypeVar

import typer
from rich.table import Table

from actions.duty import Room
from actions.live import DUTY, wake
from actions.rooms import Rooms
from alerting.bell import action_changed
from burgernet.base import Base
from burgernet.commands.terminal import by_command, out, with_base
from telephony.line_redis import LineAway
from telephony.line_view import RoomLine, lines_now

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="Control rooms: who helps them out, close, open, take over a region.")

Which = Annotated[str, typer.Argument(metavar="ROOM", help="The control room, such as rotterdam.")]
Region = Annotated[str, typer.Argument(help="The region (police unit), such as rotterdam.")]
Why = Annotated[str, typer.Option(help="Why, for the audit.")]


@app.command("list")
def list_rooms() -> None:
    """List the rooms: open or closed, who helps them out, how many operators are on duty, how many callers wait."""

    async def work(base: Base) -> tuple[dict[str, Room], Mapping[str, RoomLine]]:
        try:
            return await base.desk.rooms(), await lines_now(base.redis)
        except LineAway:
            return await base.desk.rooms(), {}

    rooms, lines = with_base(work)
    table = Table("room", "open", "overflow to", "after (s)", "wrap-up (s)", "seats", "on duty", "busy", "waiting")
    for room in sorted(rooms.values(), key=lambda room: room.id):
        line, after = lines.get(room.id, RoomLine()), room.overflow_after_s
        table.add_row(
            room.id,
            "closed" if room.closed_at else "open",
            ", ".join(room.overflow),
            "" if after is None else f"{after:g}",
            str(room.wrap_up_s),
            str(room.seats or ""),
            str(len(line.on_duty)),
            str(len(line.busy)),
            str(line.waiting),
        )
    out.print(table)


@app.command()
def close(room: Which, why: Why = "closed") -> None:
    """Close a room: its callers go to the rooms that help it out at once; talks go on."""
    _change(lambda rooms: rooms.close(room, by_command(why)))
    out.print(f"Room {room} is closed.")


@app.command("open")
def open_room(room: Which, why: Why = "open again") -> None:
    """Open a room again."""
    _change(lambda rooms: rooms.open(room, by_command(why)))
    out.print(f"Room {room} is open.")


@app.command()
def overflow(
    room: Which,
    others: Annotated[str, typer.Argument(help="The rooms that help it out, in this order: den-haag,zeeland")],
    after: Annotated[float | None, typer.Option(help="Seconds before each; else as deployed.", min=0)] = None,
    why: Why = "another order of help",
) -> None:
    """Set which rooms help a room out, and after how long."""
    named = [other.strip() for other in others.split(",") if other.strip()]
    _change(lambda rooms: rooms.overflow(room, named, after, by_command(why)))
    out.print(f"Room {room} is helped out by {', '.join(named) or 'nobody'}.")


@app.command()
def wrap_up(
    room: Which,
    seconds: Annotated[int, typer.Argument(min=0, max=3600, help="Seconds after a talk without a caller.")],
    why: Why = "another wrap-up",
) -> None:
    """Set how long after a talk no caller comes to an operator of this room."""
    _change(lambda rooms: rooms.wrap_up(room, seconds, by_command(why)))
    out.print(f"Operators of room {room} have {seconds} s after a talk.")


@app.command()
def switchboard(
    room: Which,
    address: Annotated[str, typer.Argument(help="SIP address of the room's own exchange: sip:NUMBER@HOST:PORT")],
    seats: Annotated[int, typer.Argument(min=0, max=500, help="Calls it takes at once; 0: no exchange of its own.")],
    why: Why = "the room's own exchange",
) -> None:
    """Send a room's callers to its own exchange. Render the Asterisk configuration anew afterwards."""
    _change(lambda rooms: rooms.switchboard(room, address if seats else "", seats, by_command(why)))
    out.print(f"Room {room} takes {seats} calls on its own exchange. Now run: burgernet asterisk render")


@app.command()
def take_over(region: Region, room: Which, why: Why = "taken over") -> None:
    """Let a room serve a region, with its open actions and their callers."""
    _change(lambda rooms: rooms.take_over(region, room, by_command(why)))
    out.print(f"Region {region} is served by room {room}.")


@app.command()
def give_back(region: Region, why: Why = "given back") -> None:
    """Let a region's own room serve it again."""
    home = _change(lambda rooms: rooms.give_back(region, by_command(why)))
    out.print(f"Region {region} is served by room {home}.")


def _change(change: Callable[[Rooms], Awaitable[T]]) -> T:
    async def work(base: Base) -> T:
        changed = await change(Rooms(base.store))
        await wake(base.redis, DUTY)
        await action_changed(base.redis)
        return changed

    return with_base(work)
