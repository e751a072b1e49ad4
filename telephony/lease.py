"""A controller's lease on its name: two controllers under one name would make one of them deaf without an error."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from enum import StrEnum

from redis.asyncio import Redis
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

LEASE_MS = 3000
RENEW_S = 0.5
ANSWER_S = 1.0
LONGEST_PAUSE_S = 1.0
# What the lease of a name begins with while another controller serves it.
INSTEAD = "instead-"

# Who comes for a name that somebody else serves in its place says so: the other gives it back.
_RENEW = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  if ARGV[3] == 'ours' then redis.call('SET', KEYS[2], '1', 'PX', ARGV[2]) end
  return 'held'
end
local wanted = redis.call('EXISTS', KEYS[2]) == 1
if wanted and not holder and ARGV[3] ~= 'ours' then return 'held' end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if not holder then return 'taken' end
return wanted and 'wanted' or 'kept'
"""

_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"


class LeaseLost(Exception):
    """Another controller runs under this name. Give each controller a BURGERNET_CONTROLLER of its own."""


class Answer(StrEnum):
    """What Redis says of a lease. TAKEN: nobody had it. WANTED: ours, and the controller of that name is back."""

    HELD, TAKEN, KEPT, WANTED = "held", "taken", "kept", "wanted"


class Lease:
    """The right to be the controller called `app`, kept in Redis for 3 seconds at a time. `ours`: it is this
    process's own name, not that of another controller that is served in its place."""

    def __init__(self, redis: Redis, app: str, *, ours: bool = True) -> None:
        self.app, self._redis, self._ours = app, redis, ours
        self._keys = [lease_key(app), f"{lease_key(app)}:wanted"]
        self._mine = ("" if ours else INSTEAD) + secrets.token_hex(8)
        self._renew = redis.register_script(_RENEW)
        self._release = redis.register_script(_RELEASE)
        self.wanted = asyncio.Event()
        # When Redis last knew nothing of it: at the start, after it was emptied, after a pause of this process.
        self.taken_at = 0.0

    async def take(self, bound_s: float, say: Callable[[str], None]) -> None:
        """Waits until the lease is ours: an earlier life of this controller, killed, holds it for 3 s more.

        Redis away is said with `say` and tried again, with back-off. Raises LeaseLost after `bound_s` seconds of
        somebody else holding it, TimeoutError after `bound_s` without Redis."""
        pause = 0.2
        over = asyncio.get_running_loop().time() + bound_s
        while True:
            try:
                if await self.take_now():
                    return
                refused: Exception = LeaseLost(f"another controller called {self.app} is running")
            except (RedisError, OSError, TimeoutError) as fault:
                refused = TimeoutError(f"Redis does not answer ({fault}); start it, or set BURGERNET_REDIS_URL")
            if asyncio.get_running_loop().time() > over:
                raise refused
            say(f"{refused}; trying again in {pause:.1f} s")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)

    async def take_now(self) -> bool:
        """Whether the lease is ours now. Raises what Redis raises."""
        return await self._ask() != Answer.HELD

    async def keep(self) -> None:
        """Renews until cancelled. With Redis away the calls go on; raises LeaseLost when somebody took the name."""
        while True:
            await asyncio.sleep(RENEW_S)
            try:
                answer = await self._ask()
            except (RedisError, OSError, TimeoutError) as fault:
                log.warning("the lease of %s could not be renewed: %s", self.app, fault)
                continue
            if answer == Answer.HELD:
                raise LeaseLost(f"another controller called {self.app} took over; this one stops")
            if answer == Answer.WANTED:
                self.wanted.set()

    async def give_back(self) -> None:
        """Lets a successor start at once. Never fails: the lease ends by itself."""
        try:
            async with asyncio.timeout(2):
                await self._release(keys=self._keys[:1], args=[self._mine])
        except (RedisError, OSError, TimeoutError) as fault:
            log.warning("the lease of %s could not be given back: %s", self.app, fault)

    async def _ask(self) -> Answer:
        args: list[str | int] = [self._mine, LEASE_MS, "ours" if self._ours else "another's"]
        async with asyncio.timeout(ANSWER_S):
            answer = Answer(await self._renew(keys=self._keys, args=args))
        if answer == Answer.TAKEN:
            self.taken_at = asyncio.get_running_loop().time()
        return answer


def lease_key(app: str) -> str:
    """Where Redis holds it."""
    return f"burgernet:lease:{app}"
