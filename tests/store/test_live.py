"""The open actions in memory."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from actions import live
from actions.books import Actor
from actions.desk import Desk, NewAction
from actions.live import OpenActions, wake
from actions.matching import OpenAction
from actions.store import Store
from burgernet.embedded import free_port

CIRCLE = {"type": "circle", "lat": 51.9225, "lon": 4.47917, "radius": 2000}
TEXTS = {"nl": ("de blauwe Golf", "Kijk uit naar een blauwe Golf.")}
NEW = NewAction("look_out", "rotterdam", CIRCLE, TEXTS)


@pytest.fixture
def desk(country: Store) -> Desk:
    return Desk(country)


@pytest.fixture
async def no_redis() -> AsyncIterator[Redis]:
    client = Redis.from_url(f"redis://127.0.0.1:{free_port()}/0", decode_responses=True, retry=Retry(NoBackoff(), 0))
    yield client
    await client.aclose()


async def until(wanted: Callable[[], bool], bound_s: float = 10) -> None:
    async with asyncio.timeout(bound_s):
        while not wanted():  # noqa: ASYNC110 - a list in memory tells nobody
            await asyncio.sleep(0.01)


@asynccontextmanager
async def running(actions: OpenActions) -> AsyncIterator[None]:
    task = asyncio.create_task(actions.run())
    try:
        yield
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.wait([task], timeout=10)


async def test_before_the_first_look_there_are_none(desk: Desk, redis: Redis) -> None:
    assert list(OpenActions(desk, redis).now()) == []


async def test_a_look_finds_the_open_actions_newest_first(desk: Desk, redis: Redis, actor: Actor) -> None:
    first, second = [await desk.start_action(NEW, actor) for _ in range(2)]
    actions = OpenActions(desk, redis)
    await actions.refresh()
    assert list(actions.now()) == [second, first]
    await desk.end_action(first.code, "none", TEXTS, actor)
    await actions.refresh()
    assert list(actions.now()) == [second]


class Moody(Desk):
    """A desk whose database goes away, or hangs, when told."""

    mood = "well"

    async def open_actions(self) -> list[OpenAction]:
        if self.mood == "away":
            raise ConnectionRefusedError
        if self.mood == "hangs":
            await asyncio.Event().wait()
        return await super().open_actions()


@pytest.mark.parametrize("mood", ["away", "hangs"])
async def test_the_last_ones_stay_while_the_database_does_not_answer(
    country: Store,
    redis: Redis,
    actor: Actor,
    mood: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(live, "ANSWER_S", 0.2)
    desk = Moody(country)
    started = await desk.start_action(NEW, actor)
    actions = OpenActions(desk, redis)
    await actions.refresh()
    desk.mood = mood
    with caplog.at_level(logging.WARNING):
        await actions.refresh()
    assert list(actions.now()) == [started]
    assert "open actions not refreshed" in caplog.text
    desk.mood = "well"
    await desk.end_action(started.code, "none", TEXTS, actor)
    await actions.refresh()
    assert list(actions.now()) == []


async def test_a_wake_up_brings_a_new_action_at_once(
    desk: Desk, redis: Redis, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "REFRESH_S", 60.0)
    actions = OpenActions(desk, redis)
    first = await desk.start_action(NEW, actor)
    async with running(actions):
        await until(lambda: list(actions.now()) == [first])
        second = await desk.start_action(NEW, actor)
        await wake(redis)
        await until(lambda: list(actions.now()) == [second, first])


async def test_without_a_wake_up_it_is_found_at_the_next_look(
    desk: Desk, redis: Redis, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "REFRESH_S", 0.05)
    actions = OpenActions(desk, redis)
    async with running(actions):
        started = await desk.start_action(NEW, actor)
        await until(lambda: list(actions.now()) == [started])


async def test_without_redis_it_is_found_all_the_same(
    desk: Desk, no_redis: Redis, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "REFRESH_S", 0.05)
    actions = OpenActions(desk, no_redis)
    async with running(actions):
        started = await desk.start_action(NEW, actor)
        await until(lambda: list(actions.now()) == [started])


async def test_a_wake_up_without_redis_is_no_error(no_redis: Redis) -> None:
    await wake(no_redis)
