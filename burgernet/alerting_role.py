"""The alerting role: writes audiences and sends on every channel but the telephone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from actions.endings import Endings
from actions.journal import Journal
from actions.tallies import settle
from alerting.audience import Audiences
from alerting.bell import DELIVERIES, every, work
from alerting.endings import end_overdue, remind
from alerting.fallback import write_fallbacks
from alerting.widening import widen
from burgernet.base import Base, Say
from burgernet.mail_way import mails
from burgernet.push_way import notifications
from burgernet.seen import by_alerting, by_spending
from burgernet.text_ways import text_providers, texts

log = logging.getLogger(__name__)

# How often what each action came to is counted, and old events are removed.
SETTLE_S, PRUNE_S = 300.0, 600.0


async def alerting_role(base: Base, say: Say, ready: asyncio.Event) -> None:
    """Works until cancelled; sets `ready` at once: what is due waits in the database."""
    steps: dict[str, Callable[[], Awaitable[bool]]] = {
        "audiences": Audiences(base.store, base.redis).step,
        "texts after calls": partial(write_fallbacks, base.store, base.redis),
        "areas of searches": partial(widen, base.store, base.redis),
        **_by_the_clock(base),
    }
    async with (
        base.looking(by_spending(base)),
        base.looking(by_alerting(base)),
        asyncio.TaskGroup() as group,
    ):
        for what, step in steps.items():
            group.create_task(work(base.redis, DELIVERIES, what, step))
        if text_providers(base.settings):
            group.create_task(texts(base))
        else:
            say("No texts are sent: neither BURGERNET_TWILIO_ACCOUNT_SID nor BURGERNET_SPRYNG_API_KEY is set")
        if base.settings.smtp_host:
            group.create_task(mails(base))
        if base.settings.vapid_key.get_secret_value():
            group.create_task(notifications(base))
        ready.set()


def _by_the_clock(base: Base) -> Mapping[str, Callable[[], Awaitable[bool]]]:
    endings = Endings(base.store)
    return {
        "no ends": every(SETTLE_S, partial(endings.give_ends, base.settings.open_for)),
        "ends by themselves": partial(end_overdue, endings, base.redis),
        "reminders": partial(remind, endings, base.settings.reminders),
        "tallies": every(SETTLE_S, partial(settle, base.store)),
        "old events": every(PRUNE_S, partial(Journal(base.store).prune, base.settings.events_kept)),
    }
