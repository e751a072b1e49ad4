"""A caller who is called back: is it a human, and does the human still want to; then the operator whose turn it is."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from actions.call_backs import SPOKE
from actions.matching import Match, OpenAction, by_code
from actions.models import CallBack
from actions.numbers import read_number
from actions.store import Away
from ivr_flows.booked import booked
from ivr_flows.connect import connect, resume, ring, talked
from ivr_flows.switchboard import Switchboard
from ivr_flows.talk import talk
from telephony.calls import Call
from telephony.legs import Leg
from telephony.place import Taken

log = logging.getLogger(__name__)

YES = "1"
TIMES = 2
REASON = ("this caller was to be called back about it",)


@dataclass
class Turn:
    """Whose turn it is: the kept place, its number and action, and the operator claimed for it. `leg`: the operator's,
    when the operator was rung first. `reached`: whether the caller took the call."""

    kept: CallBack
    e164: str
    action: OpenAction
    taken: Taken
    leg: Leg | None = None
    reached: bool = False


async def call_back(call: Call, turn: Turn, board: Switchboard) -> None:
    """The conversation from the moment the caller's telephone was answered."""
    kept = turn.kept
    call.language, call.arrived_at = kept.language, kept.arrived_at
    await board.book.called_back(call.id, kept.id, read_number(turn.e164), call.dialled)
    action, said = turn.action, {"triage": kept.triage} if kept.triage else {}
    said |= {"callback": kept.id, "operator": turn.taken.operator}
    if action.exercise:
        said |= {"exercise": "yes"}
    await call.note("calling back", room=action.room_id, action=action.code, how=kept.match_how, **said)
    await booked(call, board, _conversation(call, turn, board))


async def call_back_taken_over(call: Call, board: Switchboard) -> None:
    """A call-back whose controller died: the caller is asked again, or waits on, or talks on."""
    await booked(call, board, _after_takeover(call, board))


def match_of(kept: CallBack, action: OpenAction) -> Match:
    return Match(action, kept.match_how, 1.0, REASON)


async def _conversation(call: Call, turn: Turn, board: Switchboard) -> str:
    if not await _is_taken(call, board, turn.kept.id):
        return "call-back not taken"
    turn.reached = True
    match = match_of(turn.kept, turn.action)
    await board.book.matched(call.id, match, call.language)
    leg = turn.leg or await ring(call, board, match, turn.taken)
    if leg is None or leg.ended.done():
        await board.line.release(turn.taken.operator, call.id)
        return await connect(call, board, match)
    talking = talk(call, board, match, turn.taken.room, turn.taken.operator, leg)
    return await talked(call, board, match, talking)


async def _is_taken(call: Call, board: Switchboard, kept_id: str) -> bool:
    """A machine presses no key, and whoever picked up for somebody else none either."""
    if "exercise" in call.facts:
        await call.play("exercise")
    for _ in range(TIMES):
        if await call.ask("call-back", silence=board.patience.key) == YES:
            break
    else:
        return False
    try:
        await board.call_backs.end(kept_id, SPOKE)
    except Away as fault:
        log.warning("call %s: that it was called back is written later (%s)", call.id, type(fault).__name__)
    return True


async def _after_takeover(call: Call, board: Switchboard) -> str:
    kept_id, action = call.facts["callback"], by_code(call.facts.get("action", ""), board.actions.now())
    match = Match(action, call.facts["how"], 1.0, ("taken over in mid-call",)) if action else None
    if call.facts.get("stage") == "talking":
        return await resume(call, board, match)
    board.call_backs.in_talk.add(kept_id)
    try:
        # The one who was kept free for the caller: the line gives the next one.
        await board.line.release(call.facts["operator"], call.id)
        if match is None:
            await call.play("already-over")
            return "the action ended meanwhile"
        if call.facts.get("stage") == "calling back" and not await _is_taken(call, board, kept_id):
            return "call-back not taken"
        return await connect(call, board, match)
    finally:
        board.call_backs.in_talk.discard(kept_id)
