"""The alerting role: writes audiences and sends on every channel but the telephone."""

from __future__ import annotations

import asyncio
import logging
from functools import partial

from alerting.audience import write_next
from alerting.bell import DELIVERIES, work
from alerting.fallback import write_fallbacks
from burgernet.base import Base, Say
from burgernet.mail_way import mails
from burgernet.seen import by_spending
from burgernet.text_ways import text_providers, texts

log = logging.getLogger(__name__)


async def alerting_role(base: Base, say: Say, ready: asyncio.Event) -> None:
    """Works until cancelled; sets `ready` at once: what is due waits in the database."""
    async with base.looking(by_spending(base)), asyncio.TaskGroup() as group:
        for what, step in (("audiences", write_next), ("texts after calls", write_fallbacks)):
            group.create_task(work(base.redis, DELIVERIES, what, partial(step, base.store, base.redis)))
        if text_providers(base.settings):
            group.create_task(texts(base))
        else:
            say("No texts are sent: neither BURGERNET_TWILIO_ACCOUNT_SID nor BURGERNET_SPRYNG_API_KEY is set")
        if base.settings.smtp_host:
            group.create_task(mails(base))
        ready.set()
