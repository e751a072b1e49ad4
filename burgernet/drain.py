"""The end of a telephony role in good order: no new calls, and nobody's call is cut that nobody else can lead."""

from __future__ import annotations

import asyncio
import logging

from burgernet.adoption import Adoption
from burgernet.base import Base
from burgernet.served_name import ServedName

log = logging.getLogger(__name__)

LOOK_S = 0.2


async def drain(base: Base, own: ServedName, adoption: Adoption, alerts: asyncio.Task[None] | None) -> None:
    """Waits until the role shall end. Then takes no new calls and places none, and sets `base.drained` when this
    process may go: at once when another controller of the node can adopt what is left, but for the calls that were
    placed here."""
    await base.stopping.wait()
    log.warning("no new calls are taken; %d go on", own.controller.calls)
    await own.controller.close()
    if alerts:
        alerts.cancel()
    while _left(own, adoption):  # noqa: ASYNC110 - bounded by who waits for `drained`
        await asyncio.sleep(LOOK_S)
    base.drained.set()


def _left(own: ServedName, adoption: Adoption) -> int:
    if adoption.others_live:
        return own.controller.placed_calls
    return own.controller.calls + sum(name.controller.calls for name in adoption.adopted.values())
