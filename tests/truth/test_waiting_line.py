"""Operators in a real Redis: nobody claimed twice, what each does now, and when each is free again."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import timedelta
from random import Random
from unittest.mock import patch

from hypothesis import HealthCheck, settings
from hypothesis import given as cases
from hypothesis import strategies as st
from redis.asyncio import Redis

from telephony.place import Post
from telephony.waiting_line import WaitingLine
from tests.truth.lines import (
    HERE,
    NOON,
    ROOM,
    Controller,
    controllers,
    free,
    gets,
    given,
    in_time,
    is_free,
    order_of_service,
    state,
)


async def test_an_operator_who_was_found_stays_taken_after_the_caller_left_the_line(redis: Redis) -> None:
    async with controllers(redis, {"a": HERE}, "one") as (one,):
        await one.talks("talk", "a")
        assert await free(redis) == set()
        await one.joins("next")
        await one.line.restore()
        assert await given(redis) == {}
        await one.line.release("a", "talk")
        assert await given(redis) == {"next": "a"}


async def test_a_caller_who_hangs_up_while_the_phone_rings_sets_the_operator_free_for_good(redis: Redis) -> None:
    async with controllers(redis, {"a": HERE}, "one") as (one,):
        with suppress(ConnectionResetError):
            async with one.line.waiting_for(ROOM, "gone", 20, NOON) as place:
                await gets(place)
                raise ConnectionResetError
        assert await free(redis) == {"a"}
        await one.line.restore()
        assert await free(redis) == {"a"}
        assert await redis.hgetall("burgernet:claim") == {}


async def test_a_wait_that_is_broken_off_leaves_nobody_claimed(redis: Redis) -> None:
    async with controllers(redis, {"a": HERE}, "one") as (one,):
        for turn in range(30):
            with suppress(TimeoutError):
                async with one.line.waiting_for(ROOM, f"call-{turn}", 20, NOON) as place:
                    taking = asyncio.create_task(place.operator())
                    for _ in range(turn % 6):
                        await asyncio.sleep(0)
                    taking.cancel()
                    await asyncio.gather(taking, return_exceptions=True)
                    raise TimeoutError
            await is_free(redis, "a")


async def test_who_signs_off_in_a_talk_is_not_free_after_it(redis: Redis) -> None:
    duty = {"a": HERE}
    async with controllers(redis, duty, "one") as (one,):
        await one.talks("talk", "a")
        duty.clear()
        await one.line.away("a")
        assert await state(redis, "a") == "talking"
        await one.line.release("a", "talk")
        assert await free(redis) == set()
        assert await state(redis, "a") == "away"
        assert not await one.line.staffed(ROOM)


async def test_who_signs_on_again_in_a_talk_is_free_only_after_it(redis: Redis) -> None:
    async with controllers(redis, {"a": HERE}, "one") as (one,):
        await one.talks("talk", "a")
        await one.line.offer("a", HERE)
        assert await free(redis) == set()
        await one.line.release("a", "talk")
        assert await free(redis) == {"a"}


async def test_the_end_of_one_call_does_not_free_an_operator_who_talks_in_another(redis: Redis) -> None:
    async with controllers(redis, {"a": HERE}, "one", "two") as (one, two):
        await one.talks("talk", "a")
        await two.line.release("a", "long-over")
        await one.line.release("a", "long-over")
        assert await free(redis) == set()


async def test_an_operator_of_another_call_cannot_be_held(redis: Redis) -> None:
    async with controllers(redis, {"a": HERE, "b": HERE}, "one", "two") as (one, two):
        await one.talks("talk", "a")
        assert not await two.line.hold("a", "other")
        assert await two.line.hold("b", "other")
        assert await redis.hgetall("burgernet:claim") == {"a": "one talk", "b": "two other"}


async def test_each_operator_is_seen_doing_what_is_done(redis: Redis) -> None:
    async with controllers(redis, {}, "one") as (one,):
        assert await state(redis, "a") == "away"
        await one.line.offer("a", Post(ROOM, wrap_up_s=60))
        assert await state(redis, "a") == "idle"
        async with one.line.waiting_for(ROOM, "call", 20, NOON) as place:
            await gets(place)
            assert await state(redis, "a") == "ringing"
        assert await state(redis, "a") == "talking"
        await one.line.release("a", "call")
        assert await state(redis, "a") == "wrap_up"
        await one.line.ready("a")
        assert await state(redis, "a") == "idle"
        await one.line.away("a")
        assert await state(redis, "a") == "away"


async def test_a_wrap_up_ends_by_itself_and_the_next_caller_comes(redis: Redis) -> None:
    duty = {"a": Post(ROOM, wrap_up_s=0.3)}
    async with controllers(redis, duty, "one") as (one,):
        await one.talks("talk", "a")
        place = await one.joins("next")
        await one.line.release("a", "talk")
        assert await given(redis) == {}
        assert await gets(place) == "a"


async def test_a_clock_that_is_set_back_keeps_nobody_in_the_wrap_up(redis: Redis) -> None:
    late = time.time
    async with controllers(redis, {"a": Post(ROOM, wrap_up_s=0.2)}, "one") as (one,):
        await one.talks("talk", "a")
        await one.line.release("a", "talk")
        with (
            patch("telephony.waiting_line.LOOK_AGAIN_S", 0.1),
            patch("telephony.waiting_line.time.time", lambda: late() - 3600),
        ):
            await is_free(redis, "a")


async def test_a_wrap_up_is_ended_by_another_controller_when_the_own_one_is_gone(redis: Redis) -> None:
    duty = {"a": Post(ROOM, wrap_up_s=0.3)}
    async with controllers(redis, duty, "one") as (one,):
        silent = Controller(redis, "two", duty)
        await silent.line.hold("a", "talk")
        await silent.line.release("a", "talk")
        assert await gets(await one.joins("next")) == "a"


async def test_an_operator_who_did_not_answer_has_no_wrap_up(redis: Redis) -> None:
    async with controllers(redis, {"a": Post(ROOM, wrap_up_s=60)}, "one") as (one,):
        place = await one.joins("call")
        await gets(place)
        await place.let_go()
        assert await free(redis) == {"a"}


async def test_a_colleague_who_was_asked_in_and_did_not_answer_has_no_wrap_up(redis: Redis) -> None:
    async with controllers(redis, {"a": Post(ROOM, wrap_up_s=60)}, "one") as (one,):
        await one.line.hold("a", "call")
        await one.line.release("a", "call", talked=False)
        assert await free(redis) == {"a"}


async def test_who_goes_away_in_the_wrap_up_stays_away(redis: Redis) -> None:
    duty = {"a": Post(ROOM, wrap_up_s=60)}
    async with controllers(redis, duty, "one") as (one,):
        await one.talks("talk", "a")
        await one.line.release("a", "talk")
        await one.line.away("a")
        await one.line.ready("a")
        assert await state(redis, "a") == "away"
        assert await free(redis) == set()


async def test_a_restore_in_the_wrap_up_does_not_end_it(redis: Redis) -> None:
    async with controllers(redis, {"a": Post(ROOM, wrap_up_s=60)}, "one") as (one,):
        await one.talks("talk", "a")
        await one.line.release("a", "talk")
        await one.line.restore()
        assert await state(redis, "a") == "wrap_up"


async def test_the_wait_is_told_from_the_talks_of_this_room(redis: Redis) -> None:
    async with controllers(redis, {"a": HERE, "b": HERE}, "one") as (one,):
        first = await one.joins("first", minute=1, skill="none has it")
        second = await one.joins("second", minute=2, skill="none has it")
        assert ((await first.standing()).place, (await second.standing()).place) == (1, 2)
        assert (await second.standing()).wait_s is None
        await redis.rpush(f"burgernet:handled:{ROOM}", "1 60000", "2 120000", "3 30000")
        # Of two operators one is free every 35 s, in the mean.
        assert (await first.standing()).wait_s == 35
        assert (await second.standing()).wait_s == 70


async def test_a_talk_is_measured_with_its_wrap_up(redis: Redis) -> None:
    async with controllers(redis, {"a": Post(ROOM, wrap_up_s=60)}, "one") as (one,):
        await one.talks("talk", "a")
        await one.line.release("a", "talk")
        assert not await redis.exists(f"burgernet:handled:{ROOM}")
        await one.line.ready("a")
        assert await redis.llen(f"burgernet:handled:{ROOM}") == 1


async def test_a_talk_whose_beginning_nobody_saw_is_not_measured(redis: Redis) -> None:
    async with controllers(redis, {"a": HERE}, "one") as (one,):
        await one.line.hold("a", "adopted")
        await one.line.release("a", "adopted")
        assert not await redis.exists(f"burgernet:handled:{ROOM}")


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@cases(seed=st.integers(0, 2**32), operators=st.integers(1, 4), callers=st.integers(1, 10))
async def test_nobody_is_claimed_twice_and_nobody_starves(
    redis: Redis, seed: int, operators: int, callers: int
) -> None:
    """Callers at two controllers take, talk, refuse and hang up in any order, while both keep restoring."""
    chance = Random(seed)
    # Nobody refuses a caller whom all others refused already.
    duty = {f"op-{number}": HERE for number in range(operators + 2)}
    talking: dict[str, str] = {}
    served: set[str] = set()
    over = asyncio.Event()

    async def talk(call: str, operator: str) -> None:
        assert operator not in talking, f"{operator} talks in {talking.get(operator)} and was given to {call}"
        talking[operator] = call
        await asyncio.sleep(chance.uniform(0, 0.004))
        del talking[operator]

    async def caller(controller: Controller, number: int) -> None:
        call, refused = f"call-{number}", 0
        async with controller.line.waiting_for(ROOM, call, 20, NOON + timedelta(seconds=number)) as place:
            operator = await gets(place)
            while chance.random() < 0.3 and refused < 2:
                await talk(call, operator)  # it rings, and is not answered
                await place.let_go()
                operator, refused = await gets(place), refused + 1
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


async def test_whoever_waits_in_a_room_hears_at_once_that_its_last_operator_is_away(redis: Redis) -> None:
    duty = {"a": HERE, "b": HERE}
    async with controllers(redis, duty, "one", "two") as (one, two):
        waiting = [asyncio.create_task(each.line.unstaffed(ROOM)) for each in (one, one, two)]
        await one.line.away("a")
        _, still = await asyncio.wait(waiting, timeout=0.2)
        assert len(still) == 3
        await one.line.away("b")
        await in_time(asyncio.gather(*waiting))
        await in_time(two.line.unstaffed(ROOM))
