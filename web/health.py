"""Whether this process lives, and whether it can work: for whoever starts, restarts and sends traffic to it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from aiohttp import web
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import text

from actions.store import Away, Store

ANSWER_S = 2.0
# Anybody may ask: the database is not asked more often than this.
FRESH_S = 1.0


class Health:
    def __init__(self, store: Store, redis: Redis) -> None:
        self._store, self._redis = store, redis
        self._away: list[str] = []
        self._looked_at = float("-inf")
        self._one_at_a_time = asyncio.Lock()

    async def away(self) -> list[str]:
        """What does not answer, by name; empty when all is well."""
        async with self._one_at_a_time:
            if time.monotonic() - self._looked_at > FRESH_S:
                asked = (("database", self._ask_database), ("redis", self._ask_redis))
                answers = await asyncio.gather(*(_answers(ask) for _, ask in asked))
                self._away = [name for (name, _), answered in zip(asked, answers, strict=True) if not answered]
                self._looked_at = time.monotonic()
            return self._away

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/health/live", self._live), web.get("/health/ready", self._ready)]

    async def _live(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "live"})

    async def _ready(self, _: web.Request) -> web.Response:
        away = await self.away()
        return web.json_response(
            {"status": "not ready" if away else "ready", "away": away}, status=503 if away else 200
        )

    async def _ask_database(self) -> None:
        async with self._store.reading() as session:
            await session.exec(text("SELECT 1"))  # type: ignore[call-overload]

    async def _ask_redis(self) -> None:
        await self._redis.ping()


async def _answers(ask: Callable[[], Awaitable[None]]) -> bool:
    try:
        async with asyncio.timeout(ANSWER_S):
            await ask()
    except (RedisError, *Away):
        return False
    return True
