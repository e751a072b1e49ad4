"""Who calls very often, as a rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from actions.numbers import Number, read_number
from ivr_flows.often import Limits, Often, Verdict, verdict
from tests.rules.test_quality import Clock
from watch.rate import Rate

LIMITS = Limits(caller=3, source=5, at_once=2)
JAN, PIET, WITHHELD = read_number("0612345678"), read_number("0612345679"), read_number(None)
WELCOME, LAST, ENOUGH = Verdict


@pytest.mark.parametrize(
    ("at_once", "over_caller", "over_source", "found"),
    [
        (0, False, False, WELCOME),
        (1, False, False, WELCOME),
        (2, False, False, WELCOME),
        (3, False, False, ENOUGH),
        (1, True, False, LAST),
        (0, False, True, LAST),
        (3, True, True, ENOUGH),
    ],
)
def test_who_calls_often_is_served_last_and_only_one_with_calls_going_on_is_turned_away(
    at_once: int, over_caller: bool, over_source: bool, found: Verdict
) -> None:
    assert verdict(at_once=at_once, over_caller=over_caller, over_source=over_source, limits=LIMITS) is found


@given(st.integers(0, 1), st.booleans(), st.booleans())
def test_a_call_that_is_the_only_one_of_its_number_is_never_turned_away(
    at_once: int, over_caller: bool, over_source: bool
) -> None:
    found = verdict(at_once=at_once, over_caller=over_caller, over_source=over_source, limits=LIMITS)
    assert found is not ENOUGH


def hash_of(number: Number) -> str | None:
    return number.e164 and f"hash of {number.e164[-2:]}"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def often(redis: Redis, clock: Clock) -> Often:
    return Often(Rate(redis), LIMITS, hash_of, CollectorRegistry(), clock)


async def calls(often: Often, number: Number, source: str = "carrier") -> Verdict:
    """A call that is over at once."""
    with often.on_the_line(number) as (caller, at_once):
        return await often.verdict(caller, source, at_once)


async def test_the_fourth_call_within_a_minute_is_served_last_and_nobody_else_is(often: Often) -> None:
    assert [await calls(often, JAN) for _ in range(4)] == [WELCOME, WELCOME, WELCOME, LAST]
    assert await calls(often, PIET) is WELCOME


async def test_withheld_numbers_count_for_their_source_alone(often: Often) -> None:
    assert [await calls(often, WITHHELD) for _ in range(6)] == [WELCOME] * 5 + [LAST]
    assert await calls(often, WITHHELD, "other") is WELCOME


async def test_a_third_call_at_once_is_turned_away_and_one_that_ends_makes_room(often: Often) -> None:
    with often.on_the_line(JAN), often.on_the_line(JAN):
        assert await calls(often, JAN) is ENOUGH
        assert await calls(often, PIET) is WELCOME
    with often.on_the_line(JAN):
        assert await calls(often, JAN) is WELCOME


async def test_any_number_of_withheld_callers_may_call_at_once(often: Often) -> None:
    with often.on_the_line(WITHHELD), often.on_the_line(WITHHELD), often.on_the_line(WITHHELD) as (caller, at_once):
        assert (caller, at_once) == (None, 0)
    assert not often._going_on


async def test_several_controllers_count_together_what_comes_in_a_minute(redis: Redis, often: Often) -> None:
    other = Often(Rate(redis), LIMITS, hash_of, CollectorRegistry())
    found = [await calls(one, JAN) for one in (often, other, often, other)]
    assert found == [WELCOME, WELCOME, WELCOME, LAST]


async def test_without_redis_each_counts_alone() -> None:
    nobody = Redis.from_url("redis://127.0.0.1:1/0")
    alone = Often(Rate(nobody), LIMITS, hash_of, CollectorRegistry())
    assert [await calls(alone, JAN) for _ in range(4)] == [WELCOME, WELCOME, WELCOME, LAST]
    await nobody.aclose()


async def test_no_number_stands_in_redis(redis: Redis, often: Often) -> None:
    await calls(often, JAN)
    assert JAN.e164
    assert not [key for key in await redis.keys("*") if JAN.e164[3:] in key]


async def test_the_alarm_hears_how_many_there_were_in_the_last_minute(often: Often, clock: Clock) -> None:
    for _ in range(5):
        await calls(often, JAN)
    assert often.a_minute() == 2
    clock.now = 61
    assert often.a_minute() == 0
