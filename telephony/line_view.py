"""The waiting lines as somebody sees them who only looks: who is on duty and does what, how many wait."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from redis.asyncio import Redis
from redis.exceptions import RedisError

from telephony.line_redis import ANSWER_S, LineAway


@dataclass(frozen=True, order=True)
class OperatorNow:
    """`state`: idle, ringing, talking or wrap_up, since then."""

    name: str
    state: str
    since: datetime


@dataclass(frozen=True)
class RoomLine:
    """One room. `busy`: operators on duty who are rung or talk. `waiting`: callers whose own room it is."""

    on_duty: tuple[str, ...] = ()
    busy: tuple[str, ...] = ()
    waiting: int = 0
    operators: tuple[OperatorNow, ...] = ()


async def lines_now(redis: Redis) -> Mapping[str, RoomLine]:
    """By room, those where anybody is on duty or waits. Raises LineAway."""
    try:
        async with asyncio.timeout(ANSWER_S), redis.pipeline(transaction=False) as asked:
            asked.hgetall("burgernet:duty")
            asked.hgetall("burgernet:state")
            asked.hvals("burgernet:waiting")
            duty, states, waiting = await asked.execute()
    except (RedisError, OSError, TimeoutError) as fault:
        raise LineAway(f"Redis does not answer: {fault}") from fault
    own_rooms = Counter(json.loads(waiter)["rooms"][0] for waiter in waiting)
    operators = [(_now(operator, states[operator]), room) for operator, room in duty.items() if operator in states]
    return {
        room: _room(sorted(operator for operator, home in operators if home == room), own_rooms[room])
        for room in {*duty.values(), *own_rooms}
    }


async def operators_now(redis: Redis) -> dict[str, OperatorNow]:
    """What everybody on duty does now; nobody while Redis is away."""
    try:
        return {each.name: each for line in (await lines_now(redis)).values() for each in line.operators}
    except LineAway:
        return {}


def _room(operators: Sequence[OperatorNow], waiting: int) -> RoomLine:
    return RoomLine(
        on_duty=tuple(each.name for each in operators),
        busy=tuple(each.name for each in operators if each.state in ("ringing", "talking")),
        waiting=waiting,
        operators=tuple(operators),
    )


def _now(operator: str, text: str) -> OperatorNow:
    state, since, *_ = text.split(" ")
    return OperatorNow(operator, state, datetime.fromtimestamp(int(since) / 1000, UTC))
