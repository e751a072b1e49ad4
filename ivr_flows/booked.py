"""A whole call in the books: however its conversation ends, its row says so."""

import logging
from collections.abc import Coroutine
from typing import Any

from actions.call_backs import NODE_LOST
from actions.store import Away
from ivr_flows.switchboard import Switchboard
from telephony.ari import AriAway
from telephony.calls import Call
from telephony.legs import EXCHANGE_FAILED, Hangup
from telephony.waiting_line import LineAway

log = logging.getLogger(__name__)

HANDED_OVER = "handed to the dialplan"
FAILED = "the telephone exchange failed"
HUNG_UP = "caller hung up: {stage}"


async def booked(call: Call, board: Switchboard, conversation: Coroutine[Any, Any, str]) -> None:
    """Leads the conversation (it returns how it ended), books the end, hangs up. With Redis away the caller goes to
    the dialplan's fall-back. Raises Hangup, AriAway and the conversation's own faults."""
    try:
        ending = await conversation
    except Hangup as end:
        left = HUNG_UP.format(stage=call.facts.get("stage", "welcome"))
        await _ends(call, board, FAILED if end.cause == EXCHANGE_FAILED else left)
        if end.cause == EXCHANGE_FAILED:
            await _keep_place(call, board)
        raise
    except LineAway as fault:
        log.warning("call %s: no pairing possible (%s); the dialplan rings the room", call.id, fault)
        await _ends(call, board, HANDED_OVER)
        await call.leave_to_dialplan(call.facts.get("room", ""))
    except AriAway:
        raise  # the call goes on, and so does its row
    except Exception:
        await _ends(call, board, HANDED_OVER)
        raise
    await _ends(call, board, ending)
    await call.hangup()


async def _keep_place(call: Call, board: Switchboard) -> None:
    """Whoever waited and gave a number is called back."""
    try:
        kept = await board.call_backs.keep_for([call.id], NODE_LOST)
        log.warning("call %s: Asterisk failed; %s", call.id, "a call-back is kept" if kept else "nothing to keep")
    except Away as fault:
        log.warning("call %s: no call-back could be kept: %s", call.id, type(fault).__name__)


async def _ends(call: Call, board: Switchboard, how: str) -> None:
    await board.book.ended(call.id, how, board.quality.take(call.leg.id))
