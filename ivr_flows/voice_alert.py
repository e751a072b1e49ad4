"""A voice alert: the message of an action by telephone, and the keys with which its hearer answers."""

import logging

from actions.books import Actor
from actions.matching import Match
from actions.models import DeliveryState, MessageKind
from actions.numbers import read_number
from actions.store import Away
from actions.urgency import Triage
from alerting.channels import Sending
from alerting.channels.voice import Report
from alerting.keys import AGAIN, KEY_S, NO_MORE, TIMES, TIP, TO_THE_ROOM
from alerting.renditions import voice_in_short
from ivr_flows.asking import SWITCH_LANGUAGE
from ivr_flows.booked import booked
from ivr_flows.catalogue import other_language
from ivr_flows.connect import connect, resume
from ivr_flows.leave_tip import leave_tip
from ivr_flows.message import Told, said, told
from ivr_flows.switchboard import Switchboard
from telephony.calls import Call, Cut
from telephony.legs import Hangup

log = logging.getLogger(__name__)

GREETING_S = 30.0


async def voice_alert(call: Call, alert: Sending, report: Report, board: Switchboard) -> None:
    """One alert, from the moment it was answered. What is learnt about it is reported at once."""
    call.language = alert.notice.language
    # First of all: whoever asks afterwards must find that it was answered.
    await board.book.placed(call.id, alert.attempt_id, read_number(alert.to), call.dialled, call.arrived_at)
    await booked(call, board, _conversation(call, board, alert, report))


async def voice_alert_taken_over(call: Call, board: Switchboard) -> None:
    """An alert whose controller died: a talk is watched to its end, a wait goes on, a message is not told twice."""
    await booked(call, board, _after_takeover(call, board))


async def _conversation(call: Call, board: Switchboard, alert: Sending, report: Report) -> str:
    """Returns how the call ended."""
    over = board.actions.over(alert.notice.code)
    try:
        await call.note("alert", action=alert.notice.code, how="alert")
        await call.listen()
        message = await told(board, alert)
        # A result is told to its end: its action is over by nature.
        async with call.unless(call.leg.long_talk, *([] if alert.notice.kind == MessageKind.RESULT else [over])):
            key = await _tell(call, alert, message)
    except Hangup:
        await report(_who_answered(call))
        raise
    except Cut as cut:
        if cut.by is over:
            await report(DeliveryState.CONFIRMED if call.leg.keyed else DeliveryState.ANSWERED)
            return await _already_found(call)
        await report(DeliveryState.MACHINE)
        return await _tell_a_machine(call, board, alert)
    await report(_who_answered(call))
    return await _obey(call, board, alert, key) if key else "told, no key"


def _who_answered(call: Call) -> DeliveryState:
    """Only people press keys; whoever picks up a telephone says something."""
    if call.leg.keyed:
        return DeliveryState.CONFIRMED
    return DeliveryState.ANSWERED if call.leg.spoke else DeliveryState.MACHINE


async def _tell(call: Call, alert: Sending, message: Told) -> str:
    """The message and what can be answered; 2 tells it again. The key pressed; "" for none."""
    if alert.notice.kind == MessageKind.RESULT:
        return await call.ask(*message.prompts(call.language), silence=0)
    key = ""
    for _ in range(TIMES):
        pressed = await call.ask(*message.prompts(call.language), "alert-keys", silence=KEY_S, ends="")
        if pressed in (TO_THE_ROOM, TIP, NO_MORE, ""):
            return pressed or key
        key = pressed
        if key == SWITCH_LANGUAGE:
            call.language = other_language(call.language)
        elif key != AGAIN:
            await call.play("wrong-key")
    return key


async def _obey(call: Call, board: Switchboard, alert: Sending, key: str) -> str:
    if key == NO_MORE:
        return await _withdraw(call, board, alert)
    if key not in (TO_THE_ROOM, TIP):
        return "told"
    action = board.actions.by_code(alert.notice.code)
    if action is None:
        return await _already_found(call)
    match = Match(action, "alert", 1.0, (f"the hearer of its alert pressed {key}",))
    await board.book.matched(call.id, match, call.language)
    if key == TIP:
        return await leave_tip(call, board, action, "tip-after-alert")
    call.facts["triage"] = Triage.NOW
    await board.book.triaged(call.id, Triage.NOW)
    return await connect(call, board, match)


async def _withdraw(call: Call, board: Switchboard, alert: Sending) -> str:
    """No more about this action; a second 9 signs off for good."""
    by = Actor("participant", "voice alert", "key 9")
    try:
        await board.withdrawals.from_action(alert.attempt_id, by)
        if await _nine_again(call) != NO_MORE:
            return "withdrew from the action"
        await board.withdrawals.for_good(alert.attempt_id, by)
    except Away as fault:
        log.warning("call %s: a withdrawal could not be written: %s", call.id, type(fault).__name__)
        await call.play("not-now")
        return "withdrawal failed"
    await call.play("signed-off-for-good")
    return "signed off"


async def _nine_again(call: Call) -> str:
    """What is pressed after hearing of the withdrawal; after another key that is said once more."""
    key = await call.ask("withdrawn", silence=KEY_S)
    return key if key in (NO_MORE, "") else await call.ask("withdrawn", silence=KEY_S)


async def _tell_a_machine(call: Call, board: Switchboard, alert: Sending) -> str:
    """A greeting or a tone without end: the short message after it, for whoever listens to the machine."""
    await call.wait(call.leg.quiet(), GREETING_S)
    await call.play(*said(voice_in_short(alert.notice, board.free_number), alert.notice.language))
    return "told a machine"


async def _already_found(call: Call) -> str:
    await call.play("already-over")
    return "the action ended meanwhile"


async def _after_takeover(call: Call, board: Switchboard) -> str:
    stage = call.facts.get("stage")
    action = board.actions.by_code(call.facts.get("action", ""))
    match = Match(action, "alert", 1.0, ("taken over in mid-call",)) if action else None
    if stage == "talking":
        return await resume(call, board, match)
    if stage in ("connecting", "waiting", "tip") and match:
        return await connect(call, board, match)
    return "broken off"
