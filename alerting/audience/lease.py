"""Which process writes an audience: a short lease in Redis. Without it two would do the same work, to the same end."""

from __future__ import annotations

import asyncio
import logging
import secrets

from redis.asyncio import Redis
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

KEY = "burgernet:audience:{}"
# A process that dies leaves its audience to others so long after its last chunk.
LEASE_MS = 3_000
ANSWER_S = 1.0


class Lease:
    """Held by this process under a name of its own."""

    def __init__(self, redis: Redis) -> None:
        self._redis, self._name = redis, secrets.token_hex(8)

    async def taken(self, message_id: int) -> bool:
        """Whether the message is ours to write, for a while from now on. So it is when Redis does not answer."""
        key = KEY.format(message_id)
        try:
            async with asyncio.timeout(ANSWER_S):
                if await self._redis.set(key, self._name, nx=True, px=LEASE_MS):
                    return True
                ours = await self._redis.get(key) == self._name
                return bool(ours and await self._redis.pexpire(key, LEASE_MS))
        except (RedisError, OSError, TimeoutError) as fault:
            log.info("no lease of an audience from Redis: %s", type(fault).__name__)
            return True

    async def given_back(self, message_id: int) -> None:
        """Others may write it now, if it is still ours."""
        key = KEY.format(message_id)
        try:
            async with asyncio.timeout(ANSWER_S):
                if await self._redis.get(key) == self._name:
                    await self._redis.delete(key)
        except (RedisError, OSError, TimeoutError):
            pass  # it runs out by itself
