"""Who is given which operator, and when: by priority, arrival, language and skill; in a real Redis."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from unittest.mock import patch

import pytest
from hypothesis import given as cases
from hypothesis import strategies as st
from redis.asyncio import Redis

from telephony.place import Post, Staff, place_in_line
from tests.truth.lines import HERE, ROOM, controllers, free, gets, given, order_of_service, waits


async def test_the_first_to_arrive_is_served_first_however_late_the_line_hears_of_it(redis: Redis) -> None:
    async with controllers(redis, {}, "one") as (one,):
        await one.joins("second", minute=2)
        await one.joins("third", minute=3)
        await one.joins("first", minute=1)
        await one.line.offer("rotterdam-1", HERE)
        assert await given(redis) == {"first": "rotterdam-1"}
        assert await order_of_service(redis) == ["second", "third"]


async def test_danger_to_life_goes_before_everybody_who_waits_longer(redis: Redis) -> None:
    async with controllers(redis, {}, "one") as (one,):
        await one.joins("look-out", priority=20, minute=0)
        await one.joins("amber", priority=0, minute=9)
        await one.joins("missing-child", priority=10, minute=5)
        assert await order_of_service(redis) == ["amber", "missing-child", "look-out"]


async def test_a_caller_who_turns_out_to_see_it_now_goes_forward(redis: Redis) -> None:
    async with controllers(redis, {}, "one") as (one,):
        await one.joins("first", minute=1)
        sees_it_now = await one.joins("second", minute=2)
        await sees_it_now.becomes(15)
        await one.line.offer("a", HERE)
        assert await given(redis) == {"second": "a"}


@cases(
    st.lists(
        st.tuples(
            st.sampled_from([0, 10, 20, 30, 40, 80]),
            st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2060, 1, 1)),  # noqa: DTZ001 - made UTC below
        ),
        min_size=2,
        max_size=2,
    )
)
def test_a_place_in_line_orders_by_priority_and_then_by_the_millisecond_of_arrival(
    calls: list[tuple[int, datetime]],
) -> None:
    first, second = (
        (priority, int(arrived.replace(tzinfo=UTC).timestamp() * 1000), arrived.replace(tzinfo=UTC))
        for priority, arrived in calls
    )
    places = [place_in_line(priority, arrived) for priority, _, arrived in (first, second)]
    assert (places[0] < places[1]) == (first[:2] < second[:2])


async def test_the_longest_idle_operator_is_taken(redis: Redis) -> None:
    async with controllers(redis, {}, "one") as (one,):
        for operator, since in (("a", 3000), ("b", 1000), ("c", 2000)):
            with patch("telephony.waiting_line._now_ms", return_value=since):
                await one.line.offer(operator, HERE)
        assert await gets(await one.joins("call")) == "b"


async def test_the_operator_who_started_the_action_comes_before_the_longest_idle(redis: Redis) -> None:
    async with controllers(redis, {}, "one") as (one,):
        await one.line.offer("idle", HERE)
        await one.line.offer("starter", HERE)
        assert await gets(await one.joins("call", preferred="starter")) == "starter"


@pytest.mark.parametrize("preferred", ["nobody", "den-haag-1", None])
async def test_without_the_starter_in_the_room_the_longest_idle_is_taken(redis: Redis, preferred: str | None) -> None:
    async with controllers(redis, {}, "one") as (one,):
        await one.line.offer("den-haag-1", Post("den-haag"))
        await one.line.offer("idle", HERE)
        assert await gets(await one.joins("call", preferred=preferred)) == "idle"


async def test_an_operator_who_did_not_answer_is_not_given_again_to_the_same_caller(redis: Redis) -> None:
    async with controllers(redis, {}, "one") as (one,):
        await one.line.offer("starter", HERE)
        await one.line.offer("idle", HERE)
        place = await one.joins("first", minute=1, preferred="starter")
        assert await gets(place) == "starter"
        await place.let_go()
        assert await gets(place) == "idle"
        await asyncio.sleep(0.01)  # who became free in the same millisecond is served by name
        await place.let_go()
        assert await given(redis) == {}
        assert await order_of_service(redis) == ["first"]
        assert await gets(await one.joins("second", minute=2)) == "starter"


async def test_an_operator_of_another_room_is_not_taken(redis: Redis) -> None:
    async with controllers(redis, {}, "one") as (one,):
        await one.joins("call")
        await one.line.offer("den-haag-1", Post("den-haag"))
        assert await given(redis) == {}


async def test_a_caller_is_given_somebody_who_speaks_the_language(redis: Redis) -> None:
    async with controllers(redis, {}, "one") as (one,):
        await one.line.offer("dutch", Post(ROOM, languages=("nl",)))
        await one.line.offer("both", HERE)
        assert await gets(await one.joins("call", language="en")) == "both"


async def test_who_is_on_duty_for_a_language_is_told(redis: Redis) -> None:
    async with controllers(redis, {}, "one") as (one,):
        assert await one.line.staff([ROOM], "en") is Staff.NOBODY
        await one.line.offer("dutch", Post(ROOM, languages=("nl",)))
        assert await one.line.staff(["den-haag"], "nl") is Staff.NOBODY
        assert await one.line.staff(["den-haag", ROOM], "en") is Staff.OTHERS
        assert await one.line.staff([ROOM], "nl") is Staff.SPEAKS


async def test_a_caller_who_wants_no_language_any_more_is_given_anybody_at_once(redis: Redis) -> None:
    async with controllers(redis, {}, "one") as (one,):
        await one.line.offer("dutch", Post(ROOM, languages=("nl",)))
        place = await one.joins("call", language="en")
        assert await given(redis) == {}
        await place.wants("")
        assert await gets(place) == "dutch"


async def test_a_caller_who_needs_a_skill_waits_for_one_who_has_it(redis: Redis) -> None:
    async with controllers(redis, {}, "one") as (one,):
        await one.line.offer("new", HERE)
        await one.joins("child", skill="children")
        assert await given(redis) == {}
        await one.line.offer("skilled", Post(ROOM, skills=("children", "water")))
        assert await given(redis) == {"child": "skilled"}


async def test_a_caller_whom_nobody_fits_holds_up_nobody_behind(redis: Redis) -> None:
    async with controllers(redis, {}, "one") as (one,):
        for number in range(45):
            await one.joins(f"english-{number}", minute=number, language="en")
        await one.joins("dutch", minute=50, language="nl")
        await one.line.offer("a", Post(ROOM, languages=("nl",)))
        assert await given(redis) == {"dutch": "a"}


async def test_an_operator_who_learns_a_language_helps_who_waits_for_it(redis: Redis) -> None:
    async with controllers(redis, {}, "one") as (one,):
        await one.line.offer("a", Post(ROOM, languages=("nl",)))
        await one.joins("english", language="en")
        await one.line.offer("a", HERE)
        assert await given(redis) == {"english": "a"}


async def test_a_caller_in_two_lines_takes_whoever_is_free_first_and_leaves_both(redis: Redis) -> None:
    async with controllers(redis, {}, "one") as (one,):
        place = await one.joins("call", minute=1)
        await place.also_in("den-haag")
        await one.joins("neighbour", minute=2, room="den-haag")
        assert await order_of_service(redis, "den-haag") == ["call", "neighbour"]

        await one.line.offer("den-haag-1", Post("den-haag"))
        found = await place.operator()
        assert (found.operator, found.room, found.endpoint) == ("den-haag-1", "den-haag", "PJSIP/den-haag-1")
        assert await order_of_service(redis) == []
        assert await order_of_service(redis, "den-haag") == ["neighbour"]


async def test_a_caller_who_joins_another_line_gets_who_is_idle_there_at_once(redis: Redis) -> None:
    async with controllers(redis, {}, "one") as (one,):
        await one.line.offer("den-haag-1", Post("den-haag"))
        place = await one.joins("call")
        await place.also_in("den-haag")
        assert await gets(place) == "den-haag-1"


async def test_one_who_did_not_answer_leaves_the_caller_in_both_lines(redis: Redis) -> None:
    async with controllers(redis, {}, "one") as (one,):
        place = await one.joins("call")
        await place.also_in("den-haag")
        await one.line.offer("a", HERE)
        assert await gets(place) == "a"
        await place.let_go()
        assert await order_of_service(redis) == await order_of_service(redis, "den-haag") == ["call"]


async def test_a_caller_who_moves_to_another_room_keeps_the_arrival(redis: Redis) -> None:
    async with controllers(redis, {}, "one") as (one,):
        place = await one.joins("call", minute=1)
        await place.also_in("landelijk")
        await one.joins("neighbour", minute=2, room="den-haag")
        await place.moves_to("den-haag")
        assert await order_of_service(redis) == []
        assert await order_of_service(redis, "landelijk") == ["call"]
        assert await order_of_service(redis, "den-haag") == ["call", "neighbour"]


async def test_a_lent_operator_takes_the_callers_of_the_other_room(redis: Redis) -> None:
    async with controllers(redis, {}, "one") as (one,):
        await one.line.offer("a", HERE)
        await one.joins("call", room="den-haag")
        await one.line.offer("a", Post("den-haag"))
        assert await given(redis) == {"call": "a"}
        assert await free(redis) == set()


async def test_a_caller_who_waits_is_woken_by_an_operator_of_another_controller(redis: Redis) -> None:
    async with controllers(redis, {}, "one", "two") as (one, two):
        waiting = asyncio.create_task(gets(await one.joins("call")))
        await two.line.offer("rotterdam-1", HERE)
        assert await waiting == "rotterdam-1"


async def test_two_who_wait_get_two_operators_who_come_at_once(redis: Redis) -> None:
    async with controllers(redis, {}, "one", "two") as (one, two):
        places = [await one.joins("first", minute=1), await two.joins("second", minute=2)]
        await asyncio.gather(one.line.offer("a", HERE), two.line.offer("b", HERE))
        assert {await gets(place) for place in places} == {"a", "b"}


async def test_a_caller_who_leaves_while_the_phone_rings_gives_the_operator_to_the_next(redis: Redis) -> None:
    async with controllers(redis, {}, "one", "two") as (one, two):
        await one.joins("first", minute=1)
        second = await two.joins("second", minute=2)
        await one.line.offer("a", HERE)
        assert await given(redis) == {"first": "a"}
        await one.gone()
        assert await gets(second) == "a"


async def test_a_wait_that_was_broken_off_can_be_taken_up_again(redis: Redis) -> None:
    async with controllers(redis, {}, "one") as (one,):
        place = await one.joins("call")
        for turn in range(6):
            asking = asyncio.create_task(place.operator())
            if turn == 3:
                await one.line.offer("a", HERE)
            for _ in range(turn):
                await asyncio.sleep(0)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        assert await gets(place) == "a"


async def test_a_caller_with_an_operator_is_not_in_line_any_more(redis: Redis) -> None:
    async with controllers(redis, {}, "one") as (one,):
        place = await one.joins("call")
        await waits(redis, "call")
        await one.line.offer("a", HERE)
        await gets(place)
        assert not await redis.hexists("burgernet:waiting", "call")
        assert (await place.standing()).place == 0
