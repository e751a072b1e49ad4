"""One talk of a caller with an operator: the whisper before it, and from its beginning or its checkpoint to its end."""

import logging
from collections.abc import Coroutine

from actions.matching import OpenAction
from ivr_flows.find_action import title_in
from ivr_flows.spoken import spoken
from ivr_flows.switchboard import Switchboard
from telephony.ari import AriAway
from telephony.calls import Call
from telephony.legs import Leg
from telephony.speech import Prompt, Spoken
from telephony.waiting_line import LineAway

log = logging.getLogger(__name__)


async def talk(call: Call, board: Switchboard, room: str, operator: str, leg: Leg) -> str:
    """Lets the caller talk with an operator of `room` who answered on `leg` and heard the whisper. Returns how the call
    ended."""
    await board.book.connected(call.id, room, operator)
    return await _until_over(call, board, operator, call.bridge(leg, room=room, operator=operator))


async def resume_talk(call: Call, board: Switchboard) -> str:
    """Watches to its end a talk that went on while no controller held it. Returns how the call ended."""
    operator = call.facts["operator"]
    await board.line.hold(operator, call.id)
    return await _until_over(call, board, operator, call.resume_talk())


async def _until_over(call: Call, board: Switchboard, operator: str, talk: Coroutine[None, None, None]) -> str:
    # Not `finally`: when this process is stopped or Asterisk away, the talk goes on, and the operator stays taken.
    try:
        await talk
    except AriAway:
        raise
    except Exception:
        await _release(call, board, operator)
        raise
    await _release(call, board, operator)
    await call.play("operator-left")
    return "operator hung up"


async def _release(call: Call, board: Switchboard, operator: str) -> None:
    try:
        await board.line.release(operator, call.id)
    except LineAway as fault:
        log.warning("call %s: operator %s is freed when Redis is back (%s)", call.id, operator, fault)


def whisper(action: OpenAction, language: str) -> list[Prompt]:
    """What the operator hears before the caller: which action this is."""
    title = spoken(title_in(action, language), language)
    code = spoken(action.code, language)
    return [Spoken(f"Actie {code}. {title}." if language == "nl" else f"Action {code}. {title}.")]
