"""Finding an operator for a caller: the line of the action's room and of those that help it out, the ringing; else a
tip."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from actions.matching import Match
from ivr_flows.beside import beside
from ivr_flows.follow import follow
from ivr_flows.keep_place import keep_place, may_keep
from ivr_flows.leave_tip import leave_tip
from ivr_flows.operator_keys import HandedToRoom
from ivr_flows.switchboard import Switchboard
from ivr_flows.talk import resume_talk, talk
from ivr_flows.waiting import CALL_BACK, KEEP, TIP, Waiting, priority_of
from ivr_flows.whisper import said_by_caller, whisper
from telephony.calls import Call, NotReached
from telephony.legs import Leg
from telephony.place import Place, Staff, Taken
from telephony.speech import Prompt
from telephony.waiting_line import LineAway

log = logging.getLogger(__name__)
T = TypeVar("T")

PROMISED = "to be called back"
OFFER_S = 1.0
ASK_AGAIN_S = 2.0


class Chosen(Exception):
    """The wait ends without an operator: what comes instead, as `Waiting.until_found` has it."""

    def __init__(self, instead: str) -> None:
        super().__init__(instead)
        self.instead = instead


@dataclass(frozen=True)
class Found:
    taken: Taken
    leg: Leg


async def connect(call: Call, board: Switchboard, match: Match) -> str:
    """Takes the caller to an operator of the action's room (or of that to which an operator handed the call), or of one
    that helps it out. Returns how the call ended."""
    first = _first_room(call, match)
    # Known before Redis is asked: without it the caller goes to this room's phones.
    call.facts |= {"room": first, "action": match.action.code, "how": match.how}
    if match.action.exercise:
        call.facts["exercise"] = "yes"
    staff = await board.line.staff(board.rooms_from(first), call.language)
    await call.note("connecting" if staff is Staff.NOBODY else "waiting")
    if staff is Staff.NOBODY:
        return await _nobody(call, board, match)
    try:
        found = await _find_operator(call, board, match, call.language if staff is Staff.SPEAKS else "")
    except Chosen as chosen:
        return await _instead(call, board, match, chosen.instead)
    return await talked(call, board, match, talk(call, board, match, found.taken.room, found.taken.operator, found.leg))


async def resume(call: Call, board: Switchboard, match: Match | None) -> str:
    """Goes on with a talk after a takeover. Returns how the call ended."""
    return await talked(call, board, match, resume_talk(call, board, match))


async def talked(call: Call, board: Switchboard, match: Match | None, talking: Awaitable[str]) -> str:
    """The talk, and what comes after it when an operator hands the caller to another room."""
    try:
        return await talking
    except HandedToRoom:
        assert match
        return await connect(call, board, match)


def _first_room(call: Call, match: Match) -> str:
    return call.facts.get("handed_to") or match.action.room_id


async def _follow(call: Call, board: Switchboard, match: Match, place: Place) -> None:
    # Whom an operator handed to a room stays there.
    if "handed_to" not in call.facts:
        await follow(board, place, match.action.code)


async def _instead(call: Call, board: Switchboard, match: Match, chosen: str) -> str:
    if chosen == CALL_BACK:
        return await _promised(call)
    if chosen == TIP:
        return await leave_tip(call, board, match.action, "tip-after-alert")
    return await _nobody(call, board, match)


async def _nobody(call: Call, board: Switchboard, match: Match) -> str:
    """Nobody can take this caller: a call back as soon as somebody can, or a tip now."""
    if may_keep(call, board, match.action) and await call.ask("call-back-or-tip", silence=OFFER_S) == KEEP:
        if await keep_place(call, board, match):
            return await _promised(call)
        await call.play("not-now")
    return await leave_tip(call, board, match.action, "leave-tip")


async def _promised(call: Call) -> str:
    await call.play("call-back-promised")
    return PROMISED


async def _find_operator(call: Call, board: Switchboard, match: Match, language: str) -> Found:
    """Stands in line for an operator who speaks `language` ("" for any), and rings who is claimed until one answers.
    Raises Chosen."""
    action, rooms = match.action, list(board.rooms_from(_first_room(call, match)))
    await board.book.waiting(call.id, rooms[0])
    priority = priority_of(call, action)
    # Who calls about one that ended before knows it.
    over = board.actions.over(action.code) if board.actions.by_code(action.code) else asyncio.Future[None]()
    async with (
        board.line.waiting_for(
            rooms[0], call.id, priority, call.arrived_at, language=language, preferred=action.started_by
        ) as place,
        beside(_follow(call, board, match, place)),
        beside(widen(board, place, rooms)),
        beside(_pair(call, board, match, place)) as pairing,
    ):
        try:
            async with call.music():
                instead = await Waiting(call, board, match, place, pairing, over).until_found()
            # Who is found in the same moment goes before what was chosen.
            if instead and not pairing.done():
                raise Chosen(instead)
            return await pairing
        except BaseException:
            await _drop_found(call, pairing)
            raise


async def _pair(call: Call, board: Switchboard, match: Match, place: Place) -> Found:
    """The first operator who answers of those whom the line gives."""
    while True:
        taken = await place.operator()
        if leg := await ring(call, board, match, taken):
            return Found(taken, leg)
        await place.let_go()
        await board.stands_where_staffed(place)


async def widen(board: Switchboard, place: Place, rooms: list[str]) -> None:
    """Stands in the line of each further room too, when the patience with the one before is over: at once when nobody
    is on duty there. `rooms`: the own one first. A Redis that is away for a moment is asked again."""
    for before, room in pairwise(rooms):
        with suppress(TimeoutError, LineAway):
            async with asyncio.timeout(board.overflow_after_s(rooms[0])):
                await board.line.unstaffed(before)
        while not await _stands_in(board, place, room):  # noqa: ASYNC110 - what is waited for lies in Redis
            await asyncio.sleep(ASK_AGAIN_S)


async def _stands_in(board: Switchboard, place: Place, room: str) -> bool:
    """Whether it could be asked for."""
    try:
        if await board.line.staffed(room):
            await place.also_in(room)
    except LineAway as fault:
        log.info("room %s could not be asked for help yet: %s", room, fault)
        return False
    return True


async def ring(
    call: Call, board: Switchboard, match: Match, taken: Taken, facts: Mapping[str, str] | None = None
) -> Leg | None:
    """Rings the operator; None when the operator cannot be reached. `facts`: what is known of the call, if not its
    checkpoint."""
    facts = call.facts if facts is None else facts
    operator = taken.operator
    seconds = board.patience.starter_rings if operator == match.action.started_by else board.patience.operator_rings
    language = board.operator_language(operator)

    def said() -> list[Prompt]:
        home = board.room_name(match.action.room_id) if taken.room != match.action.room_id else ""
        told = whisper(match.action, language, home, facts.get("handed_by", ""))
        return [*told, *said_by_caller(facts, language)]

    try:
        return await call.ring(taken.endpoint, seconds, said, language)
    except NotReached as missed:
        log.info("call %s: operator %s not reached (%s)", call.id, operator, missed.why)
        await board.not_reached(operator, missed.why)
        return None


async def _drop_found(call: Call, pairing: asyncio.Task[Found]) -> None:
    """Nobody will talk with an operator who answered in the last moment."""
    if pairing.done() and not pairing.cancelled() and not pairing.exception():
        await asyncio.shield(call.controller.hang_up(pairing.result().leg))
