"""How often somebody may ask: so many requests a minute, counted in Redis for all processes together."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

WINDOW_S = 60
ANSWER_S = 0.5
# A Redis that hangs must not cost every request half a second.
LEAVE_ALONE_S = 5.0

_COUNT = """
local asked = redis.call('INCR', KEYS[1])
if asked == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return {asked, redis.call('TTL', KEYS[1])}
"""


@dataclass(frozen=True)
class Limits:
    """Requests a minute, of one token and from one address."""

    token: int = 600
    address: int = 1200


class Rate:
    """Counts requests. Without Redis nobody is refused: a look-out must go on."""

    def __init__(self, redis: Redis, limits: Limits) -> None:
        self._count = redis.register_script(_COUNT)
        self._limits = limits
        self._away_until = 0.0

    async def of_address(self, address: str) -> int:
        """Counts a request from `address`; seconds to wait before the next one is answered, 0 when this one is."""
        return await self._asked(f"address:{address}", self._limits.address)

    async def of_token(self, token_id: str) -> int:
        """Counts a request with this token; seconds to wait, 0 when it is answered."""
        return await self._asked(f"token:{token_id}", self._limits.token)

    async def _asked(self, who: str, most: int) -> int:
        if time.monotonic() < self._away_until:
            return 0
        try:
            async with asyncio.timeout(ANSWER_S):
                count, left = await self._count(keys=[f"burgernet:rate:{who}"], args=[WINDOW_S])
        except (RedisError, OSError, TimeoutError) as fault:
            self._away_until = time.monotonic() + LEAVE_ALONE_S
            log.warning("requests are not counted: Redis does not answer (%s)", type(fault).__name__)
            return 0
        return max(int(left), 1) if int(count) > most else 0
