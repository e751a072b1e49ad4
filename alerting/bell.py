"""Working on a queue: at once when Redis says there is something new, every second when it does not."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from redis.asyncio import Redis
from redis.exceptions import RedisError

from actions.live import CHANNEL, wake
from actions.store import Away

log = logging.getLogger(__name__)

DELIVERIES = "burgernet:deliveries"
Step = Callable[[], Awaitable[bool]]
POLL_S = 1.0
REDIS_BOUND_S = 5.0
LONGEST_PAUSE_S = 5.0


async def action_changed(redis: Redis) -> None:
    """Tells conversations and dispatchers at once that an action started, changed or ended."""
    await wake(redis, CHANNEL)
    await wake(redis, DELIVERIES)


def every(seconds: float, step: Step, clock: Callable[[], float] = time.monotonic) -> Step:
    """A step that is taken so often at most, however often the bell rings; but at once again while there is more."""
    next_at = clock()

    async def seldom() -> bool:
        nonlocal next_at
        if clock() < next_at:
            return False
        if await step():
            return True
        next_at = clock() + seconds
        return False

    return seldom


async def work(redis: Redis, channel: str, what: str, step: Step) -> None:
    """Takes steps until cancelled. A step tells whether there may be more to do at once; else the next one waits for
    the bell or the poll. With the database away it says so and goes on later. `what` names the work in the log."""
    rung = asyncio.Event()
    pause = 0.0
    async with asyncio.TaskGroup() as group:
        group.create_task(_listen(redis, channel, rung))
        while True:
            rung.clear()
            try:
                more = await step()
                if pause:
                    log.warning("%s: the database is back", what)
                pause = 0.0
            except Away as fault:
                pause = min(pause * 2 or 0.5, LONGEST_PAUSE_S)
                log.warning("%s: no database (%s); trying again in %.1f s", what, type(fault).__name__, pause)
                await asyncio.sleep(pause)
                more = True
            if not more:
                await _wait(rung)


async def _wait(rung: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(POLL_S):
            await rung.wait()
    except TimeoutError:
        pass  # the poll


async def _listen(redis: Redis, channel: str, rung: asyncio.Event) -> None:
    while True:
        try:
            async with redis.pubsub(ignore_subscribe_messages=True) as news:
                async with asyncio.timeout(REDIS_BOUND_S):
                    await news.subscribe(channel)
                while True:
                    if await news.get_message(timeout=LONGEST_PAUSE_S):
                        rung.set()
        except (RedisError, OSError, TimeoutError) as fault:
            log.info("no bell from Redis (%s): looking every %.0f s", type(fault).__name__, POLL_S)
            await asyncio.sleep(LONGEST_PAUSE_S)
