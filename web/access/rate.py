"""How often somebody may ask the API: so many requests a minute."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from redis.asyncio import Redis

from watch import rate


@dataclass(frozen=True)
class Limits:
    """Requests a minute, of one token and from one address."""

    token: int = 600
    address: int = 1200


class Rate(rate.Rate):
    """Counts requests."""

    def __init__(self, redis: Redis, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(redis, clock)
        self._limits = limits

    async def of_address(self, address: str) -> int:
        """Counts a request from `address`; seconds to wait before the next one is answered, 0 when this one is."""
        return await self.asked(f"address:{address}", self._limits.address)

    async def of_token(self, token_id: str) -> int:
        """Counts a request with this token; seconds to wait, 0 when it is answered."""
        return await self.asked(f"token:{token_id}", self._limits.token)
