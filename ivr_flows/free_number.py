"""The free number, 0800-0011: from the welcome to a talk with the operator of the right action."""

import asyncio

from actions.matching import Match, by_code
from actions.numbers import read_number
from ivr_flows.anonymous import number_of
from ivr_flows.asking import ask
from ivr_flows.beside import beside
from ivr_flows.booked import booked
from ivr_flows.connect import connect, resume
from ivr_flows.find_action import CODE_DIGITS, alerted_in, find_action, match_by_code
from ivr_flows.keep_place import own_place
from ivr_flows.often import Often, guarded
from ivr_flows.switchboard import Switchboard
from telephony.calls import Call


async def free_number(call: Call, board: Switchboard, often: Often) -> None:
    """One call to the free number, from its start or, after a takeover, from its checkpoint."""
    await booked(call, board, guarded(call, board, often, _conversation(call, board)))


async def _conversation(call: Call, board: Switchboard) -> str:
    """Returns how the call ended. A call taken over goes on at its stage: a menu starts again, a caller who waited
    waits on with the first arrival, a talk is watched to its end."""
    match call.facts.get("stage"):
        case "talking":
            return await resume(call, board, _match_before_takeover(call, board))
        case "connecting" | "waiting" | "tip":
            found = _match_before_takeover(call, board)
        case _:
            found = None
    found = found or await _found(call, board)
    if found is None:
        return "no action"
    await board.book.matched(call.id, found, call.language)
    if found.action.exercise:
        await call.play("exercise")
    return await connect(call, board, found)


async def _found(call: Call, board: Switchboard) -> Match | None:
    """The action the call is about. The number is looked up while the welcome is heard: on a busy day nobody waits for
    it."""
    async with beside(alerted_in(call, board)) as looked_up:
        found = await _welcome(call, board) if call.facts.get("stage", "welcome") == "welcome" else None
        found = found or await own_place(call, board)
        return found or await find_action(call, board, number_of(call), looked_up)


async def _welcome(call: Call, board: Switchboard) -> Match | None:
    """Answers and welcomes. A code keyed during the welcome is as good as one that was asked for."""
    # Written while the way of the sound opens. Until it is, the channel in Asterisk is what a next controller finds.
    arriving = asyncio.create_task(
        board.book.arrived(call.id, read_number(call.caller.number), call.dialled, call.arrived_at)
    )
    try:
        await call.answer()
    finally:
        await arriving
    await board.book.answered(call.id)
    keyed = await ask(call, board, lambda language: ["welcome"], digits=CODE_DIGITS, silence=0)
    if len(keyed) < CODE_DIGITS:
        return None
    return await match_by_code(call, board, keyed, "the caller keyed the code during the welcome")


def _match_before_takeover(call: Call, board: Switchboard) -> Match | None:
    action = by_code(call.facts.get("action", ""), board.actions.now())
    return Match(action, call.facts["how"], 1.0, ("taken over in mid-call",)) if action else None
