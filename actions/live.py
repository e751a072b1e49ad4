"""The open actions in memory: fresh within two seconds, and still there when the database is not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from redis.asyncio import Redis
from redis.exceptions import RedisError

from actions.desk import Desk
from actions.matching import OpenAction
from actions.store import Away

log = logging.getLogger(__name__)

CHANNEL = "burgernet:actions"
REFRESH_S = 2.0
ANSWER_S = 5.0


class OpenActions:
    """What conversations read while a caller is on the line: never a wait, never a failure."""

    def __init__(self, desk: Desk, redis: Redis) -> None:
        self._desk, self._redis = desk, redis
        self._open: Sequence[OpenAction] = ()

    def now(self) -> Sequence[OpenAction]:
        """The open actions as last read, newest first."""
        return self._open

    async def refresh(self) -> None:
        """Reads the open actions; keeps the last ones when the database does not answer in time."""
        try:
            async with asyncio.timeout(ANSWER_S):
                self._open = await self._desk.open_actions()
        except Away as fault:
            log.warning("open actions not refreshed: %s", type(fault).__name__)

    async def run(self) -> None:
        """Keeps the list fresh until cancelled."""
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as news:
                    await asyncio.wait_for(news.subscribe(CHANNEL), ANSWER_S)
                    while True:
                        await self.refresh()
                        await news.get_message(timeout=REFRESH_S)
            except (RedisError, OSError, TimeoutError):
                await self.refresh()
                await asyncio.sleep(REFRESH_S)


async def wake(redis: Redis, channel: str = CHANNEL) -> None:
    """Tells every process that there is something new. Redis only wakes: without it the next look finds it too."""
    try:
        await asyncio.wait_for(redis.publish(channel, ""), ANSWER_S)
    except (RedisError, OSError, TimeoutError) as fault:
        log.info("no wake-up through Redis: %s", type(fault).__name__)
