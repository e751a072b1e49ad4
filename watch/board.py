"""The alarms of all processes, in Redis: each writes what it sees, anybody may read. What nobody renews expires."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar

from redis.asyncio import Redis
from redis.exceptions import RedisError

from watch.rules import GONE, Alarm, Severity, alarm_of, worst_first

T = TypeVar("T")

PROCESSES = "burgernet:watching"  # process -> when it last wrote, by its own clock
EXPIRY_S = 20
ANSWER_S = 2.0
# A process that ended without a word, and that nobody started again, is told of for so long.
REMEMBERED_S = 86_400


class BoardAway(Exception):
    """Redis does not answer."""


class Board:
    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def put(self, process: str, found: Iterable[Alarm]) -> None:
        """What this process sees; holds for 20 s. Raises BoardAway."""
        now = datetime.now(UTC).timestamp()
        written = json.dumps([_written(alarm) for alarm in found])
        async with self._redis.pipeline(transaction=True) as asked:
            asked.set(_key(process), written, ex=EXPIRY_S)
            asked.zadd(PROCESSES, {process: now})
            asked.zremrangebyscore(PROCESSES, 0, now - REMEMBERED_S)
            await _answered(asked.execute())

    async def leave(self, process: str) -> None:
        """This process ends as it should. Raises BoardAway."""
        async with self._redis.pipeline(transaction=True) as asked:
            asked.delete(_key(process))
            asked.zrem(PROCESSES, process)
            await _answered(asked.execute())

    async def processes(self) -> list[str]:
        """Those that write, or ended without a word. Raises BoardAway."""
        return [process for process, _ in await self._seen()]

    async def alarms(self) -> list[Alarm]:
        """Of all processes, the worst first. Raises BoardAway."""
        seen = await self._seen()
        if not seen:
            return []
        found: list[Alarm] = []
        written = await _answered(self._redis.mget([_key(process) for process, _ in seen]))
        for (process, last), text in zip(seen, written, strict=True):
            if text is None:
                found.append(alarm_of(GONE, process, datetime.fromtimestamp(last, UTC)))
            else:
                found += [_read(row) for row in json.loads(text)]
        return worst_first(_each_once(found))

    async def _seen(self) -> list[tuple[str, float]]:
        asked: Awaitable[Any] = self._redis.zrange(PROCESSES, 0, -1, withscores=True)
        seen: list[tuple[str, float]] = await _answered(asked)
        return seen


async def _answered(asked: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(ANSWER_S):
            return await asked
    except (RedisError, OSError, TimeoutError) as fault:
        raise BoardAway("Redis does not answer: the alarms of other processes are not known") from fault


def _each_once(found: list[Alarm]) -> list[Alarm]:
    """Several processes may see the same: the one that saw it first tells."""
    first: dict[tuple[str, str], Alarm] = {}
    for alarm in sorted(found, key=lambda alarm: alarm.since):
        first.setdefault((alarm.name, alarm.subject), alarm)
    return list(first.values())


def _key(process: str) -> str:
    return f"burgernet:alarms:{process}"


def _written(alarm: Alarm) -> list[str]:
    return [alarm.name, alarm.subject, alarm.severity, alarm.since.isoformat(), alarm.words]


def _read(row: list[str]) -> Alarm:
    name, subject, severity, since, words = row
    return Alarm(name, subject, Severity(severity), datetime.fromisoformat(since), words)
