"""The waiting line in a real Redis: who is served first, nobody twice, and what a loss of Redis costs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TypeVar
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from telephony.waiting_line import LineAway, Place, WaitingLine, place_in_line
from tests.conversations.exchange import until

T = TypeVar("T")

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
ROOM = "rotterdam"


class Controller:
    """A controller's sight of the lines, and what its callers do."""

    def __init__(self, redis: Redis, app: str, duty: dict[str, str]) -> None:
        async def on_duty() -> dict[str, str]:
            return dict(duty)

        self.line = WaitingLine(redis, app, on_duty)
        self._calls = AsyncExitStack()

    async def joins(self, call: str, *, priority: int = 20, minute: int = 0, room: str = ROOM) -> Place:
        """A caller who stays in line until the controller is gone."""
        return await self._calls.enter_async_context(
            self.line.waiting_for(room, call, priority, NOON + timedelta(minutes=minute))
        )

    async def talks(self, call: str, operator: str) -> None:
        """A caller who was paired with this operator and left the line for the talk."""
        async with self.line.waiting_for(ROOM, call, 20, NOON) as place:
            assert await in_time(place.operator(operator, ())) == operator

    async def takes(self, call: str, preferred: str | None = None, passed: Collection[str] = ()) -> str | None:
        return await self.line.take(ROOM, call, preferred, passed)

    async def gone(self) -> None:
        await self._calls.aclose()


@asynccontextmanager
async def controllers(redis: Redis, duty: dict[str, str], *apps: str) -> AsyncIterator[list[Controller]]:
    """Controllers that listen for wake-ups. `duty`: operator -> room, the truth in the database."""
    await redis.flushall()
    team = [Controller(redis, app, duty) for app in apps]
    listening = [asyncio.create_task(each.line.run()) for each in team]
    try:
        for each in team:
            await each.line.connected.wait()
        yield team
        for each in team:
            await each.gone()
    finally:
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)


async def in_time(wanted: Awaitable[T], bound_s: float = 5) -> T:
    async with asyncio.timeout(bound_s):
        return await wanted


async def free(redis: Redis, room: str = ROOM) -> set[str]:
    return {str(name) for name in await redis.zrange(f"burgernet:free:{room}", 0, -1)}


async def order_of_service(redis: Redis, room: str = ROOM) -> list[str]:
    return [str(call) for call in await redis.zrange(f"burgernet:line:{room}", 0, -1)]


async def test_the_first_to_arrive_is_served_first_however_late_the_line_hears_of_it(redis: Redis) -> None:
    async with controllers(redis, {}, "one") as (one,):
        await one.joins("second", minute=2)
        await one.joins("third", minute=3)
        await one.joins("first", minute=1)
        await one.line.offer("rotterdam-1", ROOM)
        assert await one.takes("second") is None
        assert await one.takes("third") is None
        assert await one.takes("first") == "rotterdam-1"


async def test_danger_to_life_goes_before_everybody_who_waits_longer(redis: Redis) -> None:
    async with controllers(redis, {}, "one") as (one,):
        await one.joins("look-out", priority=20, minute=0)
        await one.joins("amber", priority=0, minute=9)
        await one.joins("missing-child", priority=10, minute=5)
        assert await order_of_service(redis) == ["amber", "missing-child", "look-out"]


