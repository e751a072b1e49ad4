"""How often somebody asked in a minute: counted here, and in Redis for all processes together."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import Counter
from collections.abc import Callable, Mapping

from redis.asyncio import Redis
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

WINDOW_S = 60
MOST_ASKERS = 100_000
ANSWER_S = 0.5
# A flood of requests must not become a flood of connections.
SIDE_BY_SIDE = 16
# A Redis that hangs must not cost everybody who asks half a second.
LEAVE_ALONE_S = 5.0

_COUNT = """
local found = {}
for place, key in ipairs(KEYS) do
  local asked = redis.call('INCR', key)
  if asked == 1 then redis.call('EXPIRE', key, ARGV[1]) end
  found[place] = {asked, redis.call('TTL', key)}
end
return found
"""


class Rate:
    """Counts who asks, by any name. Without Redis only what came to this process counts."""

    def __init__(self, redis: Redis, clock: Callable[[], float] = time.monotonic) -> None:
        self._count = redis.register_script(_COUNT)
        self._clock = clock
        self._here: Counter[str] = Counter()
        self._here_since = clock()
        self._turns = asyncio.Semaphore(SIDE_BY_SIDE)
        self._away_until = 0.0

    async def asked(self, who: str, most: int) -> int:
        """Counts once; 0 when that is no more than `most` in this minute, else the seconds until it is over."""
        return (await self.asked_each({who: most}))[who]

    async def asked_each(self, limits: Mapping[str, int]) -> Mapping[str, int]:
        """The same for several at once: who -> most."""
        waits = {who: self._asked_here(who, most) for who, most in limits.items()}
        if rest := {who: most for who, most in limits.items() if not waits[who]}:
            async with self._turns:
                waits |= await self._asked_everywhere(rest)
        return waits

    def _asked_here(self, who: str, most: int) -> int:
        """Cheap, so that a flood is refused without asking anybody."""
        passed = self._clock() - self._here_since
        if passed >= WINDOW_S or len(self._here) >= MOST_ASKERS:
            self._here.clear()
            self._here_since, passed = self._clock(), 0.0
        self._here[who] += 1
        return math.ceil(WINDOW_S - passed) if self._here[who] > most else 0

    async def _asked_everywhere(self, limits: Mapping[str, int]) -> Mapping[str, int]:
        if self._clock() < self._away_until:
            return {}
        try:
            async with asyncio.timeout(ANSWER_S):
                found = await self._count(keys=[f"burgernet:rate:{who}" for who in limits], args=[WINDOW_S])
        except (RedisError, OSError, TimeoutError) as fault:
            self._away_until = self._clock() + LEAVE_ALONE_S
            log.warning("each process counts alone: Redis does not answer (%s)", type(fault).__name__)
            return {}
        return {
            who: max(int(left), 1) if int(count) > most else 0
            for (who, most), (count, left) in zip(limits.items(), found, strict=True)
        }
