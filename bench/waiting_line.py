"""Bench `waiting-line`: 2,000 callers wait in 10 rooms for 200 operators, a tenth of them on the real Asterisk."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from redis.asyncio import Redis

from bench import sipp
from bench.crowd import Crowd, crowd, posts
from bench.ground import Ground, ground, product
from bench.lasting import connected, known_callers, lasting, on_duty
from bench.processor import cpu_s
from bench.results import Figure, Goal, percentile
from bench.rule import Caller, Rule
from telephony.place import Post

NAME = "waiting-line"
ROOMS = 10
REAL_ROOM = "rotterdam"
TALK_S = 1.0
NEAR_ZERO = Goal(at_most=5)
GIVEN_BOUND_S = 10.0
SERVED_BOUND_S = 180.0
MORNING_MS = 1_780_000_000_000
PRIORITIES, LANGUAGES, SKILLS = (0, 11, 20, 21, 22), ("", "nl", "en"), ("", "", "", "water")


@dataclass(frozen=True)
class Size:
    """`real`: callers on the real Asterisk, all in one room; the others are the same in each room. `wait_s`: so long
    everybody waits and processors are watched."""

    real: int = 200
    operators_a_room: int = 20
    wait_s: float = 60

    @property
    def crowd(self) -> int:
        return self.real * (ROOMS - 1)


async def run(size: Size) -> list[Figure]:
    """Everybody waits, then the operators become free one by one."""
    async with ground(room_patience_s=3600) as on:
        await on_duty(on, size.operators_a_room)
        async with _of_different_skill(on), _redis(on) as redis:
            with sipp.phones(TALK_S) as rings, product(on, "one", size.operators_a_room) as process:
                return await _measured(on, redis, process.pid, rings, size)


async def _measured(on: Ground, redis: Redis, controller: int, rings: Path, size: Size) -> list[Figure]:
    duty = await posts(redis)
    callers = _callers(size.crowd, sorted({post.room for post in duty.values()} - {REAL_ROOM}), Random(1))  # noqa: S311 - the same crowd each time
    async with crowd(redis, callers) as many:
        for operator in duty:
            await many.holds(operator)
        async with lasting(on, known_callers(on, size.real, [REAL_ROOM]), len(duty), size.real):
            await many.comes()
            return [
                *await _waiting(on, controller, size),
                *await _crowd_served(many, {name: post for name, post in duty.items() if post.room != REAL_ROOM}),
                *await _real_served(on, many, [name for name in duty if duty[name].room == REAL_ROOM], rings),
            ]


def _callers(count: int, rooms: Sequence[str], chance: Random) -> dict[str, Caller]:
    """As many in each room, of every urgency, in no order of arrival."""
    arrivals = chance.sample(range(count * 100), count)
    callers = {}
    for place in range(count):
        room, pick = rooms[place % len(rooms)], chance.choice
        preferred = pick(("", f"{room}-1"))
        caller = Caller(room, pick(PRIORITIES), MORNING_MS + arrivals[place], pick(LANGUAGES), pick(SKILLS), preferred)
        caller.rooms.append(room)
        callers[f"crowd-{place}"] = caller
    return callers


async def _waiting(on: Ground, controller: int, size: Size) -> list[Figure]:
    """Processors while nothing happens but music."""
    before, ours, began = on.cpu_s() | {"controller": cpu_s(controller)}, time.process_time(), time.monotonic()
    await asyncio.sleep(size.wait_s)
    took, ours = time.monotonic() - began, time.process_time() - ours
    after = on.cpu_s() | {"controller": cpu_s(controller)}
    used = {part: (after[part] - before[part]) / took * 100 for part in after}
    everybody = size.real + size.crowd
    return [
        Figure(NAME, f"processor of controllers, {size.crowd} wait", ours / took * 100, "% of a core", goal=NEAR_ZERO),
        Figure(NAME, f"processor of Redis, {everybody} wait", used["redis"], "% of a core", goal=NEAR_ZERO),
        Figure(NAME, f"of PostgreSQL, {everybody} wait", used["postgresql"], "% of a core"),
        Figure(
            NAME,
            f"of the controller, {size.real} hear music and are told their place",
            used["controller"],
            "% of a core",
        ),
        Figure(NAME, f"of Asterisk, {size.real} hear music and are told their place", used["asterisk"], "% of a core"),
    ]


async def _crowd_served(many: Crowd, duty: Mapping[str, Post]) -> list[Figure]:
    """Operators become free in no order; who is given to whom must be as the rule has it."""
    rule, chance = Rule(), Random(2)  # noqa: S311 - the same story each time
    rule.posts |= duty
    rule.line |= many.callers
    wrong, after_ms = 0, []
    while rule.line:
        operator = chance.choice(sorted(rule.posts.keys() - rule.idle.keys()))
        paired = len(rule.paired)
        rule.free(operator)
        freed_at = time.monotonic()
        many.talks[operator].set()
        if len(rule.paired) == paired:
            continue
        try:
            async with asyncio.timeout(GIVEN_BOUND_S):
                call, given, given_at = await many.served.get()
        except TimeoutError:
            wrong += len(rule.line) + 1
            break
        wrong += (call, given) != next(reversed(rule.paired.items()))
        after_ms.append((given_at - freed_at) * 1000)
    told = f"of {len(many.callers)} callers"
    return [
        Figure(NAME, f"served out of order, {told}", wrong, "callers", goal=Goal(at_most=0)),
        Figure(NAME, f"from operator free to pairing, median {told}", percentile(after_ms, 0.5), "ms"),
        Figure(NAME, f"from operator free to pairing, p99 {told}", percentile(after_ms, 0.99), "ms"),
    ]


async def _real_served(on: Ground, many: Crowd, operators: Sequence[str], rings: Path) -> list[Figure]:
    """The operators of the room on the real Asterisk become free; then each takes one caller after the other."""
    expected, freed_at = await _expected(on, many.redis), {}
    order: dict[str, None] = {}
    async with many.redis.pubsub(ignore_subscribe_messages=True) as news:
        await news.subscribe("burgernet:wake")
        for operator in operators:
            freed_at[operator] = time.time()
            many.talks[operator].set()
            await asyncio.sleep(0.1)
        over = time.monotonic() + SERVED_BOUND_S
        while len(order) < len(expected) and time.monotonic() < over:
            message = await news.get_message(timeout=1)
            if message and message["data"] in expected:
                order.setdefault(message["data"])
    placed = sum(call == other for call, other in zip(order, expected, strict=False))
    return [
        Figure(
            NAME,
            f"served out of order, of {len(expected)} callers on the real Asterisk",
            len(expected) - placed,
            "callers",
            goal=Goal(at_most=0),
        ),
        Figure(
            NAME,
            "from operator free to the ring of the telephone, median",
            percentile(_delays_ms(freed_at, rings), 0.5),
            "ms",
        ),
        Figure(
            NAME,
            "from operator free to the ring of the telephone, longest",
            percentile(_delays_ms(freed_at, rings), 1),
            "ms",
        ),
    ]


def _delays_ms(freed_at: Mapping[str, float], rings: Path) -> list[float]:
    """From each operator's first becoming free to the INVITE at the telephone."""
    delays: dict[str, float] = {}
    for at, account in sipp.read_log(rings):
        if account in freed_at and at >= freed_at[account]:
            delays.setdefault(account, (at - freed_at[account]) * 1000)
    return list(delays.values())


