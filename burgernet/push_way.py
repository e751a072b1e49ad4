"""Notifications: what the alerting role needs of them."""

from __future__ import annotations

from alerting.bounds import carried_by
from alerting.channels.push import Places, Push
from alerting.channels.vapid import Vapid
from alerting.dispatcher import Dispatcher
from alerting.passes import Passes
from alerting.purse import Purse
from alerting.queue import Queue
from alerting.rate import AtRate, rate_for
from burgernet.base import Base
from burgernet.settings import Settings

# How long a notification may be on its way to the push service; half of it for handing it over.
ATTEMPT_S = 60.0


async def notifications(base: Base) -> None:
    """Sends notifications until cancelled. Raises BadVapidKey."""
    settings = base.settings
    places = Places(settings.public_url.rstrip("/"), settings.site_url, settings.free_number_read)
    channel = Push(vapid_of(settings), Passes(base.vaults.register), places, frozenset(settings.push_hosts))
    purse = Purse(base.store, "push", carried_by(settings.tariffs, "push", [channel.provider]))
    queue = Queue(base.store, "push", channel.provider, ATTEMPT_S, purse=purse)
    at_rate = AtRate(channel, rate_for(base.redis, "push:web-push", settings.push_a_second))
    dispatcher = Dispatcher(
        base.store, base.redis, base.register, queue, at_rate, is_browser, settings.push_at_once, base.strays.told
    )
    try:
        await dispatcher.run()
    finally:
        await channel.close()


def vapid_of(settings: Settings) -> Vapid:
    """Raises BadVapidKey."""
    return Vapid(settings.vapid_key.get_secret_value(), settings.vapid_contact)


def is_browser(to: str) -> bool:
    """Where it leads is judged by the channel, which alone opens it."""
    return to.startswith("{")
