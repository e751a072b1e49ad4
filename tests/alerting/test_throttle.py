"""Not too often to one telephone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis

from actions.models import DeliveryState
from alerting.attempts import record
from alerting.queue import Queue
from alerting.receipts import Receipt
from alerting.throttle import Throttle
from tests.alerting.test_audience import write_all
from tests.alerting.town import Town, somebody

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ago_s", "after_s"),
    [
        pytest.param([], None, id="never tried"),
        pytest.param([20], None, id="tried long enough ago"),
        pytest.param([10], 5, id="tried a moment ago"),
        pytest.param([0], 15, id="tried now"),
        pytest.param([3000, 2000, 1000], 600, id="as often as an hour allows"),
        pytest.param([3600, 2000, 1000], None, id="the first of them is an hour old"),
        pytest.param([3500, 3000, 2000, 1000], 600, id="more often than allowed"),
        pytest.param([3590, 1000, 10], 10, id="both: the later one"),
    ],
)
def test_when_a_telephone_may_be_tried_next(ago_s: list[float], after_s: float | None) -> None:
    starts = [NOON - timedelta(seconds=ago) for ago in ago_s]
    expected = None if after_s is None else NOON + timedelta(seconds=after_s)
    assert Throttle(apart_s=15, an_hour=3).next_at(starts, NOON) == expected


def queue(town: Town, throttle: Throttle) -> Queue:
    return Queue(town.store, "voice", "trial", 60, throttle)


async def two_actions(town: Town, redis: Redis) -> None:
    await town.has(somebody(1, 10, channels=("voice",)))
    for _ in range(2):
        await town.looks_out()
    await write_all(town, redis)


async def test_a_telephone_is_not_rung_for_two_actions_at_once(town: Town, redis: Redis) -> None:
    await two_actions(town, redis)
    throttled = queue(town, Throttle(apart_s=60, an_hour=8))
    assert len(await throttled.claim(10)) == 1
    assert await throttled.claim(10) == []


async def test_it_is_rung_for_the_other_one_when_the_time_is_over(town: Town, redis: Redis) -> None:
    await two_actions(town, redis)
    throttled = queue(town, Throttle(apart_s=0, an_hour=8))
    assert len(await throttled.claim(1)) == 1
    assert len(await throttled.claim(1)) == 1


@pytest.mark.parametrize(("an_hour", "rung"), [(1, 1), (2, 2)])
async def test_a_telephone_is_rung_so_many_times_an_hour(town: Town, redis: Redis, an_hour: int, rung: int) -> None:
    await two_actions(town, redis)
    throttled = queue(town, Throttle(apart_s=0, an_hour=an_hour))
    claimed = [*await throttled.claim(1), *await throttled.claim(1)]
    assert len(claimed) == rung


async def test_one_telephone_does_not_hold_up_another(town: Town, redis: Redis) -> None:
    await town.has(somebody(2, 20, channels=("voice",)))
    await two_actions(town, redis)
    throttled = queue(town, Throttle(apart_s=60, an_hour=8))
    first = await throttled.claim(10)
    assert len({claimed.contact_point_id for claimed in first}) == len(first) == 2
    await record(town.store, first[0].attempt_id, Receipt(DeliveryState.CONFIRMED))
    assert await throttled.claim(10) == []
