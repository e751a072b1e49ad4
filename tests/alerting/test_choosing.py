"""Who of those in the area gets a message, and when: kinds, quiet hours, languages, ages, exercises, who follows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from redis.asyncio import Redis
from sqlmodel import col, select, update

from actions.matching import OpenAction
from actions.models import (
    Action,
    Address,
    ContactPoint,
    Delivery,
    DeliveryState,
    Kind,
    Message,
    MessageKind,
    Subscription,
    bits,
    now,
)
from actions.store import Store
from alerting.audience import Audiences, chunks, lease
from alerting.audience.awaited import SHORT, Waiting, turn
from alerting.audience.quiet import DAY, ZONE, Night, due, minute_of
from tests.alerting.test_audience import names, set_state, write_all
from tests.alerting.town import Town, circle, number, somebody, until


async def change(town: Town, action: OpenAction, **values: Any) -> None:
    async with town.store.writing() as session:
        await session.exec(update(Action).where(col(Action.id) == action.id).values(**values))


async def due_of(town: Town, action: OpenAction, name: int) -> datetime:
    point, message = await town.contact_point(name), await town.message(action)
    async with town.store.reading() as session:
        query = select(Delivery.due_at).where(
            col(Delivery.contact_point_id) == point, col(Delivery.message_id) == message.id
        )
        return (await session.exec(query)).one()


def quiet_now(hours: int = 2) -> dict[str, int]:
    """Quiet hours in the middle of which it is now."""
    minute = minute_of(now())
    return {"quiet_from": (minute - 60 * hours) % DAY, "quiet_until": (minute + 60 * hours) % DAY}


@pytest.mark.parametrize("kind", Kind)
async def test_only_the_kinds_that_somebody_wants_come(town: Town, redis: Redis, kind: Kind) -> None:
    await town.has(somebody(1), somebody(2), somebody(3))
    await town.wishes(1, kinds=kind.bit)
    await town.wishes(2, kinds=bits(Kind) - kind.bit)
    await town.wishes(3, kinds=bits(Kind))
    action = await town.looks_out(kind=kind)
    await write_all(town, redis)
    assert set(await names(town, action)) == {number(1), number(3)}


async def test_who_sleeps_gets_it_in_the_morning_who_may_be_woken_now_and_who_sleeps_too_long_never(
    town: Town, redis: Redis
) -> None:
    await town.has(somebody(1), somebody(2), somebody(3), somebody(4))
    await town.wishes(1, **quiet_now(), wakes=0)
    await town.wishes(2, **quiet_now(), wakes=Kind.LOOK_OUT.bit)
    await town.wishes(3, **quiet_now(5), wakes=0)  # a look-out is worth sending for four hours
    action = await town.looks_out()
    await write_all(town, redis)
    assert set(await names(town, action)) == {number(1), number(2), number(4)}
    end = await due_of(town, action, 1)
    assert minute_of(end) == quiet_now()["quiet_until"] or abs(end - now() - timedelta(hours=2)) < timedelta(minutes=2)
    assert await due_of(town, action, 2) <= now()
    assert await due_of(town, action, 4) <= now()


async def test_an_operators_reason_wakes_everybody(town: Town, redis: Redis) -> None:
    await town.has(somebody(1))
    await town.wishes(1, **quiet_now(), wakes=0)
    action = await town.looks_out()
    await change(town, action, quiet_reason="life in danger")
    await write_all(town, redis)
    assert await due_of(town, action, 1) <= now()


@pytest.mark.parametrize("chunk", [1, 10_000])
async def test_of_two_addresses_the_earliest_hours_and_the_nearest_place_count(
    town: Town, redis: Redis, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(chunks, "CHUNK", chunk)
    await town.has(somebody(1, 100), somebody(1, 1900))
    point = await town.contact_point(1)
    async with town.store.writing() as session:
        near = select(Address.id).order_by(col(Address.x)).limit(1).scalar_subquery()
        this = (col(Subscription.contact_point_id) == point) & (col(Subscription.address_id) == near)
        await session.exec(update(Subscription).where(this).values(**quiet_now(), wakes=0))
    action = await town.looks_out()
    await write_all(town, redis)
    (row,) = await town.rows(action)
    assert row.distance == 100
    assert await due_of(town, action, 1) <= now()


async def test_a_choice_of_languages_and_ages(town: Town, redis: Redis) -> None:
    year = now().year
    people = {1: ("nl", year - 30), 2: ("nl", year - 17), 3: ("en", year - 30), 4: ("nl", year - 71), 5: ("nl", None)}
    await town.has(*(somebody(name, language=language) for name, (language, _) in people.items()))
    for name, (_, born) in people.items():
        await town.is_somebody(name, birth_year=born)
    expected: list[tuple[Mapping[str, Any], set[int]]] = [
        ({"languages": ["en"]}, {3}),
        ({"min_age": 18}, {1, 3, 4}),
        ({"max_age": 70}, {1, 2, 3}),
        ({"languages": ["nl"], "min_age": 17, "max_age": 30}, {1, 2}),
        ({}, {1, 2, 3, 4, 5}),
    ]
    for choice, chosen in expected:
        action = await town.looks_out()
        await change(town, action, audience=choice)
        await write_all(town, redis)
        assert set(await names(town, action)) == {number(name) for name in chosen}


@pytest.mark.parametrize("exercise", [True, False])
async def test_exercises_reach_participants_of_exercises_and_nothing_else_does(
    town: Town, redis: Redis, exercise: bool
) -> None:
    await town.has(somebody(1), somebody(2))
    await town.is_somebody(1, exercise=True)
    action = await town.looks_out()
    await change(town, action, exercise=exercise)
    await write_all(town, redis)
    assert await names(town, action) == [number(1 if exercise else 2)]
    await set_state(town, 1 if exercise else 2, "sms", DeliveryState.DELIVERED)
    await town.is_somebody(1 if exercise else 2, exercise=not exercise)
    await town.ends(action)
    await write_all(town, redis)
    assert await names(town, action, MessageKind.RESULT) == []


async def test_where_nothing_arrives_nothing_is_sent(town: Town, redis: Redis) -> None:
    await town.has(somebody(1), somebody(2))
    point = await town.contact_point(1)
    async with town.store.writing() as session:
        this = col(ContactPoint.id) == point
        await session.exec(update(ContactPoint).where(this).values(unreachable_since=now(), unreachable_why="no such"))
    action = await town.looks_out()
    await write_all(town, redis)
    assert await names(town, action) == [number(2)]


async def test_an_update_for_followers_goes_to_those_alerted_who_follow(town: Town, redis: Redis) -> None:
    await town.has(*(somebody(name) for name in (1, 2, 3)))
    await town.is_somebody(1, follows=True)
    await town.is_somebody(3, follows=True)
    action = await town.looks_out()
    await write_all(town, redis)
    for name in (1, 2):
        await set_state(town, name, "sms", DeliveryState.DELIVERED)
    await town.updates(action)
    update_of = await town.message(action, MessageKind.UPDATE)
    async with town.store.writing() as session:
        await session.exec(update(Message).where(col(Message.id) == update_of.id).values(followers=True))
    await write_all(town, redis)
    assert await names(town, action, MessageKind.UPDATE) == [number(1)]


async def test_rings_count_from_the_nearest_and_the_message_knows_how_many(town: Town, redis: Redis) -> None:
    await town.has(*(somebody(name, name * 230) for name in range(20)))
    action = await town.looks_out(circle(5000))
    await write_all(town, redis)
    message = await town.message(action)
    async with town.store.reading() as session:
        found = select(Delivery.ring, Delivery.distance).order_by(col(Delivery.distance))
        rows = list(await session.exec(found))
    assert [ring for ring, _ in rows] == sorted(ring for ring, _ in rows)
    assert {ring for ring, _ in rows} == set(range(1, 1 + max(ring for ring, _ in rows)))
    assert message.rings >= max(ring for ring, _ in rows) > 2


@pytest.mark.parametrize("seed", range(3))
async def test_the_rule_of_quiet_hours_and_its_sql_agree(store: Store, seed: int) -> None:
    random = Random(seed)
    nights = ["2026-03-28T12:00", "2026-10-24T12:00", "2026-06-01T00:00"]
    hours = [(random.randrange(DAY), random.randrange(DAY), random.randrange(32)) for _ in range(250)]
    async with store.writing() as session:
        session.add_all(
            Subscription(
                address_id=place, contact_point_id=1, channel="sms", wakes=wakes, quiet_from=begin, quiet_until=end
            )
            for place, (begin, end, wakes) in enumerate(hours)
        )
    for _ in range(12):
        at = datetime.fromisoformat(random.choice(nights)).replace(tzinfo=ZONE).astimezone(UTC)
        at += timedelta(minutes=random.randrange(DAY), seconds=random.randrange(60))
        deadline = at + timedelta(minutes=random.choice([60, 240, 700, 1440]))
        kind, reason = random.choice(list(Kind)), random.choice([None, None, "life in danger"])
        night = Night(at, deadline, kind, reason)
        async with store.reading() as session:
            moment = store.minutes_after(night.start, night.wait)
            query = select(Subscription.id, night.wait, moment).where(night.in_time)
            rows = {key: (wait, then) for key, wait, then in await session.exec(query)}
            every = list(await session.exec(select(Subscription)))
        by_rule = {given.id: due(at, deadline, kind, reason, given) for given in every}
        by_sql = {key: at if wait == 0 else then for key, (wait, then) in rows.items()}
        assert by_sql == {key: then for key, then in by_rule.items() if then}


def test_turns_go_to_what_has_hardly_begun_then_to_the_most_urgent() -> None:
    huge, amber, small = Waiting(1, "alert", "look_out"), Waiting(2, "alert", "amber"), Waiting(3, "alert", "look_out")
    result = Waiting(4, "result", "look_out")
    assert turn(amber, 0) < turn(huge, 200)
    assert turn(amber, 200) < turn(huge, 200)
    assert turn(small, SHORT - 1) < turn(amber, SHORT)
    assert turn(amber, 0) < turn(small, 0) < turn(result, 0)
    assert turn(huge, 0) < turn(small, 0)


async def test_an_amber_that_starts_while_another_audience_is_written_goes_first(
    town: Town, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK", 3)
    await town.has(*(somebody(name, name * 40) for name in range(40)))
    look_out, audiences = await town.looks_out(), Audiences(town.store, redis)
    for _ in range(SHORT + 1):
        assert await audiences.step()
    before = len(await names(town, look_out))
    amber = await town.looks_out(kind="amber")

    async def amber_is_written() -> bool:
        assert await audiences.step()
        return (await town.message(amber)).audience_written_at is not None

    await until(amber_is_written, "the audience of the AMBER is written")
    assert len(await names(town, amber)) == 40
    assert len(await names(town, look_out)) == before < 40
    while await audiences.step():
        pass
    assert len(await names(town, look_out)) == 40


async def test_a_second_process_leaves_an_audience_to_the_one_that_writes_it(
    town: Town, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK", 3)
    monkeypatch.setattr(lease, "LEASE_MS", 60_000)
    await town.has(*(somebody(name, name * 40) for name in range(20)))
    first_action = await town.looks_out()
    one, other = Audiences(town.store, redis), Audiences(town.store, redis)
    assert await one.step()
    assert not await other.step()
    second_action = await town.looks_out()
    assert await other.step()  # another message is not held up
    while await other.step():
        pass
    assert len(await names(town, second_action)) == 20
    assert len(await names(town, first_action)) < 20
    await one.leave_all()
    while await other.step():
        pass
    assert len(await names(town, first_action)) == 20