@given(
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
        await one.joins("call")
        with patch("telephony.waiting_line._now_ms", side_effect=[3000, 1000, 2000]):
            for operator in ("a", "b", "c"):
                await one.line.offer(operator, ROOM)
        assert await one.takes("call") == "b"


async def test_the_operator_who_started_the_action_comes_before_the_longest_idle(redis: Redis) -> None:
    async with controllers(redis, {}, "one") as (one,):
        await one.joins("call")
        await one.line.offer("idle", ROOM)
        await one.line.offer("starter", ROOM)
        assert await one.takes("call", preferred="starter") == "starter"


@pytest.mark.parametrize(
    ("preferred", "passed", "taken"),
    [
        ("starter", ["starter"], "idle"),
        ("nobody", [], "idle"),
        (None, ["idle"], "starter"),
        (None, ["idle", "starter"], None),
    ],
)
async def test_an_operator_who_was_passed_over_is_not_taken_again(
    redis: Redis, preferred: str | None, passed: Sequence[str], taken: str | None
) -> None:
    async with controllers(redis, {}, "one") as (one,):
        await one.joins("call")
        await one.line.offer("idle", ROOM)
        await one.line.offer("starter", ROOM)
        assert await one.takes("call", preferred, passed) == taken


async def test_an_operator_of_another_room_is_not_taken(redis: Redis) -> None:
    async with controllers(redis, {}, "one") as (one,):
        await one.joins("call")
        await one.line.offer("den-haag-1", "den-haag")
        assert await one.takes("call") is None


async def test_a_caller_who_waits_is_woken_by_an_operator_of_another_controller(redis: Redis) -> None:
    async with controllers(redis, {}, "one", "two") as (one, two):
        place = await one.joins("call")
        waiting = asyncio.create_task(place.operator(None, ()))
        await until(lambda: _waits(redis, "call"), "the caller in line")
        await two.line.offer("rotterdam-1", ROOM)
        assert await in_time(waiting, 2) == "rotterdam-1"


async def test_whoever_takes_one_of_two_operators_wakes_the_next_in_line(redis: Redis) -> None:
    async with controllers(redis, {}, "one", "two") as (one, two):
        first, second = await one.joins("first", minute=1), await two.joins("second", minute=2)
        waiting = [asyncio.create_task(place.operator(None, ())) for place in (second, first)]
        await asyncio.gather(one.line.offer("a", ROOM), two.line.offer("b", ROOM))
        assert set(await in_time(asyncio.gather(*waiting), 2)) == {"a", "b"}


async def test_a_caller_who_leaves_lets_the_next_one_take_the_operator(redis: Redis) -> None:
    async with controllers(redis, {}, "one", "two") as (one, two):
        await one.joins("first", minute=1)
        second = await two.joins("second", minute=2)
        await one.line.offer("a", ROOM)
        waiting = asyncio.create_task(second.operator(None, ()))
        await until(lambda: _waits(redis, "second"), "the second in line")
        await one.gone()
        assert await in_time(waiting, 2) == "a"


async def test_an_operator_who_did_not_answer_is_free_again_and_the_caller_keeps_the_place(redis: Redis) -> None:
    async with controllers(redis, {}, "one") as (one,):
        first = await one.joins("first", minute=1)
        await one.joins("second", minute=2)
        await one.line.offer("a", ROOM)
        assert await in_time(first.operator(None, ())) == "a"
        await first.let_go()
        assert await free(redis) == {"a"}
        assert await order_of_service(redis) == ["first", "second"]


async def test_an_operator_who_was_found_stays_taken_after_the_caller_left_the_line(redis: Redis) -> None:
    duty = {"a": ROOM}
    async with controllers(redis, duty, "one") as (one,):
        async with one.line.waiting_for(ROOM, "talk", 20, NOON) as place:
            assert await in_time(place.operator(None, ())) == "a"
        assert await free(redis) == set()
        await one.joins("next")
        await one.line.restore()
        assert await one.takes("next") is None

        await one.line.release("a", "talk")
        assert await one.takes("next") == "a"


async def test_a_caller_who_hangs_up_while_the_phone_rings_sets_the_operator_free_for_good(redis: Redis) -> None:
    duty = {"a": ROOM}
    async with controllers(redis, duty, "one") as (one,):
        with suppress(ConnectionResetError):
            async with one.line.waiting_for(ROOM, "gone", 20, NOON) as place:
                await in_time(place.operator(None, ()))
                raise ConnectionResetError
        assert await free(redis) == {"a"}
        await one.line.restore()
        assert await free(redis) == {"a"}
        assert await redis.hgetall("burgernet:claim") == {}


async def test_a_take_that_is_broken_off_leaves_nobody_claimed(redis: Redis) -> None:
    async with controllers(redis, {"a": ROOM}, "one") as (one,):
        for turn in range(30):
            with suppress(TimeoutError):
                async with one.line.waiting_for(ROOM, f"call-{turn}", 20, NOON) as place:
                    taking = asyncio.create_task(place.operator(None, ()))
                    for _ in range(turn % 6):
                        await asyncio.sleep(0)
                    taking.cancel()
                    await asyncio.gather(taking, return_exceptions=True)
                    raise TimeoutError
            await until(lambda: _is_free(redis, "a"), f"free after turn {turn}", bound_s=2)


async def test_who_signs_off_in_a_talk_is_not_free_after_it(redis: Redis) -> None:
    duty = {"a": ROOM}
    async with controllers(redis, duty, "one") as (one,):
        async with one.line.waiting_for(ROOM, "talk", 20, NOON) as place:
            await in_time(place.operator(None, ()))
        duty.clear()
        await one.line.away("a")
        await one.line.release("a", "talk")
        assert await free(redis) == set()
        assert not await one.line.staffed(ROOM)


async def test_who_signs_on_again_in_a_talk_is_free_only_after_it(redis: Redis) -> None:
    duty = {"a": ROOM}
    async with controllers(redis, duty, "one") as (one,):
        async with one.line.waiting_for(ROOM, "talk", 20, NOON) as place:
            await in_time(place.operator(None, ()))
        await one.line.offer("a", ROOM)
        assert await free(redis) == set()
        await one.line.release("a", "talk")
        assert await free(redis) == {"a"}


async def test_the_end_of_one_call_does_not_free_an_operator_who_talks_in_another(redis: Redis) -> None:
    async with controllers(redis, {"a": ROOM}, "one", "two") as (one, two):
        await one.joins("talk")
        assert await one.takes("talk") == "a"
        await two.line.release("a", "long-over")
        await one.line.release("a", "long-over")
        assert await free(redis) == set()


async def test_after_redis_lost_everything_talks_and_callers_in_line_are_where_they_were(redis: Redis) -> None:
    duty = {"a": ROOM, "b": ROOM, "c": "den-haag"}
    async with controllers(redis, duty, "one", "two") as (one, two):
        await one.talks("talk", "a")
        await two.talks("other-talk", "b")
        await two.joins("second", minute=2)
        await one.joins("first", minute=1)
        before = {key: await redis.zrange(key, 0, -1, withscores=True) for key in await redis.keys("burgernet:line:*")}

        await redis.flushall()
        await asyncio.gather(one.line.restore(), two.line.restore())

        after = {key: await redis.zrange(key, 0, -1, withscores=True) for key in await redis.keys("burgernet:line:*")}
        assert after == before
        assert await order_of_service(redis) == ["first", "second"]
        assert await redis.hgetall("burgernet:claim") == {"a": "one talk", "b": "two other-talk"}
        assert await free(redis) == set()
        assert await free(redis, "den-haag") == {"c"}


async def test_a_caller_in_line_notices_by_itself_that_redis_lost_everything(redis: Redis) -> None:
    async with controllers(redis, {}, "one") as (one,):
        with patch("telephony.waiting_line.LOOK_AGAIN_S", 0.1):
            place = await one.joins("call")
            waiting = asyncio.create_task(place.operator(None, ()))
            await until(lambda: _waits(redis, "call"), "the caller in line")
            await redis.flushall()
            await until(lambda: _waits(redis, "call"), "the caller in line again", bound_s=2)
            await one.line.offer("a", ROOM)
            assert await in_time(waiting, 2) == "a"


async def test_what_a_killed_life_of_this_controller_left_is_cleared_and_no_other_controllers(redis: Redis) -> None:
    duty = {"a": ROOM, "b": ROOM}
    async with controllers(redis, duty, "one", "two") as (killed, two):
        await killed.joins("lost-talk", minute=1)
        assert await killed.takes("lost-talk", preferred="a") == "a"
        await two.joins("talk", minute=2)
        assert await two.takes("talk") == "b"
        await killed.joins("lost-in-line", minute=3)
        await two.joins("waiting", minute=4)

        async def on_duty() -> dict[str, str]:
            return duty

        await WaitingLine(redis, "one", on_duty).restore()
        assert await free(redis) == {"a"}
        assert await order_of_service(redis) == ["waiting"]
        assert await redis.hgetall("burgernet:claim") == {"b": "two talk"}


async def test_a_caller_adopted_while_a_phone_rang_gets_that_operator_again(redis: Redis) -> None:
    async with controllers(redis, {"a": ROOM}, "one") as (killed,):
        ringing = await killed.joins("call")
        assert await in_time(ringing.operator(None, ())) == "a"

        async def on_duty() -> dict[str, str]:
            return {"a": ROOM}

        adopting = WaitingLine(redis, "one", on_duty)
        async with adopting.waiting_for(ROOM, "call", 20, NOON) as place:
            await adopting.restore()
            assert await in_time(place.operator(None, ()), 1) == "a"


async def test_a_caller_for_whom_a_phone_rings_holds_up_nobody_behind(redis: Redis) -> None:
    async with controllers(redis, {"a": ROOM}, "one") as (one,):
        ringing = await one.joins("first", minute=1)
        assert await in_time(ringing.operator(None, ())) == "a"
        second = await one.joins("second", minute=2)
        await one.line.restore()
        await one.line.offer("b", ROOM)
        assert await in_time(second.operator(None, ()), 1) == "b"


async def test_a_talk_that_a_new_life_adopts_is_held_through_the_restore(redis: Redis) -> None:
    async with controllers(redis, {"a": ROOM}, "one") as (killed,):
        await killed.joins("talk")
        assert await killed.takes("talk") == "a"

        async def on_duty() -> dict[str, str]:
            return {"a": ROOM}

        adopting = WaitingLine(redis, "one", on_duty)
        await adopting.hold("a", "talk")
        await adopting.restore()
        assert await free(redis) == set()
        assert await redis.hgetall("burgernet:claim") == {"a": "one talk"}


async def test_without_redis_the_line_says_so_within_its_bound(redis: Redis) -> None:
    nowhere: Redis = Redis.from_url("redis://127.0.0.1:1/0", decode_responses=True, retry=Retry(NoBackoff(), 0))
    lost = Controller(nowhere, "one", {})
    for asked in (
        lost.joins("call"),
        lost.takes("call"),
        lost.line.offer("a", ROOM),
        lost.line.release("a", "call"),
        lost.line.staffed(ROOM),
    ):
        with pytest.raises(LineAway, match="Redis does not answer"):
            await in_time(asked, 3)
    await nowhere.aclose()


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 2**32), operators=st.integers(1, 4), callers=st.integers(1, 10))
async def test_nobody_is_claimed_twice_and_nobody_starves(
    redis: Redis, seed: int, operators: int, callers: int
) -> None:
    """Callers at two controllers take, talk, refuse and hang up in any order, while both keep restoring."""
    chance = Random(seed)
    duty = {f"op-{number}": ROOM for number in range(operators)}
    talking: dict[str, str] = {}
    served: set[str] = set()
    over = asyncio.Event()

    async def talk(call: str, operator: str) -> None:
        assert operator not in talking, f"{operator} talks in {talking.get(operator)} and was given to {call}"
        talking[operator] = call
        await asyncio.sleep(chance.uniform(0, 0.004))
        del talking[operator]

    async def caller(controller: Controller, number: int) -> None:
        call = f"call-{number}"
        async with controller.line.waiting_for(ROOM, call, 20, NOON + timedelta(seconds=number)) as place:
            operator = await place.operator(None, ())
            while chance.random() < 0.3:
                await talk(call, operator)  # it rings, and is not answered
                await place.let_go()
                operator = await place.operator(None, ())
            if chance.random() < 0.2:
                served.add(call)
                return await controller.line.release(operator, call)  # hung up in the whisper
        await talk(call, operator)
        served.add(call)
        await controller.line.release(operator, call)
        return None

    async def restores(line: WaitingLine) -> None:
        while not over.is_set():
            await line.restore()
            await asyncio.sleep(chance.uniform(0, 0.003))

    async with controllers(redis, duty, "one", "two") as team:
        restoring = asyncio.gather(*(restores(each.line) for each in team))
        try:
            calls = [caller(team[number % 2], number) for number in range(callers)]
            await in_time(asyncio.gather(*calls), 10)
        finally:
            over.set()
            await restoring
        assert served == {f"call-{number}" for number in range(callers)}
        for each in team:
            await each.line.restore()
        assert await free(redis) == set(duty)
        assert await redis.hgetall("burgernet:claim") == {}
        assert await order_of_service(redis) == []


async def _waits(redis: Redis, call: str) -> bool:
    return bool(await redis.hexists("burgernet:waiting", call))


async def _is_free(redis: Redis, operator: str) -> bool:
    return operator in await free(redis)
