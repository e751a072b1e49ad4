"""Finding an operator for a caller: the room's line, the ringing, the whisper; else the next room, or a tip."""

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import dataclass

from actions.matching import Match, OpenAction
from ivr_flows.leave_tip import leave_tip
from ivr_flows.often import SERVED_LAST
from ivr_flows.operator_keys import HandedToRoom
from ivr_flows.switchboard import Switchboard
from ivr_flows.talk import resume_talk, talk
from ivr_flows.whisper import whisper
from telephony.calls import Call, NotReached
from telephony.legs import Leg
from telephony.place import Place

log = logging.getLogger(__name__)

PRIORITIES = {"amber": 0, "missing_child": 10, "look_out": 20, "information": 30, "investigation": 40}
# These answers mean that nobody sits at the phone: the operator goes off duty. A busy one keeps the duty.
GONE = {"no_answer": "the phone was not answered", "unreachable": "the phone is not registered"}


async def connect(call: Call, board: Switchboard, match: Match) -> str:
    """Takes the caller to the room of the action (or to which an operator handed the call), or the next that has
    somebody free. Returns how the call ended."""
    first = _first_room(call, match)
    await call.note("connecting", room=first, action=match.action.code, how=match.how)
    for room in board.rooms_from(first):
        if not await board.line.staffed(room):
            continue
        if found := await _find_operator(call, board, match, room):
            return await _talked(call, board, match, talk(call, board, match, room, found.operator, found.leg))
    return await leave_tip(call, board, match.action, "leave-tip")


async def resume(call: Call, board: Switchboard, match: Match | None) -> str:
    """Goes on with a talk after a takeover. Returns how the call ended."""
    return await _talked(call, board, match, resume_talk(call, board, match))


async def _talked(call: Call, board: Switchboard, match: Match | None, talking: Awaitable[str]) -> str:
    try:
        return await talking
    except HandedToRoom:
        assert match
        return await connect(call, board, match)


def _first_room(call: Call, match: Match) -> str:
    return call.facts.get("handed_to") or match.action.room_id


@dataclass(frozen=True)
class Found:
    operator: str
    leg: Leg


async def _find_operator(call: Call, board: Switchboard, match: Match, room: str) -> Found | None:
    """Waits in the room's line, told so and then with music; rings who is free until one answers. None when the
    patience is over."""
    await call.note("waiting", room=room)
    await board.book.waiting(call.id, room)
    over = asyncio.get_running_loop().time() + board.patience.in_one_room
    async with (
        board.line.waiting_for(
            room, call.id, _priority(call, match.action), call.arrived_at, preferred=match.action.started_by
        ) as place,
        call.music("connecting" if room == _first_room(call, match) else "next-room"),
    ):
        while (left := over - asyncio.get_running_loop().time()) > 0:
            taken = await call.wait(place.operator(), left)
            if taken is None:
                return None
            if leg := await _ring(call, board, match.action, room, taken.operator, place):
                return Found(taken.operator, leg)
    return None


def _priority(call: Call, action: OpenAction) -> int:
    return SERVED_LAST if "often" in call.facts else PRIORITIES[action.kind]


async def _ring(
    call: Call, board: Switchboard, action: OpenAction, room: str, operator: str, place: Place
) -> Leg | None:
    seconds = board.patience.starter_rings if operator == action.started_by else board.patience.operator_rings
    try:
        language = board.operator_language(operator)
        home = board.rooms[action.room_id].name if room != action.room_id else ""
        words = whisper(action, language, home, call.facts.get("handed_by", ""))
        return await call.ring(operator, seconds, words, language)
    except NotReached as missed:
        log.info("call %s: operator %s not reached (%s)", call.id, operator, missed.why)
        if why := GONE.get(missed.why):
            await board.send_away(operator, why)
        await place.let_go()
        return None
