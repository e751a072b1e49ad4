"""Calls that ended while no controller held them: their rows get an end too."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from actions.store import Away
from burgernet.base import Base
from telephony.controller import Controller

log = logging.getLogger(__name__)

LOOK_AGAIN_S = 30.0
# So long after a call came, whoever leads it holds it.
GRACE = timedelta(minutes=1)


async def end_lost_calls(base: Base, controller: Controller) -> None:
    """Looks again and again, until cancelled."""
    while True:
        if controller.ari.connected.is_set():
            try:
                if count := await base.book.end_lost(controller.ari.app, controller.held, GRACE):
                    log.warning("%d calls ended while no controller held them", count)
            except Away as fault:
                log.info("lost calls are looked for later: %s", type(fault).__name__)
        await asyncio.sleep(LOOK_AGAIN_S)
