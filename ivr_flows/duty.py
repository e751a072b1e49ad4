"""Operators sign on and off with a feature code from their own phone: *11 and *12."""

import logging

from actions.books import Actor
from actions.desk import Refused
from actions.store import Away
from ivr_flows.switchboard import Switchboard
from telephony.calls import Call
from telephony.place import Post
from telephony.waiting_line import LineAway

log = logging.getLogger(__name__)


async def sign_on(call: Call, board: Switchboard) -> None:
    """From now on callers come to the phone that calls."""
    await _change(call, board, on=True)


async def sign_off(call: Call, board: Switchboard) -> None:
    """No more callers come to the phone that calls; a talk going on is not touched."""
    await _change(call, board, on=False)


async def _change(call: Call, board: Switchboard, *, on: bool) -> None:
    await call.answer()
    operator = call.caller.account or ""
    by = Actor(operator, "phone", "feature code")
    try:
        if on:
            duty = await board.desk.sign_on(operator, by)
            await board.line.offer(operator, Post(duty.room_id))
        else:
            await board.desk.sign_off(operator, by)
            await board.line.away(operator)
    except Refused:
        await call.play("not-an-operator")
    except (LineAway, *Away) as fault:
        log.warning("call %s: duty of %s could not be changed: %s", call.id, operator, fault)
        await call.play("not-now")
    else:
        await call.play("signed-on" if on else "signed-off")
    await call.hangup()
