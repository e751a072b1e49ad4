"""A search that grows: those newly covered are alerted, nobody twice; a sighting moves it."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from redis.asyncio import Redis
from sqlmodel import col, select

from actions.desk import NewAction, OutOfStep, Refused
from actions.geography import to_rd, to_wgs
from actions.growing import grow
from actions.matching import OpenAction
from actions.models import Action, Audit, Delivery, DeliveryState, Message, MessageKind, MessageText, Outbox, now
from actions.models import Sighting as Kept
from actions.search import Means, Search
from actions.sightings import Seen, Sightings
from alerting.audience import Audiences, chunks
from alerting.widening import widen
from tests.alerting.test_audience import names, set_state, write_all
from tests.alerting.town import ACTOR, LAT, LON, WORDS, Town, X, Y, number, somebody


async def searched(town: Town, means: Means = Means.WALK, minutes: float = 0, heading: int | None = None) -> OpenAction:
    seen = Search(LAT, LON, now() - timedelta(minutes=minutes), means, heading)
    area = seen.area("missing_child", now())  # type: ignore[arg-type]
    return await town.desk.start_action(NewAction("missing_child", "rotterdam", area, WORDS, search=seen), ACTOR)


async def later(town: Town, action: OpenAction, minutes: float) -> None:
    """So much time passes for the search."""
    async with town.store.writing() as session:
        row = await session.get_one(Action, action.id)
        assert row.search
        moved = {
            name: (datetime.fromisoformat(row.search[name]) - timedelta(minutes=minutes)).isoformat()
            for name in ("seen_at", "grows_at")
        }
        row.search = {**row.search, **moved}


async def kept(town: Town, action: OpenAction) -> Action:
    async with town.store.reading() as session:
        return await session.get_one(Action, action.id)


def east(metres: float) -> tuple[float, float]:
    return to_wgs(X + metres, Y)


async def test_an_area_that_grows_alerts_those_newly_covered_alone(town: Town, redis: Redis) -> None:
    await town.has(*(somebody(name, name * 400) for name in range(12)))
    action = await searched(town)
    await write_all(town, redis)
    first = await names(town, action)
    assert 0 < len(first) < 12
    for name in range(len(first)):
        await set_state(town, name, "sms", DeliveryState.DELIVERED)
    assert not await widen(town.store, redis)
    assert (await town.message(action)).audience_written_at is not None  # it was not due
    await later(town, action, 20)
    await widen(town.store, redis)
    await write_all(town, redis)
    second = await names(town, action)
    assert second[: len(first)] == first
    assert len(first) < len(second) < 12
    states = {row.to: row.state for row in await town.rows(action)}
    assert [states[one] for one in first] == ["delivered"] * len(first)
    assert {states[one] for one in second[len(first) :]} == {"pending"}


async def test_rings_go_on_counting_when_a_search_grows(town: Town, redis: Redis) -> None:
    await town.has(*(somebody(name, name * 400) for name in range(12)))
    action = await searched(town)
    await write_all(town, redis)
    before = (await town.message(action)).rings
    await later(town, action, 20)
    await widen(town.store, redis)
    await write_all(town, redis)
    async with town.store.reading() as session:
        rings = list(await session.exec(select(Delivery.ring).order_by(col(Delivery.id))))
    first = [ring for ring in rings if ring <= before]
    assert rings[: len(first)] == first
    assert rings[len(first) :]
    assert min(rings[len(first) :]) > before
    assert (await town.message(action)).rings >= max(rings)


async def test_a_search_that_grows_while_it_is_written_leaves_nobody_out(
    town: Town, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK", 1)
    await town.has(*(somebody(name, name * 300) for name in range(10)))
    action = await searched(town)
    audiences = Audiences(town.store, redis)
    assert await audiences.step()
    await later(town, action, 30)
    await widen(town.store, redis)
    while await audiences.step():
        pass
    assert {number(name) for name in range(9)} <= set(await names(town, action))


async def test_growing_is_written_down_and_stops_with_the_action(town: Town, redis: Redis) -> None:
    action = await searched(town)
    await later(town, action, 20)
    await asyncio.gather(*(widen(town.store, redis) for _ in range(3)))
    async with town.store.reading() as session:
        assert [row.verb for row in await session.exec(select(Audit)) if row.object_kind == "action"] == [
            "start",
            "grow",
        ]
        assert [row.kind for row in await session.exec(select(Outbox)) if row.kind == "action.area"] == ["action.area"]
    before = (await kept(town, action)).area
    await later(town, action, 20)
    await town.ends(action)
    assert not await grow(town.store, action.id, now())
    assert (await kept(town, action)).area == before


async def test_a_sighting_moves_the_search_and_followers_hear_of_it(town: Town, redis: Redis) -> None:
    await town.has(somebody(1), somebody(2, 50), somebody(3, 6000))
    await town.is_somebody(1, follows=True)
    action = await searched(town, minutes=5)
    await write_all(town, redis)
    for name in (1, 2):
        await set_state(town, name, "sms", DeliveryState.DELIVERED)
    await Sightings(town.store).add(action.code, Seen(*east(6000), now(), 90), ACTOR)
    await write_all(town, redis)
    assert await names(town, action) == [number(1), number(2), number(3)]
    assert await names(town, action, MessageKind.UPDATE) == [number(1)]
    moved = await kept(town, action)
    assert (moved.x, moved.y) == pytest.approx((X + 6000, Y), abs=1)
    assert moved.search
    assert moved.search["heading"] == 90
    async with town.store.reading() as session:
        update_of = await town.message(action, MessageKind.UPDATE)
        texts = await session.exec(select(MessageText).where(MessageText.message_id == update_of.id))
        assert {text.language: text.body[:20] for text in texts} == {
            "nl": "Iemand heeft iets ge",
            "en": "Somebody saw somethi",
        }
        verbs = [row.verb for row in await session.exec(select(Audit)) if row.object_kind == "sighting"]
    assert verbs == ["confirm"]
    assert (await town.message(action)).stopped_at is None


async def test_a_citizens_sighting_moves_it_once_it_is_believed_and_an_old_one_never(town: Town, redis: Redis) -> None:
    action = await searched(town, minutes=5)
    x, y = to_rd(*east(3000))
    old, new = (Kept(action_id=action.id, x=x, y=y, seen_at=now() - timedelta(minutes=minutes)) for minutes in (30, 1))
    ids = old.id, new.id
    async with town.store.writing() as session:
        session.add_all([old, new])
    before = (await kept(town, action)).area
    await Sightings(town.store).confirm(ids[0], ACTOR)
    assert (await kept(town, action)).area == before
    await asyncio.gather(*(Sightings(town.store).confirm(ids[1], ACTOR) for _ in range(3)))
    after = await kept(town, action)
    assert after.area != before
    assert after.search
    assert after.search["growth"] == 1
    listed = await Sightings(town.store).of_action(action.code, ACTOR)
    assert [one.id for one in listed] == [ids[1], ids[0]]
    assert all(one.confirmed_at for one in listed)


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (Seen(0, 0, now()), "outside"),
        (Seen(LAT, LON, now() + timedelta(days=1)), "ahead"),
        (Seen(LAT, LON, now(), 400), "359"),
    ],
)
async def test_a_sighting_that_makes_no_sense_is_refused(town: Town, seen: Seen, said: str) -> None:
    action = await searched(town)
    with pytest.raises(Refused, match=said):
        await Sightings(town.store).add(action.code, seen, ACTOR)


async def test_after_the_end_no_sighting_moves_anything(town: Town) -> None:
    action = await searched(town)
    await town.ends(action)
    with pytest.raises(OutOfStep, match="its search is over"):
        await Sightings(town.store).add(action.id, Seen(LAT, LON, now()), ACTOR)
    with pytest.raises(Refused, match="no sighting"):
        await Sightings(town.store).confirm("0" * 32, ACTOR)


async def test_a_sighting_of_an_action_without_search_is_kept(town: Town) -> None:
    action = await town.looks_out()
    one = await Sightings(town.store).add(action.code, Seen(LAT, LON, now()), ACTOR)
    assert one.confirmed_at
    assert (await kept(town, action)).search is None


async def test_those_who_follow_hear_only_of_the_newest_place(town: Town, redis: Redis) -> None:
    await town.has(somebody(1))
    await town.is_somebody(1, follows=True)
    action = await searched(town, minutes=5)
    await write_all(town, redis)
    await set_state(town, 1, "sms", DeliveryState.DELIVERED)
    for minutes in (3, 2):
        await Sightings(town.store).add(
            action.code, Seen(*east(1000 * minutes), now() - timedelta(minutes=minutes)), ACTOR
        )
    async with town.store.reading() as session:
        query = select(Message).where(col(Message.followers)).order_by(col(Message.id))
        assert [message.stopped_at is None for message in await session.exec(query)] == [False, True]
    await write_all(town, redis)
    assert await names(town, action, MessageKind.UPDATE) == [number(1)]
