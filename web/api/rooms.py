"""Control rooms with their waiting lines."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from actions.duty import Room
from telephony.line_view import RoomLine, lines_now
from telephony.waiting_line import LineAway
from web.access.tokens import Scope
from web.api.answers import LineOut, OperatorOut, RoomOut, RoomsOut
from web.api.endpoint import Asked, Endpoint, Office, Reply
from web.api.problem import Problem
from web.api.shapes import RoomPath

log = logging.getLogger(__name__)


async def list_rooms(office: Office, asked: Asked) -> Reply[RoomsOut]:
    rooms = await office.desk.rooms()
    lines = await _lines(office)
    return Reply(RoomsOut(items=[_out(rooms[id_], lines) for id_ in sorted(rooms) if asked.holder.sees(id_)]))


async def get_room(office: Office, asked: Asked, path: RoomPath) -> Reply[RoomOut]:
    asked.must_see(path.id)
    room = (await office.desk.rooms()).get(path.id)
    if room is None:
        raise Problem(404, f"there is no room {path.id}")
    return Reply(_out(room, await _lines(office)))


async def _lines(office: Office) -> Mapping[str, RoomLine] | None:
    try:
        return await lines_now(office.redis)
    except LineAway as away:
        log.warning("rooms are shown without their lines: %s", away)
        return None


def _out(room: Room, lines: Mapping[str, RoomLine] | None) -> RoomOut:
    line = None
    if lines is not None:
        now = lines.get(room.id, RoomLine())
        line = LineOut(
            on_duty=list(now.on_duty),
            busy=list(now.busy),
            operators=[OperatorOut(id=each.name, state=each.state, since=each.since) for each in now.operators],
            waiting=now.waiting,
        )
    return RoomOut(
        id=room.id,
        name=room.name,
        closed_since=room.closed_at,
        overflow=list(room.overflow),
        overflow_after=room.overflow_after_s,
        wrap_up=room.wrap_up_s,
        seats=room.seats,
        next_room=next(iter(room.overflow), None),
        line=line,
    )


ENDPOINTS: Sequence[Endpoint] = (
    Endpoint("GET", "/rooms", Scope.ROOMS_READ, "Control rooms: who is on duty, how many callers wait", list_rooms),
    Endpoint(
        "GET",
        "/rooms/{id}",
        Scope.ROOMS_READ,
        "One control room",
        get_room,
        refuses={404: "There is no such room"},
    ),
)
