"""A text after a call, on both databases: exactly when nobody confirmed it, once, and never after the end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from redis.asyncio import Redis
from sqlmodel import col, select, update

from actions.desk import Desk
from actions.matching import OpenAction
from actions.models import Attempt, Call, Delivery, DeliveryState, Message, now
from actions.numbers import CallerKind
from actions.register import Register
from actions.store import Store
from actions.vault import Vaults
from alerting.audience import write_next
from alerting.fall_backs import QUIET
from alerting.fallback import write_fallbacks
from tests.alerting.town import Town, number, somebody


@pytest.fixture
def town(country: Store, vaults: Vaults) -> Town:
    return Town(country, Register(country, vaults.register), Desk(country))


async def called(town: Town, redis: Redis, state: str, kind: str = "alert") -> OpenAction:
    """An action with one person called about a message of this kind, which led to this state."""
    await town.has(somebody(1, channels=("voice",)))
    action = await town.looks_out()
    while await write_next(town.store, redis):
        pass
    if kind != "alert":
        await becomes(town, action, "confirmed")
        await (town.updates(action) if kind == "update" else town.ends(action))
        while await write_next(town.store, redis):
            pass
    await becomes(town, action, state, kind)
    return action


async def becomes(
    town: Town, action: OpenAction, state: str, kind: str = "alert", ago: timedelta = timedelta()
) -> None:
    this = col(Delivery.message_id) == (await town.message(action, kind)).id
    async with town.store.writing() as session:
        await session.exec(update(Delivery).where(this).values(state=state, changed_at=now() - ago))


async def texts(town: Town, redis: Redis, action: OpenAction, kind: str = "alert") -> int:
    """How many texts are written, after three looks."""
    for _ in range(3):
        await write_fallbacks(town.store, redis)
    return [row.channel for row in await town.rows(action, kind)].count("sms")


@pytest.mark.parametrize("kind", ["alert", "update", "result"])
@pytest.mark.parametrize("state", DeliveryState)
async def test_a_text_follows_exactly_when_nobody_confirmed(town: Town, redis: Redis, state: str, kind: str) -> None:
    not_reached = {"machine", "busy", "no_answer", "failed"}
    expected = state in not_reached | (set() if kind == "result" else {"answered"})
    action = await called(town, redis, state, kind)
    assert await texts(town, redis, action, kind) == int(expected)


@pytest.mark.parametrize(("ago", "count"), [(QUIET / 2, 0), (QUIET * 2, 1)])
async def test_a_call_of_which_nothing_more_is_heard_is_followed_after_a_while(
    town: Town, redis: Redis, ago: timedelta, count: int
) -> None:
    action = await called(town, redis, "sent")
    await becomes(town, action, "sent", ago=ago)
    assert await texts(town, redis, action) == count


@pytest.mark.parametrize(("over", "count"), [(False, 0), (True, 1)])
async def test_a_call_that_was_broken_off_is_followed_at_once(town: Town, redis: Redis, over: bool, count: int) -> None:
    action = await called(town, redis, "sent")
    async with town.store.writing() as session:
        (delivery,) = await session.exec(select(Delivery))
        assert delivery.id is not None
        attempt = Attempt(delivery_id=delivery.id, number=1, provider="asterisk", state="sent", deadline=now())
        call = Call(id=attempt.id, attempt_id=attempt.id, dialled="", caller_kind="", ended_at=now() if over else None)
        session.add_all([attempt, call])
    assert await texts(town, redis, action) == count


@pytest.mark.parametrize("how", ["ended", "updated", "past its time"])
async def test_no_text_follows_after_the_end(town: Town, redis: Redis, how: str) -> None:
    action = await called(town, redis, "no_answer")
    match how:
        case "ended":
            await town.ends(action)
        case "updated":
            await town.updates(action)
        case _:
            async with town.store.writing() as session:
                await session.exec(update(Message).values(deadline=now()))
    assert await texts(town, redis, action) == 0


async def test_who_wanted_a_text_anyhow_gets_only_that(town: Town, redis: Redis) -> None:
    await town.has(somebody(1, channels=("voice", "sms")))
    action = await called(town, redis, "no_answer")
    assert await texts(town, redis, action) == 1


@pytest.mark.parametrize("wish", ["stop", "landline"])
async def test_no_text_to_who_wants_or_can_have_none(town: Town, redis: Redis, wish: str) -> None:
    if wish == "landline":
        someone = somebody(2, channels=("voice",))
        await town.has(replace(someone, e164="+31101234567", kind=CallerKind.LANDLINE))
    action = await called(town, redis, "no_answer")
    await becomes(town, action, "no_answer")
    if wish == "stop":
        await town.opts_out(1)
    await texts(town, redis, action)
    assert [row.to for row in await town.rows(action) if row.channel == "sms"] == (
        [] if wish == "stop" else [number(1)]
    )


async def test_the_audience_of_an_action_that_ends_meanwhile_is_not_written_on(town: Town, redis: Redis) -> None:
    await town.has(*(somebody(name, channels=("voice",)) for name in range(50)))
    action = await town.looks_out()
    await town.ends(action)
    while await write_next(town.store, redis):
        pass
    assert await town.rows(action) == []
    assert await town.rows(action, "result") == []
