"""Operators tell from their own phone, with a feature code, whether callers come to it: *11 signs on, *12 off, *13 is
ready (a wrap-up or a pause is over), *14 pauses."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from actions.books import Actor
from actions.desk import Refused
from actions.duty import Duty
from actions.store import Away
from ivr_flows.switchboard import Switchboard
from telephony.calls import Call
from telephony.waiting_line import LineAway

log = logging.getLogger(__name__)

Change = Callable[[str, Actor], Awaitable[Duty]]


async def sign_on(call: Call, board: Switchboard) -> None:
    """From now on callers come to the phone that calls."""
    if await _changed(call, board, board.desk.sign_on):
        async with _callers_afterwards(call, board):
            await call.play("signed-on")


async def sign_off(call: Call, board: Switchboard) -> None:
    """No more callers come to the phone that calls; a talk going on is not touched."""
    if await _changed(call, board, board.desk.sign_off):
        await _look_at(call, board)
        await call.play("signed-off")
        await call.hangup()


async def ready(call: Call, board: Switchboard) -> None:
    """The next caller may come: a wrap-up ends now, a pause is over."""
    if await _changed(call, board, board.duties.ready):
        async with _callers_afterwards(call, board):
            await call.play("ready")


async def pause(call: Call, board: Switchboard) -> None:
    """No callers come until *13, or until the operator signs on again."""
    if await _changed(call, board, board.duties.pause):
        await _look_at(call, board)
        await call.play("paused")
        await call.hangup()


async def _changed(call: Call, board: Switchboard, change: Change) -> bool:
    """Whether it stands in the books; else the operator hears why not."""
    await call.answer()
    operator = call.caller.account or ""
    try:
        await change(operator, Actor(operator, "phone", "feature code"))
    except Refused:
        await call.play("not-an-operator")
    except Away as fault:
        log.warning("call %s: duty of %s could not be changed: %s", call.id, operator, fault)
        await call.play("not-now")
    else:
        return True
    await call.hangup()
    return False


@asynccontextmanager
async def _callers_afterwards(call: Call, board: Switchboard) -> AsyncIterator[None]:
    """Callers come when the block is over and the phone hung up: rung before, it would be busy."""
    try:
        yield
        await call.hangup()
    finally:
        await _look_at(call, board, ready=True)


async def _look_at(call: Call, board: Switchboard, *, ready: bool = False) -> None:
    operator = call.caller.account or ""
    try:
        if ready:
            await board.line.ready(operator)
        await board.look_at(operator)
    except LineAway as fault:
        log.warning("call %s: %s; the next look finds the duty of %s", call.id, fault, operator)
