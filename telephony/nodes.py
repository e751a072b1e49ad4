"""The Asterisk nodes that share one Redis: which of them live, and which controllers belong to each.

Keys, all under `burgernet:`
    node:NODE       ends by itself when no controller of that node has reached its Asterisk for a while
    apps            hash   controller's name -> its node
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable

from redis.asyncio import Redis

from telephony.line_redis import LineAway, asked

log = logging.getLogger(__name__)

APPS = "burgernet:apps"
RENEW_S = 2.0
# So long phones count as there after the last word of their node.
PRESENT_S = 10


class Nodes:
    """`own`: the name of our node; `apps`: of its controllers; `others`: the names of the other nodes."""

    def __init__(self, redis: Redis, own: str, apps: Collection[str], others: Collection[str]) -> None:
        self._redis, self.own, self._apps, self.others = redis, own, apps, frozenset(others)
        self._asterisk = asyncio.Event()
        self._node_of: dict[str, str] = {}

    def watch(self, asterisk: asyncio.Event) -> None:
        """`asterisk` is set while our Asterisk answers."""
        self._asterisk = asterisk

    @property
    def answers(self) -> bool:
        """Whether our own Asterisk answers now."""
        return self._asterisk.is_set()

    async def run(self) -> None:
        """Says every 2 s that our node lives, as long as its Asterisk answers, until cancelled."""
        while True:
            await self._asterisk.wait()
            try:
                await self.renew()
            except LineAway as fault:
                log.info("node %s cannot say that it lives: %s", self.own, fault)
            await asyncio.sleep(RENEW_S)

    async def renew(self) -> None:
        """Raises LineAway."""
        await asked(self._redis.set(presence(self.own), "", ex=PRESENT_S))
        await asked(self._redis.hset(APPS, mapping=dict.fromkeys(self._apps, self.own)))

    async def says_so(self) -> bool:
        """Whether Redis knows that our own node lives: not after it was emptied or all stood still. Raises LineAway."""
        return bool(await asked(self._redis.exists(presence(self.own))))

    async def remember(self) -> None:
        """Takes in which controllers each node has: a Redis emptied after a node died does not know. Raises
        LineAway."""
        self._node_of |= await asked(self._redis.hgetall(APPS))

    def apps_of(self, node: str) -> list[str]:
        """The names of a node's controllers."""
        return [app for app, name in self._node_of.items() if name == node]

    async def living(self, names: Iterable[str]) -> frozenset[str]:
        """Which of these other nodes live. Raises LineAway."""
        others = sorted(set(names) - {self.own})
        lives = await asked(self._redis.mget(map(presence, others))) if others else []
        return frozenset(name for name, word in zip(others, lives, strict=True) if word is not None)


def presence(node: str) -> str:
    """Where Redis holds it."""
    return f"burgernet:node:{node}"
