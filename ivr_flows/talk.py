"""One talk of a caller with an operator, from its beginning or its checkpoint to its end.

Its state is the checkpoint: who leads it (operator), who was asked in (colleague), whether the caller is on hold, what
is recorded. What the operator's keys do is in operator_keys.py.
"""

import logging
from collections.abc import Awaitable

from actions.matching import Match
from ivr_flows.operator_keys import KEYS, Led, colleague_leads, keep_note, keep_recording, release, tell, third_out
from ivr_flows.switchboard import Switchboard
from telephony.ari import AriAway
from telephony.calls import Call
from telephony.legs import Leg
from telephony.listener import recorded
from telephony.talks import HostLeft, News, Talk
from telephony.waiting_line import LineAway

log = logging.getLogger(__name__)

STAR = "*"
NEXT_KEY_S = 3.0


async def talk(call: Call, board: Switchboard, match: Match, room: str, operator: str, leg: Leg) -> str:
    """Lets the caller talk with an operator of `room` who answered on `leg` and heard the whisper. Returns how the call
    ended. Raises HandedToRoom."""
    led = Led(call, board, match, Talk.new(call, leg))
    await board.book.connected(call.id, room, operator)
    return await _led(led, led.talk.begin(room=room, operator=operator, colleague=""))


async def resume_talk(call: Call, board: Switchboard, match: Match | None) -> str:
    """`talk`, for one that went on while no controller held it. `match`: None when its action is over."""
    led = Led(call, board, match, Talk.found(call))
    for operator in filter(None, (led.operator, led.colleague)):
        await _hold(led, operator)
    return await _led(led, _gather(led))


async def _hold(led: Led, operator: str) -> None:
    try:
        await led.board.line.hold(operator, led.call.id)
    except LineAway as fault:
        log.warning("call %s: operator %s is held when Redis is back (%s)", led.call.id, operator, fault)


async def _gather(led: Led) -> None:
    if name := led.call.facts.get("dictation"):
        said = recorded(await led.call.controller.take_recording(name))
        if said.seconds >= 1:
            await keep_note(led, name, said.wav, said.seconds)
        led.call.facts["dictation"] = ""
    await led.talk.resume("on-hold")


async def _led(led: Led, beginning: Awaitable[None]) -> str:
    # Not `finally`: when this process is stopped or Asterisk away, the talk goes on, and the operator stays taken.
    try:
        await beginning
        await _until_over(led)
    except AriAway:
        raise
    except Exception:
        await _over(led)
        raise
    await _over(led)
    await led.call.play("operator-left")
    return "operator hung up"


async def _until_over(led: Led) -> None:
    """Returns when the operator has left, and no colleague goes on. Raises Hangup, HandedToRoom."""
    while True:
        try:
            match await led.talk.news():
                case News.KEY:
                    await _keyed(led)
                case News.THIRD_LEFT:
                    await third_out(led)
                case News.RECORDING_ENDED:
                    await keep_recording(led)
                    await tell(led, "recording-failed")
                case News.TOO_LONG:
                    return
        except HostLeft:
            third = led.talk.third
            if not led.colleague or third is None or third.ended.done():
                return
            await colleague_leads(led)


async def _keyed(led: Led) -> None:
    """Only star and a digit mean something: keys pressed by accident do not."""
    if await led.talk.key(0) == STAR and (key := await led.talk.key(NEXT_KEY_S)):
        if work := KEYS.get(key):
            await work(led)
        else:
            await tell(led, "wrong-key")


async def _over(led: Led) -> None:
    """Nothing is left of the talk but the caller."""
    await keep_recording(led)
    await led.talk.end()
    for operator in filter(None, (led.operator, led.colleague)):
        await release(led, operator)
    if led.talk.held:
        await led.call.unhold()
