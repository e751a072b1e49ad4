"""Keeping a caller's place in line: written first, then promised."""

import asyncio
import logging

from actions.call_backs import Place
from actions.matching import Match, OpenAction
from actions.store import Away
from ivr_flows.anonymous import number_of
from ivr_flows.switchboard import Switchboard
from telephony.calls import Call

log = logging.getLogger(__name__)

WRITTEN_BOUND_S = 2.0


def may_keep(call: Call, board: Switchboard, action: OpenAction) -> bool:
    """Whether this caller can be called back: with a number that is known and may be called, and a trunk for it."""
    number = number_of(call).e164
    return number is not None and bool(board.talks.ways(exercise=action.exercise)) and board.may_call(number)


async def keep_place(call: Call, board: Switchboard, match: Match) -> bool:
    """Writes the call-back. False when that was not possible: then nothing may be promised."""
    number = number_of(call).e164
    assert number
    place = Place(call.id, match.action.id, match.how, call.facts.get("triage"), call.language, call.arrived_at)
    try:
        async with asyncio.timeout(WRITTEN_BOUND_S):
            await board.call_backs.keep(place, number)
    except Away as fault:
        log.warning("call %s: its call-back could not be written (%s)", call.id, type(fault).__name__)
        return False
    return True


async def own_place(call: Call, board: Switchboard) -> Match | None:
    """The place of somebody who was to be called back and calls first: it goes on with this call."""
    number = number_of(call).e164
    if number is None or not board.call_backs.some:
        return None
    try:
        async with asyncio.timeout(board.patience.match):
            kept = await board.call_backs.called_again(number)
    except Away as fault:
        log.warning("call %s: no look for its call-back (%s)", call.id, type(fault).__name__)
        return None
    action = kept and next((action for action in board.actions.now() if action.id == kept.action_id), None)
    if not kept or not action:
        return None
    call.arrived_at = kept.arrived_at
    if kept.triage:
        call.facts["triage"] = kept.triage
    return Match(action, kept.how, 1.0, ("this number was to be called back about it",))
