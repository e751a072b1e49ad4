"""Working on a queue: at once at the bell, by looking when there is none, and through outages."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from sqlalchemy.exc import OperationalError

from actions.live import wake
from alerting import bell
from alerting.bell import DELIVERIES, work
from burgernet.embedded import free_port
from tests.alerting.town import until

BOUND_S = 5.0


class Steps:
    """A queue of answers a step gives: true (there is more), false (nothing), or something to raise."""

    def __init__(self, *answers: bool | Exception) -> None:
        self._answers = list(answers)
        self.taken = 0
        self._news = asyncio.Condition()

    async def __call__(self) -> bool:
        answer = self._answers.pop(0) if self._answers else False
        async with self._news:
            self.taken += 1
            self._news.notify_all()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def reach(self, count: int) -> None:
        async with asyncio.timeout(BOUND_S), self._news:
            await self._news.wait_for(lambda: self.taken >= count)


@asynccontextmanager
async def working(redis: Redis, step: Callable[[], Awaitable[bool]]) -> AsyncIterator[None]:
    task = asyncio.create_task(work(redis, DELIVERIES, "the test", step))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def listening(redis: Redis) -> None:
    async def heard() -> bool:
        return bool((await redis.pubsub_numsub(DELIVERIES))[0][1])

    await until(heard, "somebody listens to the bell")


@pytest.fixture
async def nowhere() -> AsyncIterator[Redis]:
    """A Redis that is not there."""
    client = Redis(port=free_port(), decode_responses=True, retry=Retry(NoBackoff(), 0))
    yield client
    await client.aclose()


async def test_as_long_as_there_is_more_it_goes_on_at_once(redis: Redis) -> None:
    steps = Steps(True, True, True, False)
    async with working(redis, steps), asyncio.timeout(bell.POLL_S / 2):
        await steps.reach(4)


async def test_the_bell_ends_the_wait(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bell, "POLL_S", 60.0)
    steps = Steps()
    async with working(redis, steps):
        await steps.reach(1)
        await listening(redis)
        await wake(redis, DELIVERIES)
        await steps.reach(2)


async def test_a_bell_during_a_step_is_not_lost(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bell, "POLL_S", 60.0)
    steps, begun, go = Steps(), asyncio.Event(), asyncio.Event()

    async def slow() -> bool:
        begun.set()
        await go.wait()
        return await steps()

    async with working(redis, slow):
        await listening(redis)
        await begun.wait()
        assert await redis.publish(DELIVERIES, "") == 1
        go.set()
        await steps.reach(2)


async def test_without_a_bell_it_looks_by_itself(nowhere: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bell, "POLL_S", 0.02)
    steps = Steps()
    async with working(nowhere, steps):
        await steps.reach(5)


async def test_a_database_that_is_away_is_tried_again_and_its_return_told(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(bell, "LONGEST_PAUSE_S", 0.01)
    away = OperationalError("SELECT", None, Exception("refused"))
    steps = Steps(away, ConnectionRefusedError(), TimeoutError(), True, False)
    with caplog.at_level(logging.WARNING):
        async with working(redis, steps):
            await steps.reach(5)
    assert caplog.text.count("no database") == 3
    assert caplog.text.count("the database is back") == 1


async def test_a_fault_of_our_own_is_not_taken_for_an_outage(redis: Redis) -> None:
    with pytest.raises(ExceptionGroup) as raised:
        await asyncio.wait_for(work(redis, DELIVERIES, "the test", Steps(KeyError("ours"))), BOUND_S)
    assert raised.group_contains(KeyError)
