"""Calls that last until the bench ends them, and how many of them talk or wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
from redis import Redis

from bench import sipp
from bench.country import ALERTED, number_of
from bench.ground import Ground
from bench.sipp import Caller

LONGEST_S = 1800.0
RATE = 8.0
COME_BOUND_S, ENOUGH = 40.0, 0.95


@asynccontextmanager
async def lasting(on: Ground, callers: Sequence[Caller], talking: int, waiting: int) -> AsyncIterator[None]:
    """Begins when so many operators talk and so many callers wait. At the end nobody is left."""
    over = asyncio.ensure_future(
        asyncio.to_thread(sipp.calls, on.sip, on.settings.free_number, callers, RATE, LONGEST_S)
    )
    try:
        await _come(on, talking, waiting, over)
        yield
    finally:
        await asyncio.to_thread(on.instance.console, "channel request hangup all")
        with suppress(TimeoutError, RuntimeError):
            await asyncio.wait_for(asyncio.shield(over), 60)


def known_callers(on: Ground, count: int, rooms: Sequence[str] = ()) -> list[Caller]:
    """Callers known by number, as many for each action; only of `rooms`, when given."""
    actions = [place for place, action in enumerate(on.country.actions) if not rooms or action.room_id in rooms]
    places = ((actions[number % len(actions)], number // len(actions)) for number in range(count))
    return [Caller(number_of(action * ALERTED + participant)) for action, participant in places]


@asynccontextmanager
async def connected(on: Ground) -> AsyncIterator[asyncpg.Connection]:
    """A connection with the database."""
    connection = await asyncpg.connect(on.settings.database_url.replace("+asyncpg", ""))
    try:
        yield connection
    finally:
        await connection.close()


async def on_duty(on: Ground, a_room: int) -> None:
    """So many operators in each room are on duty by the books; to be said before a controller runs."""
    others = "UPDATE desk.operator SET signed_on_at = NULL WHERE substring(id FROM '[0-9]+$')::int > $1"
    async with connected(on) as connection:
        await connection.execute(others, a_room)


async def _come(on: Ground, talking: int, waiting: int, load: asyncio.Future[sipp.Load]) -> None:
    """On a busy machine some are not matched in time, are asked for a code, and never come into the line."""
    redis: Any = Redis.from_url(on.settings.redis_url, decode_responses=True)
    begun = time.monotonic()
    try:
        while (found := _now(redis)) != (talking, waiting):
            if load.done():
                raise RuntimeError(f"the callers are gone: {load.result()}")
            waited_s = time.monotonic() - begun
            if (
                waited_s > (talking + waiting) / RATE + COME_BOUND_S
                and found[0] == talking
                and found[1] >= ENOUGH * waiting
            ):
                return
            if waited_s > (talking + waiting) / RATE + 2 * COME_BOUND_S:
                raise RuntimeError(f"{found[0]} talk and {found[1]} wait, not {talking} and {waiting}")
            await asyncio.sleep(0.5)
    finally:
        redis.close()


def _now(redis: Any) -> tuple[int, int]:
    states = redis.hvals("burgernet:state")
    return sum(state.startswith("talking") for state in states), redis.hlen("burgernet:waiting")
