"""Who gets a message: exactly those inside, each phone once, nearest first, however often the writing breaks off."""

from __future__ import annotations

import asyncio
import math
import shutil
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis
from shapely import Point, Polygon
from sqlmodel import col, select, update

from actions.books import Actor
from actions.desk import Desk, Texts
from actions.geography import Area, to_rd, to_wgs
from actions.models import Delivery, DeliveryState, Message, MessageKind
from actions.register import Entry, Register
from actions.seed import seed
from actions.store import Store
from actions.vault import Vault
from alerting.audience import Audiences, chunks, write_next
from alerting.bell import DELIVERIES
from tests.alerting.town import WORDS, Town, X, Y, circle, number, somebody, until

DUTCH: Texts = {"nl": WORDS["nl"]}


async def write_all(town: Town, redis: Redis) -> None:
    while await write_next(town.store, redis):
        pass


def ring(*corners: tuple[float, float]) -> list[list[float]]:
    """Corners in metres from the middle of the town, as a closed GeoJSON ring."""
    points = [to_wgs(X + east, Y + north) for east, north in (*corners, corners[0])]
    return [[lon, lat] for lat, lon in points]


def polygon(*rings: list[list[float]]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


def square(half: float) -> list[list[float]]:
    return ring((-half, -half), (half, -half), (half, half), (-half, half))


async def names(town: Town, action: Any, kind: str = "alert") -> list[str]:
    return [row.to for row in await town.rows(action, kind)]


async def test_a_circle_alerts_those_within_its_radius_and_nobody_else(town: Town, redis: Redis) -> None:
    await town.has(somebody(1), somebody(2, 1995), somebody(3, 2005), somebody(4, 0, -1995), somebody(5, 1500, 1500))
    action = await town.looks_out(circle(2000))
    await write_all(town, redis)
    assert set(await names(town, action)) == {number(1), number(2), number(4)}


async def test_a_hole_in_an_area_is_not_alerted(town: Town, redis: Redis) -> None:
    await town.has(somebody(1), somebody(2, 690), somebody(3, 710), somebody(4, 1490, 1490), somebody(5, 1510, 0))
    action = await town.looks_out(polygon(square(1500), square(700)))
    await write_all(town, redis)
    assert set(await names(town, action)) == {number(3), number(4)}


async def test_a_household_phone_of_two_participants_is_told_once(town: Town, redis: Redis) -> None:
    await town.has(somebody(1, 300), somebody(1, 200), somebody(2, 100))
    action = await town.looks_out()
    await write_all(town, redis)
    assert [(row.to, row.distance) for row in await town.rows(action)] == [(number(2), 100), (number(1), 200)]


@pytest.mark.parametrize(
    ("addresses", "nearest"),
    [
        pytest.param([(1900.0, 0.0), (100.0, 0.0)], 100, id="far first, near second"),
        pytest.param([(100.0, 0.0), (1900.0, 0.0)], 100, id="near first, far second"),
        pytest.param([(0.0, 1900.0), (1000.0, -600.0)], 1166, id="in different directions"),
        pytest.param([(50.0, 0.0), (5000.0, 0.0)], 50, id="one of the two outside"),
    ],
)
async def test_somebody_with_two_addresses_is_told_once_at_the_nearest(
    town: Town, redis: Redis, addresses: list[tuple[float, float]], nearest: int
) -> None:
    await town.has(*(somebody(1, east, north) for east, north in addresses))
    action = await town.looks_out()
    await write_all(town, redis)
    (row,) = await town.rows(action)
    assert row.distance == pytest.approx(nearest, abs=1)


async def test_whoever_signed_off_gets_nothing_and_the_rest_of_the_household_does(town: Town, redis: Redis) -> None:
    await town.has(somebody(1), somebody(2, 10), somebody(2, 20), somebody(3, 30))
    await town.signs_off(1)
    await town.signs_off(2)
    action = await town.looks_out()
    await write_all(town, redis)
    assert [(row.to, row.distance) for row in await town.rows(action)] == [(number(2), 20), (number(3), 30)]


async def test_a_phone_that_opted_out_gets_nothing(town: Town, redis: Redis) -> None:
    await town.has(somebody(1), somebody(2))
    await town.opts_out(1)
    action = await town.looks_out()
    await write_all(town, redis)
    assert await names(town, action) == [number(2)]


@pytest.mark.parametrize(
    ("language", "texts", "read"),
    [
        ("nl", WORDS, "nl"),
        ("en", WORDS, "en"),
        ("en", DUTCH, "nl"),
        ("pl", WORDS, "nl"),
    ],
)
async def test_everybody_reads_the_own_language_or_else_dutch(
    town: Town, redis: Redis, language: str, texts: Texts, read: str
) -> None:
    await town.has(somebody(1, language=language))
    action = await town.looks_out(texts=texts)
    await write_all(town, redis)
    assert [row.language for row in await town.rows(action)] == [read]


async def test_each_channel_of_somebody_gets_its_own_delivery(town: Town, redis: Redis) -> None:
    await town.has(somebody(1, channels=("sms", "voice")))
    action = await town.looks_out()
    await write_all(town, redis)
    assert {row.channel for row in await town.rows(action)} == {"sms", "voice"}


async def test_an_area_where_nobody_lives_is_written_as_such(town: Town, redis: Redis) -> None:
    await town.has(somebody(1, 9000))
    action = await town.looks_out(circle(50))
    await write_all(town, redis)
    assert await town.rows(action) == []
    assert (await town.message(action)).audience_written_at is not None


async def test_deliveries_are_written_nearest_first_over_many_chunks(
    town: Town, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK", 7)
    random = Random(5)
    places = [(random.uniform(-2500, 2500), random.uniform(-2500, 2500)) for _ in range(300)]
    await town.has(*(somebody(name, east, north) for name, (east, north) in enumerate(places)))
    action = await town.looks_out(circle(2000))
    await write_all(town, redis)
    rows = await town.rows(action)
    inside = {number(name) for name, place in enumerate(places) if Point(place).distance(Point(0, 0)) <= 2000}
    assert len(rows) == len(inside)
    assert {row.to for row in rows} == inside
    # The order of writing is by ring of cells; the queue itself orders by distance.
    first, last = rows[: len(rows) // 4], rows[-len(rows) // 4 :]
    assert max(row.distance for row in first) < min(row.distance for row in last)


async def test_the_nearest_of_a_nation_are_written_before_all_are_counted_and_nobody_twice(
    town: Town, redis: Redis
) -> None:
    x, y = Area.parse({"type": "nation"}).centre
    await town.has(*(somebody(name, x - X + name * 700, y - Y) for name in range(40)))
    action, audiences = await town.looks_out({"type": "nation"}), Audiences(town.store, redis)
    assert await audiences.step()
    first = await names(town, action)
    assert first[:3] == [number(0), number(1), number(2)]
    assert len(first) < 10
    while await audiences.step():
        pass
    assert sorted(await names(town, action)) == [number(name) for name in range(40)]
    async with town.store.reading() as session:
        rings = list(await session.exec(select(Delivery.ring).order_by(col(Delivery.distance))))
    assert rings == sorted(rings)


async def test_broken_off_between_chunks_and_begun_again_the_rows_are_the_same(
    town: Town, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK", 5)
    await town.has(*(somebody(name, name * 45) for name in range(40)))
    action = await town.looks_out()
    for _ in range(3):
        with pytest.raises(Broken):
            await write_next(town.store, Breaks(redis, after=2))  # type: ignore[arg-type]
        assert (await town.message(action)).audience_written_at is None
    written = await names(town, action)
    assert 0 < len(written) < 40
    await write_all(town, redis)
    now_there = await names(town, action)
    assert now_there[: len(written)] == written
    assert sorted(now_there) == [number(name) for name in range(40)]


async def test_two_writers_of_one_audience_write_nobody_twice(
    town: Town, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK", 10)
    await town.has(*(somebody(name, name * 10) for name in range(150)))
    action = await town.looks_out()
    await asyncio.gather(write_all(town, redis), write_all(town, redis))
    assert sorted(await names(town, action)) == [number(name) for name in range(150)]


async def test_an_action_that_ends_while_its_audience_is_written_gets_no_more_rows(
    town: Town, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK", 5)
    await town.has(*(somebody(name, name * 45) for name in range(40)))
    action = await town.looks_out()
    with pytest.raises(Broken):
        await write_next(town.store, Breaks(redis, after=2))  # type: ignore[arg-type]
    await town.ends(action)
    before = len(await names(town, action))
    await write_all(town, redis)
    assert len(await names(town, action)) == before < 40


async def test_the_end_stops_the_writing_in_the_middle(
    town: Town, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK", 5)
    await town.has(*(somebody(name, name * 45) for name in range(40)))
    action = await town.looks_out()
    ending = Breaks(redis, after=2, then=lambda: town.ends(action))
    assert await write_next(town.store, ending)  # type: ignore[arg-type]
    assert 0 < len(await names(town, action)) <= 10


async def test_a_message_past_its_deadline_gets_no_audience(town: Town, redis: Redis) -> None:
    await town.has(somebody(1))
    action = await town.looks_out()
    message = await town.message(action)
    async with town.store.writing() as session:
        await session.exec(update(Message).where(col(Message.id) == message.id).values(deadline=message.created_at))
    assert not await write_next(town.store, redis)
    assert await town.rows(action) == []


async def test_the_bell_rings_for_every_chunk(town: Town, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK", 5)
    await town.has(*(somebody(name, name) for name in range(12)))
    async with redis.pubsub(ignore_subscribe_messages=True) as news:
        await news.subscribe(DELIVERIES)
        await town.looks_out()
        await write_all(town, redis)
        rung = 0

        async def three_times() -> bool:
            nonlocal rung
            rung += await news.get_message(timeout=0.1) is not None
            return rung == 3

        await until(three_times, "three rings")


async def test_a_result_goes_to_those_for_whom_an_attempt_began_on_the_same_channel(town: Town, redis: Redis) -> None:
    await town.has(*(somebody(name, name * 10, channels=("sms", "voice")) for name in range(1, 9)))
    action = await town.looks_out()
    await write_all(town, redis)
    states = {
        1: DeliveryState.DELIVERED,
        2: DeliveryState.SENT,
        3: DeliveryState.FAILED,
        4: DeliveryState.SENDING,
        5: DeliveryState.PENDING,
        6: DeliveryState.CANCELLED,
        7: DeliveryState.DELIVERED,
        8: DeliveryState.DELIVERED,
    }
    for name, state in states.items():
        await set_state(town, name, "sms", state)
    await town.opts_out(7)
    await town.signs_off(8)
    await town.ends(action)
    await write_all(town, redis)
    followed = {(row.to, row.channel) for row in await town.rows(action, MessageKind.RESULT)}
    assert followed == {(number(name), "sms") for name in (1, 2, 3, 4)}


async def test_an_update_also_goes_to_those_whom_the_alert_had_not_reached_yet(town: Town, redis: Redis) -> None:
    await town.has(somebody(1, 10), somebody(2, 20), somebody(3, 30), somebody(4, 40))
    action = await town.looks_out()
    await write_all(town, redis)
    await set_state(town, 1, "sms", DeliveryState.DELIVERED)
    await town.opts_out(3)
    await town.signs_off(4)
    await town.updates(action)
    await write_all(town, redis)
    assert {row.to for row in await town.rows(action, MessageKind.UPDATE)} == {number(1), number(2)}


async def test_a_result_reaches_once_whoever_got_an_alert_and_two_updates(town: Town, redis: Redis) -> None:
    await town.has(somebody(1, 10, language="en"), somebody(2, 20))
    action = await town.looks_out()
    for _ in range(2):
        await write_all(town, redis)
        await set_state(town, 1, "sms", DeliveryState.DELIVERED)
        await town.updates(action)
    await write_all(town, redis)
    await town.ends(action)
    await write_all(town, redis)
    (row,) = await town.rows(action, MessageKind.RESULT)
    assert (row.to, row.language, row.distance) == (number(1), "en", 10)


async def set_state(town: Town, name: int, channel: str, state: DeliveryState) -> None:
    """As if an attempt had led to this."""
    this = (col(Delivery.contact_point_id) == await town.contact_point(name)) & (col(Delivery.channel) == channel)
    async with town.store.writing() as session:
        await session.exec(update(Delivery).where(this).values(state=state))


class Broken(Exception):
    """The writer was cut off."""


class Breaks:
    """A Redis that, at the `after`th wake-up, ends the writer; or does `then` instead."""

    def __init__(self, redis: Redis, after: int, then: Any = None) -> None:
        self._redis, self._left, self._then = redis, after, then

    def __getattr__(self, name: str) -> Any:
        return getattr(self._redis, name)

    async def publish(self, channel: str, message: str) -> Any:
        self._left -= 1
        if self._left == 0:
            if self._then is None:
                raise Broken
            await self._then()
        return await self._redis.publish(channel, message)


places = st.tuples(st.integers(-1600, 1600), st.integers(-1600, 1600))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    spokes=st.lists(st.integers(60, 1600), min_size=3, max_size=9),
    people=st.lists(places, min_size=1, max_size=40, unique=True),
)
async def test_exactly_those_whom_shapely_finds_inside_are_alerted(
    spokes: list[int], people: list[tuple[int, int]], sqlite_template: Path, tmp_path: Path, redis: Redis
) -> None:
    turn = 2 * math.pi / len(spokes)
    star = ring(*((far * math.cos(turn * k), far * math.sin(turn * k)) for k, far in enumerate(spokes)))
    exact = Polygon([to_rd(lat, lon) for lon, lat in star])
    file = shutil.copyfile(sqlite_template, tmp_path / "property.db")
    store = Store.open(f"sqlite+aiosqlite:///{file}")
    try:
        await seed(store, Actor("t", "t", "t"), operators_a_room=1)
        town = Town(store, Register(store, Vault({1: bytes(32)})), Desk(store))
        entries: list[Entry] = [somebody(name, *place) for name, place in enumerate(people)]
        await town.has(*entries)
        action = await town.looks_out(polygon(star))
        await write_all(town, redis)
        written = set(await names(town, action))
    finally:
        await store.close()
    assert written == {entry.e164 for entry in entries if exact.intersects(Point(entry.x, entry.y))}
