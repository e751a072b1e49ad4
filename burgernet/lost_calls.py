"""Calls that ended while no controller held them: their rows get an end too. Whoever waited in an Asterisk that failed
is called back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from datetime import timedelta

from actions.call_backs import NODE_LOST
from actions.lost_calls import LostCalls
from actions.store import Away
from burgernet.base import Base
from ivr_flows.booked import FAILED, HUNG_UP
from telephony.controller import Controller

log = logging.getLogger(__name__)

LOOK_AGAIN_S = 30.0
# So long after a call came, whoever leads it holds it.
GRACE = timedelta(minutes=1)
# From the moment an Asterisk hangs everybody up until it is gone. Who hung up by himself just then is called back too.
SHUTS_DOWN = timedelta(seconds=5)


async def end_lost_calls(base: Base, controller: Controller) -> None:
    """Looks again and again, until cancelled."""
    while True:
        if controller.ari.connected.is_set():
            try:
                await _end_lost(base, controller)
            except Away as fault:
                log.info("lost calls are looked for later: %s", type(fault).__name__)
        await asyncio.sleep(LOOK_AGAIN_S)


async def _end_lost(base: Base, controller: Controller) -> None:
    app = controller.ari.app
    # Of an earlier life of Asterisk nothing is left, whoever held it.
    earlier = await LostCalls(base.store).find([app], controller.asterisk_since, controller.held)
    await end_failed(base, earlier)
    await _call_back_who_was_shut_out(base, controller)
    if count := await base.book.end_lost(app, controller.held, GRACE):
        log.warning("%d calls ended while no controller held them", count)


async def _call_back_who_was_shut_out(base: Base, controller: Controller) -> None:
    """An Asterisk that is told to end hangs everybody up: in the book they are callers who hung up just before."""
    since = controller.asterisk_since
    last = min(controller.ari.lost_at or since, since)
    lost, waiting = LostCalls(base.store), HUNG_UP.format(stage="waiting")
    call_ids = await lost.hung_up([controller.ari.app], last - SHUTS_DOWN, since, waiting)
    if not call_ids:
        return
    kept = await base.call_backs.keep_for(call_ids, NODE_LOST)
    amended, withheld = await lost.amend(call_ids, waiting, FAILED)
    if amended:
        base.lost_callers.told(kept, withheld)
        log.warning("%d callers in line were hung up by Asterisk's end: %d are called back", amended, kept)


async def end_failed(base: Base, call_ids: Collection[str]) -> None:
    """Ends calls whose Asterisk failed, call-backs first: killed in between, the next look does the same again. Raises
    what the database raises."""
    if not call_ids:
        return
    kept = await base.call_backs.keep_for(call_ids, NODE_LOST)
    ended, withheld = await LostCalls(base.store).end(call_ids, FAILED)
    if not ended:
        return  # another did it in the same moment
    base.lost_callers.told(kept, withheld)
    log.warning(
        "%d calls ended because their Asterisk failed: %d who waited are called back, %d gave no number",
        ended,
        kept,
        withheld,
    )
