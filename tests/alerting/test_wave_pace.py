"""The pace of voice alerts, with the lines in Redis and the answers in the database."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from actions.models import Call, DeliveryState, now
from alerting import wave_pace
from alerting.attempts import record
from alerting.queue import Claimed, Queue
from alerting.receipts import Receipt
from alerting.throttle import VOICE
from alerting.wave import Holds
from alerting.wave_books import answers_of, waves_now
from alerting.wave_news import told
from alerting.wave_pace import Limits, WavePace, room_now
from burgernet.embedded import free_port
from telephony.line_view import lines_now
from tests.alerting.test_audience import write_all
from tests.alerting.town import Town, somebody

S = DeliveryState
PEOPLE = 60


@dataclass
class Trunk:
    free: int = 1000


@dataclass
class Node:
    """A worker that claims voice deliveries at its pace, and looks anew whenever it is asked."""

    queue: Queue
    pace: WavePace

    async def begins(self, most: int = 100) -> list[Claimed]:
        self.pace._look_at = 0.0
        allowed = await self.pace.allowed(most)
        claimed = await self.queue.claim(allowed.most, allowed.share) if allowed.most else []
        counts: dict[int, int] = {}
        for one in claimed:
            counts[one.message_id] = counts.get(one.message_id, 0) + 1
        self.pace.began(counts)
        return claimed


def node(town: Town, redis: Redis, trunk: Trunk, *, amber_waits: bool = False) -> Node:
    limits = Limits(1000, lambda: trunk.free, amber_waits)
    return Node(Queue(town.store, "voice", "trial", 60, VOICE), WavePace(town.store, redis, limits))


async def on_duty(redis: Redis, *states: str, room: str = "rotterdam") -> None:
    for place, state in enumerate(states):
        await redis.hset("burgernet:duty", f"{room}-{place}", room)
        await redis.hset("burgernet:state", f"{room}-{place}", f"{state} 1700000000000")


@pytest.fixture
async def street(town: Town, redis: Redis) -> Town:
    await town.has(*(somebody(name, name * 5, channels=("voice",)) for name in range(PEOPLE)))
    await town.looks_out()
    await write_all(town, redis)
    return town


async def test_one_free_operator_bears_33_calls_and_the_nearest_are_called(
    street: Town, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wave_pace, "FLOOR_A_SECOND", 0.0001)
    await on_duty(redis, "idle", "talking")
    own = node(street, redis, Trunk())
    claimed = await own.begins()
    assert len(claimed) == 33
    nearest = [await street.contact_point(name) for name in range(33)]
    assert [one.contact_point_id for one in claimed] == nearest
    assert len(await own.begins()) == 0  # all of them may still press 1


async def test_when_they_press_nothing_the_next_are_called(street: Town, redis: Redis) -> None:
    await on_duty(redis, "idle")
    own = node(street, redis, Trunk())
    for one in await own.begins():
        await record(street.store, one.attempt_id, Receipt(S.NO_ANSWER))
    assert len(await own.begins()) > 20


async def test_who_pressed_1_makes_the_wave_slower(street: Town, redis: Redis) -> None:
    await on_duty(redis, "idle")
    own = node(street, redis, Trunk())
    claimed = await own.begins()
    message = claimed[0].message_id
    (wave,) = await waves_now(street.store)
    async with street.store.writing() as session:
        for one in claimed:
            session.add(
                Call(
                    id=one.attempt_id,
                    direction="out",
                    dialled="",
                    caller_kind="called",
                    action_id=wave.action_id,
                    triage="now",
                    attempt_id=one.attempt_id,
                    arrived_at=now(),
                )
            )
    for one in claimed:
        await record(street.store, one.attempt_id, Receipt(S.CONFIRMED))
    answers = await answers_of(street.store, [message])
    assert (answers[message].under_way, answers[message].tried, answers[message].pressed) == (0, 33, 33)
    assert len(await own.begins()) == 2


async def test_with_all_operators_in_talks_the_floor_goes_on(street: Town, redis: Redis) -> None:
    await on_duty(redis, "talking")
    own = node(street, redis, Trunk())
    assert len(await own.begins()) == 1
    (message,) = [wave.message_id for wave in await waves_now(street.store)]
    assert (await told(redis, [message]))[message].holds is Holds.OPERATORS
    assert await told(redis, []) == {}


async def test_with_nobody_on_duty_nobody_is_waited_for(street: Town, redis: Redis) -> None:
    assert len(await node(street, redis, Trunk()).begins()) == PEOPLE


async def test_a_room_that_helps_out_counts_while_nobody_is_on_duty_in_the_own_one(redis: Redis) -> None:
    await on_duty(redis, "idle", "idle", "wrap_up", room="den-haag")
    room = room_now(("rotterdam", "den-haag"), await lines_now(redis))
    assert (room.on_duty, room.free) == (3, 2)


async def test_the_trunk_is_never_overrun(street: Town, redis: Redis) -> None:
    trunk = Trunk(7)
    own = node(street, redis, trunk)
    assert len(await own.begins()) == 7
    trunk.free = 0
    assert await own.begins() == []
    (message,) = [wave.message_id for wave in await waves_now(street.store)]
    assert (await told(redis, [message]))[message].holds is Holds.TRUNK


@pytest.mark.parametrize(("amber_waits", "begun"), [(False, 10), (True, 1)])
async def test_amber_waits_for_nobody_unless_a_setting_says_so(
    town: Town, redis: Redis, begun: int, *, amber_waits: bool
) -> None:
    await town.has(*(somebody(name, name, channels=("voice",)) for name in range(10)))
    await town.looks_out(kind="amber")
    await write_all(town, redis)
    await on_duty(redis, "talking")
    own = node(town, redis, Trunk(), amber_waits=amber_waits)
    assert len(await own.begins()) == begun


async def test_with_redis_away_a_wave_goes_slowly_on(street: Town) -> None:
    nowhere = Redis(port=free_port(), decode_responses=True, retry=Retry(NoBackoff(), 0))
    assert len(await node(street, nowhere, Trunk()).begins()) == 1
    assert await told(nowhere, [1]) == {}
    await nowhere.aclose()


async def test_calls_begin_a_few_at_a_time(street: Town, redis: Redis) -> None:
    pace = WavePace(street.store, redis, Limits(20, lambda: 1000))
    first = await pace.allowed(100)
    pace.began({1: first.most})
    assert first.most == 4
    assert first.again_s >= wave_pace.APART_S
