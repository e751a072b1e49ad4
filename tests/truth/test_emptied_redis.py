"""What a loss of Redis, or of a controller, costs those in line: nothing."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import patch

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from telephony.place import Post
from telephony.waiting_line import LineAway, WaitingLine
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
    order_of_service,
    truth,
    waits,
)


async def test_after_redis_lost_everything_talks_and_callers_in_line_are_where_they_were(redis: Redis) -> None:
    duty = {"a": HERE, "b": HERE, "c": Post("limburg")}
    async with controllers(redis, duty, "one", "two") as (one, two):
        await one.talks("talk", "a")
        await two.talks("other-talk", "b")
        second = await two.joins("second", minute=2)
        await second.also_in("den-haag")
        await one.joins("first", minute=1)
        before = await lines(redis)

        await redis.flushall()
        await asyncio.gather(one.line.restore(), two.line.restore())

        assert await lines(redis) == before
        assert await order_of_service(redis) == ["first", "second"]
        assert await redis.hgetall("burgernet:claim") == {"a": "one talk", "b": "two other-talk"}
        assert await free(redis) == set()
        assert await free(redis, "limburg") == {"c"}


async def test_callers_go_back_to_their_own_places_before_anybody_is_given_an_operator(redis: Redis) -> None:
    async with controllers(redis, {"a": HERE}, "one") as (one,):
        await one.talks("talk", "a")
        for minute in (3, 1, 2):
            await one.joins(f"call-{minute}", minute=minute)
        await redis.flushall()
        one.line._holding.clear()
        await one.line.restore()
        assert await given(redis) == {"call-1": "a"}


async def test_a_caller_in_line_notices_by_itself_that_redis_lost_everything(redis: Redis) -> None:
    with patch("telephony.waiting_line.LOOK_AGAIN_S", 0.1):
        async with controllers(redis, {}, "one") as (one,):
            place = await one.joins("call")
            await redis.flushall()
            await waits(redis, "call")
            await one.line.offer("a", HERE)
            assert await gets(place) == "a"


async def test_a_lost_wake_up_is_noticed_soon(redis: Redis) -> None:
    with patch("telephony.waiting_line.LOOK_AGAIN_S", 0.1), patch("redis.asyncio.client.PubSub.get_message", deaf):
        async with controllers(redis, {}, "one") as (one,):
            place = await one.joins("call")
            await one.line.offer("a", HERE)
            assert await gets(place) == "a"


async def test_what_a_killed_life_of_this_controller_left_is_cleared_and_no_other_controllers(redis: Redis) -> None:
    duty = {"a": HERE, "b": HERE}
    async with controllers(redis, duty, "one", "two") as (killed, two):
        assert await gets(await killed.joins("lost-talk", minute=1, preferred="a")) == "a"
        assert await gets(await two.joins("talk", minute=2)) == "b"
        await killed.joins("lost-in-line", minute=3)
        await two.joins("waiting", minute=4, skill="none has it")

        await WaitingLine(redis, "one", truth(duty)).restore()
        assert await free(redis) == {"a"}
        assert await order_of_service(redis) == ["waiting"]
        assert await redis.hgetall("burgernet:claim") == {"b": "two talk"}


async def test_a_caller_adopted_while_a_phone_rang_gets_that_operator_again(redis: Redis) -> None:
    async with controllers(redis, {"a": HERE}, "one") as (killed,):
        assert await gets(await killed.joins("call")) == "a"
        adopting = WaitingLine(redis, "one", truth({"a": HERE}))
        async with adopting.waiting_for(ROOM, "call", 20, NOON) as place:
            await adopting.restore()
            assert await gets(place, 1) == "a"


async def test_a_caller_adopted_between_the_answer_and_the_talk_gets_that_operator_again(redis: Redis) -> None:
    async with controllers(redis, {"a": HERE}, "one") as (killed,):
        await killed.talks("call", "a")
        adopting = WaitingLine(redis, "one", truth({"a": HERE}))
        adopting.leads = lambda call: call == "call"
        async with adopting.waiting_for(ROOM, "call", 20, NOON) as place:
            await adopting.restore()
            assert await gets(place, 1) == "a"


async def test_a_call_that_comes_again_before_its_talk_gets_that_operator_again(redis: Redis) -> None:
    async with controllers(redis, {"a": HERE}, "one") as (one,):
        one.line.leads = lambda call: call == "call"
        await one.talks("call", "a")
        place = await one.joins("call")
        await one.line.restore()
        assert await gets(place, 1) == "a"


async def test_a_caller_for_whom_a_phone_rings_holds_up_nobody_behind(redis: Redis) -> None:
    async with controllers(redis, {"a": HERE}, "one") as (one,):
        assert await gets(await one.joins("first", minute=1)) == "a"
        second = await one.joins("second", minute=2)
        await one.line.restore()
        await one.line.offer("b", HERE)
        assert await gets(second, 1) == "b"


async def test_a_talk_that_a_new_life_adopts_is_held_through_the_restore(redis: Redis) -> None:
    async with controllers(redis, {"a": HERE}, "one") as (killed,):
        assert await gets(await killed.joins("talk")) == "a"
        adopting = WaitingLine(redis, "one", truth({"a": HERE}))
        assert await adopting.hold("a", "talk")
        await adopting.restore()
        assert await free(redis) == set()
        assert await redis.hgetall("burgernet:claim") == {"a": "one talk"}


async def test_a_talk_adopted_by_another_controller_is_ended_by_that_one(redis: Redis) -> None:
    async with controllers(redis, {"a": HERE}, "one", "two") as (killed, two):
        await killed.talks("talk", "a")
        assert await two.line.hold("a", "talk")
        assert await redis.hgetall("burgernet:claim") == {"a": "two talk"}
        await two.line.release("a", "talk")
        assert await free(redis) == {"a"}


async def test_without_redis_the_line_says_so_within_its_bound(redis: Redis) -> None:
    nowhere: Redis = Redis.from_url("redis://127.0.0.1:1/0", decode_responses=True, retry=Retry(NoBackoff(), 0))
    lost = Controller(nowhere, "one", {})
    for asked in (
        lost.joins("call"),
        lost.line.offer("a", HERE),
        lost.line.release("a", "call"),
        lost.line.staffed(ROOM),
    ):
        with pytest.raises(LineAway, match="Redis does not answer"):
            await in_time(asked, 6)  # a join that fails leaves, too
    await nowhere.aclose()


async def test_a_caller_whose_redis_stays_away_is_told_so(redis: Redis) -> None:
    with patch("telephony.waiting_line.AWAY_S", 0.1), patch("telephony.waiting_line.LOOK_AGAIN_S", 0.1):
        async with controllers(redis, {}, "one") as (one,):
            place = await one.joins("call")
            await redis.client_pause(9000)
            with pytest.raises(LineAway):
                await in_time(place.operator(), 15)


async def deaf(*_: object, timeout: float = 0) -> None:  # noqa: ASYNC109 - as redis-py has it
    await asyncio.sleep(min(timeout, 0.05))


async def lines(redis: Redis) -> dict[Any, Any]:
    return {key: await redis.zrange(key, 0, -1, withscores=True) for key in await redis.keys("burgernet:line:*")}
