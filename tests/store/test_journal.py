"""The journal, on both databases: read in order, each event once, whatever order transactions end in."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlmodel import select

from actions import journal as module
from actions.books import tell
from actions.journal import Follower, Journal
from actions.models import Outbox, now
from actions.store import Store


async def happens(store: Store, *subjects: str, kind: str = "room.changed") -> None:
    async with store.writing() as session:
        for subject in subjects:
            tell(session, kind, subject)
            await session.flush()


async def begun(store: Store) -> Follower:
    follower = Follower(Journal(store))
    await follower.begin()
    return follower


async def told(follower: Follower, looks: int = 4) -> list[str]:
    return [news.subject for _ in range(looks) for news in await follower.next(100)]


async def test_what_comes_after_the_beginning_is_told_once_and_in_order(store: Store) -> None:
    await happens(store, "before")
    follower = await begun(store)
    assert await told(follower) == []
    await happens(store, "a", "b")
    await happens(store, "c")
    assert await told(follower) == ["a", "b", "c"]
    assert await told(follower) == []


async def test_more_than_fits_in_a_look_comes_with_the_next(store: Store) -> None:
    follower = await begun(store)
    await happens(store, *"abcdef")
    assert [[news.subject for news in await follower.next(4)] for _ in range(3)] == [[*"abcd"], [*"ef"], []]


async def test_a_transaction_that_ends_later_than_one_with_a_higher_id_is_not_passed_over(postgres_url: str) -> None:
    store = Store.open(postgres_url)
    follower = await begun(store)
    async with store.writing() as slow:
        tell(slow, "room.changed", "slow")
        await slow.flush()
        await happens(store, "quick")
        assert await told(follower, looks=6) == []
        assert (await follower.next(100), follower.last) == ([], follower.last)
    assert await told(follower) == ["slow", "quick"]
    await store.close()


async def test_a_transaction_that_was_undone_keeps_nobody_waiting(postgres_url: str) -> None:
    store = Store.open(postgres_url)
    follower = await begun(store)
    with suppress(ZeroDivisionError):
        async with store.writing() as session:
            tell(session, "room.changed", "undone")
            await session.flush()
            raise ZeroDivisionError
    await happens(store, "kept")
    assert await told(follower) == ["kept"]
    await store.close()


async def test_a_transaction_that_never_ends_keeps_nobody_waiting_for_ever(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, moment = Store.open(postgres_url), [0.0]
    follower = Follower(Journal(store), clock=lambda: moment[0])
    await follower.begin()
    async with store.writing() as stuck:
        tell(stuck, "room.changed", "stuck")
        await stuck.flush()
        await happens(store, "kept")
        assert await told(follower) == []
        moment[0] = module.LONGEST_GAP_S + 1
        assert await told(follower) == ["kept"]
    await store.close()


async def test_who_begins_waits_for_what_could_still_come_before(postgres_url: str) -> None:
    store = Store.open(postgres_url)
    async with store.writing() as slow:
        tell(slow, "room.changed", "slow")
        await slow.flush()
        await happens(store, "quick")
        beginning = asyncio.create_task(begun(store))
        done, _ = await asyncio.wait({beginning}, timeout=0.3)
        assert not done
    follower = await beginning
    await happens(store, "after")
    assert await told(follower) == ["after"]
    await store.close()


async def test_many_writers_at_once_lose_nothing_and_double_nothing(store: Store) -> None:
    follower = await begun(store)
    heard: list[str] = []

    async def writes(name: int) -> None:
        for each in range(5):
            async with store.writing() as session:
                tell(session, "room.changed", f"{name}-{each}")
                await session.flush()
                await asyncio.sleep(0.001 * (name % 3))

    writing = asyncio.gather(*(writes(name) for name in range(6)))
    while not writing.done():
        heard += await told(follower, looks=1)
        await asyncio.sleep(0)
    heard += await told(follower, looks=5)
    assert sorted(heard) == sorted(f"{name}-{each}" for name in range(6) for each in range(5))


async def test_old_events_are_removed_but_ids_go_on(store: Store) -> None:
    await happens(store, *"abc")
    async with store.writing() as session:
        for row in await session.exec(select(Outbox)):
            row.at = now() - timedelta(hours=2)
    await happens(store, "d")
    journal = Journal(store)
    assert not await journal.prune(timedelta(hours=1))
    assert [news.subject for news in await journal.after(0, 10)] == ["d"]
    assert not await journal.prune(timedelta(0))
    oldest, newest = await journal.bounds()
    assert oldest == newest == 4
    await happens(store, "e")
    assert (await journal.bounds())[1] == 5


async def test_each_event_has_the_room_that_it_concerns(country: Store) -> None:
    await happens(country, "rotterdam")
    await happens(country, "rotterdam-1", kind="operator.duty")
    await happens(country, "none", kind="tip.received")
    async with country.writing() as session:
        tell(session, "region.served", "limburg", room="rotterdam")
    found = await Journal(country).after(0, 100)
    rooms = {news.kind: news.room_id for news in found if news.subject != "country"}
    assert rooms == {
        "room.changed": "rotterdam",
        "operator.duty": "rotterdam",
        "tip.received": None,
        "region.served": "rotterdam",
    }
