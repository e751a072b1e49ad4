"""A recorded tip: from the caller whom no operator can take, or who saw something earlier."""

import logging

from actions.matching import OpenAction
from ivr_flows.anonymous import may_be_recorded
from ivr_flows.switchboard import Switchboard
from telephony.calls import Call

log = logging.getLogger(__name__)

SILENCE_ENDS_S = 5.0


async def leave_tip(call: Call, board: Switchboard, action: OpenAction, invitation: str) -> str:
    """Records what the caller saw, after the prompt `invitation`, and keeps it, sealed, with the action. What was said
    before a hang-up is kept too. Returns how the call ended."""
    await call.note("tip", action=action.code)
    if not await may_be_recorded(call, board):
        await call.play("no-tip")
        return "anonymous, no tip left"
    await call.play(invitation)
    recorded = await call.record(board.patience.tip, SILENCE_ENDS_S)
    if not recorded.wav:
        # Even of silence there is a file, unless the disk is full.
        log.error("call %s: Asterisk keeps no recording; is its disk full?", call.id)
        await call.play("tip-not-kept")
        return "tip not kept"
    if recorded.seconds < 1:
        await call.play("tip-empty")
        return "no tip left"
    await board.book.keep_tip(call.id, action.id, action.room_id, recorded.wav, recorded.seconds)
    await call.play("tip-thanks")
    return "tip left"