async def _expected(on: Ground, redis: Redis) -> list[str]:
    """The callers who wait on the real Asterisk in the order of the rule, by their arrival in the database."""
    waiting = {call: json.loads(told) for call, told in (await redis.hgetall("burgernet:waiting")).items()}
    async with connected(on) as connection:
        rows = await connection.fetch("SELECT id, arrived_at FROM police.call")
    arrived = {row["id"]: row["arrived_at"] for row in rows if row["id"] in waiting}
    return sorted(arrived, key=lambda call: (waiting[call]["priority"], arrived[call]))


@asynccontextmanager
async def _of_different_skill(on: Ground) -> AsyncIterator[None]:
    """While the block lasts, every other operator speaks no English, and every third knows about water."""
    number = "substring(id FROM '[0-9]+$')::int"
    async with connected(on) as connection:
        await connection.execute(f"""UPDATE desk.operator SET languages = '["nl"]' WHERE {number} % 2 = 0""")
        await connection.execute(f"""UPDATE desk.operator SET skills = '["water"]' WHERE {number} % 3 = 0""")
    try:
        yield
    finally:
        async with connected(on) as connection:
            await connection.execute("""UPDATE desk.operator SET languages = '["nl", "en"]', skills = '[]'""")


@asynccontextmanager
async def _redis(on: Ground) -> AsyncIterator[Redis]:
    redis = Redis.from_url(on.settings.redis_url, decode_responses=True, max_connections=1000)
    try:
        yield redis
    finally:
        await redis.aclose()
