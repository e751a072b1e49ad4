"""Key *7 in a talk: the caller's own mobile gets a one-time link by text, for a photo or a place."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from actions.books import Actor
from actions.desk import Refused
from actions.links import About, Purpose
from actions.store import Away
from alerting.inbound.link_texts import REACHABLE
from ivr_flows.anonymous import number_of

if TYPE_CHECKING:
    from ivr_flows.operator_keys import Led

log = logging.getLogger(__name__)

WRITTEN_BOUND_S = 2.0
PURPOSES = {"1": Purpose.PHOTO, "2": Purpose.PLACE}


async def link(led: Led) -> None:
    """Asks what for, writes the text, and tells the operator whether it leaves: not to a number that is withheld,
    anonymous or no mobile."""
    number, texts = number_of(led.call), led.board.link_texts
    if texts is None or number.e164 is None or number.kind not in REACHABLE:
        return await tell(led, "link-no-mobile")
    purpose = PURPOSES.get(await led.talk.ask("which-link", 1, led.board.patience.key, led.language))
    if purpose is None:
        return await tell(led, "wrong-key")
    about = About(led.match.action.id if led.match else None, led.call.id, led.call.facts["room"])
    by = Actor(led.operator, "phone", "key in a talk")
    try:
        async with asyncio.timeout(WRITTEN_BOUND_S):
            await texts.in_talk(number.e164, purpose, about, led.call.language, by)
    except Refused as refused:
        log.info("call %s: no link sent: %s", led.call.id, refused)
        return await tell(led, "link-refused")
    except Away as fault:
        log.warning("call %s: no link could be written: %s", led.call.id, type(fault).__name__)
        return await tell(led, "not-now")
    return await tell(led, "link-sent")


async def tell(led: Led, prompt: str) -> None:
    await led.talk.tell(prompt, language=led.language)
