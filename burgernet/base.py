"""What every role and command stands on: settings, the database, Redis, the keys."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError

from actions.call_backs import CallBacks
from actions.call_book import CallBook
from actions.desk import Desk
from actions.numbers import allowed
from actions.register import Register
from actions.store import Store
from actions.vault import Vault, Vaults, read_keys
from alerting.inbound.link_texts import LinkTexts
from burgernet.settings import Settings
from ivr_flows.often import Limits, Often
from telephony.quality import Quality
from telephony.refusals import Refusals
from watch.lost_callers import LostCallers
from watch.rate import Rate
from watch.strays import Strays
from watch.watchman import Look
from web.metrics import Metrics

START_BOUND_S = 60.0
REDIS_ANSWER_S = 5.0

Say = Callable[[str], None]


class NoRedis(Exception):
    """Redis did not answer within the bound, or refused the password; the message says what to do."""


@dataclass(frozen=True)
class Base:
    """`stopping`: set when this process shall end, `drained`: when it may."""

    settings: Settings
    store: Store
    redis: Redis
    vaults: Vaults
    desk: Desk
    register: Register
    book: CallBook
    call_backs: CallBacks
    metrics: Metrics
    quality: Quality
    refusals: Refusals
    often: Often
    lost_callers: LostCallers
    strays: Strays
    link_texts: LinkTexts
    looks: list[Look]
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    drained: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def looking(self, look: Look) -> AsyncIterator[None]:
        """While the block lasts, the alarms know what this look tells."""
        self.looks.append(look)
        try:
            yield
        finally:
            self.looks.remove(look)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Base]:
    """Everything ready for its first use; nothing is connected yet. Raises BadKeys."""
    vaults = Vaults(
        Vault(read_keys(settings.register_keys.get_secret_value())),
        Vault(read_keys(settings.police_keys.get_secret_value())),
    )
    store = Store.open(settings.database_url)
    # Retries are ours, with their own bounds: a caller is not kept waiting by a hidden one. Only a connection that
    # Redis closed meanwhile is made anew, at once. The library's own time-out is a wait_for, which on Python 3.11 can
    # lose a cancellation: a role would not end.
    redis = Redis.from_url(
        settings.redis_url,
        decode_responses=True,
        retry=Retry(NoBackoff(), 1),
        socket_timeout=None,
        socket_connect_timeout=REDIS_ANSWER_S,
        max_connections=1000,
    )
    metrics = Metrics(store, redis)
    book = CallBook(store, vaults, settings.spool_file)
    limits = Limits(
        settings.calls_a_minute_per_caller, settings.calls_a_minute_per_source, settings.calls_at_once_per_caller
    )
    try:
        yield Base(
            settings,
            store,
            redis,
            vaults,
            Desk(store, settings.open_for),
            Register(store, vaults.register),
            book,
            CallBacks(store, vaults.police),
            metrics,
            Quality(metrics.registry),
            Refusals(metrics.registry),
            Often(Rate(redis), limits, book.hash_of, metrics.registry),
            LostCallers(metrics.registry),
            Strays(metrics.registry),
            _link_texts(settings, store, redis, vaults),
            [],
        )
    finally:
        await book.written()
        await redis.aclose()
        await store.close()


def _link_texts(settings: Settings, store: Store, redis: Redis, vaults: Vaults) -> LinkTexts:
    may_reach = partial(allowed, prefixes=settings.allowed_prefixes, refused=settings.refused_prefixes)
    return LinkTexts(store, redis, vaults.police, may_reach, able=bool(settings.twilio_account_sid))


async def wait_for_redis(redis: Redis, bound_s: float, say: Say) -> None:
    """Returns when Redis answers. Tells `say` why not and tries again, 0.2-5 s apart. Raises NoRedis."""
    pause, over = 0.2, asyncio.get_running_loop().time() + bound_s
    while True:
        try:
            async with asyncio.timeout(REDIS_ANSWER_S):
                await redis.ping()
            return
        except AuthenticationError:
            raise NoRedis("Redis refuses the password in BURGERNET_REDIS_URL") from None
        except (RedisError, OSError, TimeoutError) as fault:
            refused = f"Redis does not answer ({type(fault).__name__})"
        if asyncio.get_running_loop().time() > over:
            raise NoRedis(f"{refused}; start it, or set BURGERNET_REDIS_URL")
        say(f"{refused}; trying again in {pause:.1f} s")
        await asyncio.sleep(pause)
        pause = min(pause * 2, 5.0)
