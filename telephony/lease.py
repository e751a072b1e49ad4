"""A controller's lease on its name: two controllers under one name would make one of them deaf without an error."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable

from redis.asyncio import Redis
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

LEASE_MS = 3000
RENEW_S = 1.0

_RENEW = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""

_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"


class LeaseLost(Exception):
    """Another controller runs under this name. Give each controller a BURGERNET_CONTROLLER of its own."""


class Lease:
    """The right to be the controller called `app`, kept in Redis for 3 seconds at a time."""

    def __init__(self, redis: Redis, app: str) -> None:
        self._redis, self._app = redis, app
        self._key = f"burgernet:lease:{app}"
        self._mine = secrets.token_hex(8)
        self._renew = redis.register_script(_RENEW)
        self._release = redis.register_script(_RELEASE)

    async def take(self, bound_s: float, say: Callable[[str], None]) -> None:
        """Waits until the lease is ours: an earlier life of this controller, killed, holds it for 3 s more.

        Redis away is said with `say` and tried again, with back-off. Raises LeaseLost after `bound_s` seconds of
        somebody else holding it, TimeoutError after `bound_s` without Redis."""
        pause = 0.2
        over = asyncio.get_running_loop().time() + bound_s
        while True:
            try:
                if await self._ask():
                    return
                refused: Exception = LeaseLost(f"another controller called {self._app} is running")
            except (RedisError, OSError, TimeoutError) as fault:
                refused = TimeoutError(f"Redis does not answer ({fault}); start it, or set BURGERNET_REDIS_URL")
            if asyncio.get_running_loop().time() > over:
                raise refused
            say(f"{refused}; trying again in {pause:.1f} s")
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)

    async def keep(self) -> None:
        """Renews until cancelled. With Redis away the calls go on; raises LeaseLost when somebody took the name."""
        while True:
            await asyncio.sleep(RENEW_S)
            try:
                if not await self._ask():
                    raise LeaseLost(f"another controller called {self._app} took over; this one stops")
            except (RedisError, OSError, TimeoutError) as fault:
                log.warning("the lease of %s could not be renewed: %s", self._app, fault)

    async def give_back(self) -> None:
        """Lets a successor start at once. Never fails: the lease ends by itself."""
        try:
            async with asyncio.timeout(2):
                await self._release(keys=[self._key], args=[self._mine])
        except (RedisError, OSError, TimeoutError) as fault:
            log.warning("the lease of %s could not be given back: %s", self._app, fault)

    async def _ask(self) -> bool:
        async with asyncio.timeout(2):
            return bool(await self._renew(keys=[self._key], args=[self._mine, LEASE_MS]))
