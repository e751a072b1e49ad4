"""Controllers that share the waiting lines in a real Redis, and what their callers do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from redis.asyncio import Redis

from telephony.place import Place, Post, Roll
from telephony.waiting_line import WaitingLine
from tests.conversations.exchange import until

T = TypeVar("T")
Duty = dict[str, Post]

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
ROOM = "rotterdam"
HERE = Post(ROOM)


def truth(duty: Mapping[str, Post]) -> Callable[[], Awaitable[Roll]]:
    """The books, in which these are on duty."""

    async def on_duty() -> Roll:
        return Roll(dict(duty))

    return on_duty


class Controller:
    """A controller's sight of the lines, and what its callers do."""

    def __init__(self, redis: Redis, app: str, duty: Mapping[str, Post]) -> None:
        self.line = WaitingLine(redis, app, truth(duty))
        self._calls = AsyncExitStack()

    async def joins(self, call: str, *, priority: int = 20, minute: int = 0, room: str = ROOM, **wish: Any) -> Place:
        """A caller who stays in line until the controller is gone."""
        return await self._calls.enter_async_context(
            self.line.waiting_for(room, call, priority, NOON + timedelta(minutes=minute), **wish)
        )

    async def talks(self, call: str, operator: str) -> None:
        """A caller who was paired with this operator and left the line for the talk."""
        async with self.line.waiting_for(ROOM, call, 20, NOON, preferred=operator) as place:
            assert await gets(place) == operator

    async def gone(self) -> None:
        await self._calls.aclose()


@asynccontextmanager
async def controllers(redis: Redis, duty: Mapping[str, Post], *apps: str) -> AsyncIterator[list[Controller]]:
    """Controllers that listen for wake-ups. `duty`: the truth in the database."""
    await redis.flushall()
    team = [Controller(redis, app, duty) for app in apps]
    listening = [asyncio.create_task(each.line.run()) for each in team]
    try:
        for each in team:
            await each.line.connected.wait()
        yield team
    finally:
        for each in team:
            await each.gone()
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)


async def in_time(wanted: Awaitable[T], bound_s: float = 5) -> T:
    async with asyncio.timeout(bound_s):
        return await wanted


async def gets(place: Place, bound_s: float = 5) -> str:
    """The operator this caller is given, soon."""
    return (await in_time(place.operator(), bound_s)).operator


async def given(redis: Redis) -> dict[str, str]:
    """Call -> operator, of all calls that were given one and not yet answered."""
    return {str(call): str(operator) for call, operator in (await redis.hgetall("burgernet:paired")).items()}


async def free(redis: Redis, room: str = ROOM) -> set[str]:
    return {str(name) for name in await redis.zrange(f"burgernet:free:{room}", 0, -1)}


async def order_of_service(redis: Redis, room: str = ROOM) -> list[str]:
    return [str(call) for call in await redis.zrange(f"burgernet:line:{room}", 0, -1)]


async def state(redis: Redis, operator: str) -> str:
    """What the operator does now; "away" for who is not on duty."""
    return str(await redis.hget("burgernet:state", operator) or "away").split(" ")[0]


async def is_free(redis: Redis, operator: str, room: str = ROOM) -> None:
    async def so() -> bool:
        return operator in await free(redis, room)

    await until(so, f"{operator} free")


async def waits(redis: Redis, call: str, bound_s: float = 5) -> None:
    async def so() -> bool:
        return bool(await redis.hexists("burgernet:waiting", call))

    await until(so, f"{call} in line", bound_s)
