"""The other controllers of the same Asterisk node: which of them is dead, for sure."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from telephony.lease import ANSWER_S, INSTEAD, LEASE_MS, Lease, lease_key

log = logging.getLogger(__name__)

LOOK_S = 0.5
# A living controller renews within this time, also after Redis or the whole machine stood still.
LEASE_S = LEASE_MS / 1000


class Siblings:
    """Judged by their leases, and only while our own says that Redis and this process ran all the time: a Redis that
    was away or emptied, or a machine that stood still, makes everybody look dead."""

    def __init__(self, redis: Redis, own: Lease, apps: Collection[str]) -> None:
        self._redis, self._own, self._apps = redis, own, [app for app in apps if app != own.app]
        self._sure_from = self._looked_at = _moment()
        self._doubt()
        self.alive: frozenset[str] = frozenset()

    def _doubt(self) -> None:
        """For the time of a lease from now on nobody counts as dead."""
        self._sure_from = _moment() + LEASE_S

    async def dead(self) -> list[str]:
        """Looks once: those who have no lease, [] in doubt. `alive` are those who hold their own."""
        if _moment() - self._looked_at > 2 * LOOK_S:
            self._doubt()  # we did not run either
        try:
            async with asyncio.timeout(ANSWER_S):
                ours, *theirs = await self._leases()
        except (RedisError, OSError, TimeoutError) as fault:
            log.info("the other controllers cannot be seen: %s", type(fault).__name__)
            self._doubt()
            ours, theirs = None, []
        self._looked_at = _moment()
        if ours is None:
            self._doubt()
        leases = dict(zip(self._apps, theirs, strict=False))
        self.alive = frozenset(app for app, lease in leases.items() if lease and not lease.startswith(INSTEAD))
        if self._looked_at < max(self._sure_from, self._own.taken_at + LEASE_S):
            return []
        return [app for app, lease in leases.items() if not lease]

    async def _leases(self) -> list[Any]:
        return await self._redis.mget([lease_key(app) for app in (self._own.app, *self._apps)])


def _moment() -> float:
    return asyncio.get_running_loop().time()
