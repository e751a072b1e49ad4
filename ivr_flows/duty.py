"""Operators tell from their own phone, with a feature code, whether callers come to it: *11 signs on, *12 off, *13 is
ready (a wrap-up or a pause is over), *14 pauses."""

import logging
from collections.abc import Awaitable, Callable

from actions.books import Actor
from actions.desk import Duty, Refused
from actions.store import Away
from ivr_flows.switchboard import Switchboard
from telephony.calls import Call
from telephony.waiting_line import LineAway

log = logging.getLogger(__name__)

Change = Callable[[str, Actor], Awaitable[Duty]]


async def sign_on(call: Call, board: Switchboard) -> None:
    """From now on callers come to the phone that calls."""
    if await _changed(call, board, board.desk.sign_on):
        await call.play("signed-on")
    await call.hangup()


async def sign_off(call: Call, board: Switchboard) -> None:
    """No more callers come to the phone that calls; a talk going on is not touched."""
    if await _changed(call, board, board.desk.sign_off):
        await call.play("signed-off")
    await call.hangup()


async def ready(call: Call, board: Switchboard) -> None:
    """The next caller may come: a wrap-up ends now, a pause is over."""

    async def is_ready(operator: str, by: Actor) -> Duty:
        duty = await board.duties.ready(operator, by)
        await board.line.ready(operator)
        return duty

    if await _changed(call, board, is_ready):
        await call.play("ready")
    await call.hangup()


async def pause(call: Call, board: Switchboard) -> None:
    """No callers come until *13, or until the operator signs on again."""
    if await _changed(call, board, board.duties.pause):
        await call.play("paused")
    await call.hangup()


async def _changed(call: Call, board: Switchboard, change: Change) -> bool:
    """Whether it was done; else the operator hears why not."""
    await call.answer()
    operator = call.caller.account or ""
    try:
        await change(operator, Actor(operator, "phone", "feature code"))
        await board.look_at(operator)
    except Refused:
        await call.play("not-an-operator")
        return False
    except (LineAway, *Away) as fault:
        log.warning("call %s: duty of %s could not be changed: %s", call.id, operator, fault)
        await call.play("not-now")
        return False
    return True
