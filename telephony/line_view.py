"""The waiting lines as somebody sees them who only looks: who is on duty, who is free, how many wait."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.exceptions import RedisError

from telephony.line_redis import ANSWER_S, LineAway


@dataclass(frozen=True)
class RoomLine:
    """One room. `busy`: operators on duty who are rung or talk."""

    on_duty: tuple[str, ...] = ()
    busy: tuple[str, ...] = ()
    waiting: int = 0


async def lines_now(redis: Redis) -> Mapping[str, RoomLine]:
    """By room, those where anybody is on duty or waits. Raises LineAway."""
    try:
        async with asyncio.timeout(ANSWER_S), redis.pipeline(transaction=False) as asked:
            asked.hgetall("burgernet:duty")
            asked.hgetall("burgernet:claim")
            asked.hvals("burgernet:waiting")
            duty, claims, waiting = await asked.execute()
    except (RedisError, OSError, TimeoutError) as fault:
        raise LineAway(f"Redis does not answer: {fault}") from fault
    rooms = [json.loads(waiter)["rooms"][0] for waiter in waiting]
    return {
        room: RoomLine(
            on_duty=tuple(sorted(operator for operator, home in duty.items() if home == room)),
            busy=tuple(sorted(operator for operator, home in duty.items() if home == room and operator in claims)),
            waiting=rooms.count(room),
        )
        for room in {*duty.values(), *rooms}
    }
