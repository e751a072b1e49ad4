"""A worker that is killed, at any point, loses nobody and lets nobody be texted twice."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from redis.asyncio import Redis
from sqlmodel import col, update

from actions.desk import Desk
from actions.models import Attempt, DeliveryState, now
from actions.register import Register
from actions.store import Store
from actions.vault import Vault
from stand_ins.twilio import GOOD, Twilio
from tests.alerting.town import Town, until
from tests.alerting.works import ACCOUNT, TOKEN, Works, called_back, once_each
from tests.seeds import SEEDS

S = DeliveryState
PEOPLE = 60
START_S = 20.0


@asynccontextmanager
async def other_process(works: Works, places: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.alerting.worker", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps(places | {"twilio": works.twilio.url, "public": works.public_url}).encode() + b"\n")
    try:
        async with asyncio.timeout(START_S):
            assert await process.stdout.readline() == b"at work\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def every_open_attempt_is_overdue(town: Town) -> None:
    async with town.store.writing() as session:
        still_open = col(Attempt.state) == S.SENDING
        await session.exec(update(Attempt).where(still_open).values(deadline=now() - timedelta(seconds=1)))


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_a_process_killed_at_any_point_is_made_good_by_another(
    country: Store, database_url: str, redis_url: str, redis: Redis, seed: int
) -> None:
    random, key = Random(seed), os.urandom(32)
    town = Town(country, Register(country, Vault({1: key})), Desk(country))
    usual = replace(GOOD, answer_after_s=0.05)
    async with Twilio(ACCOUNT, TOKEN, usual=usual) as twilio, called_back(country) as public_url:
        works = Works(town, redis, twilio, public_url)
        action = await works.alerts(PEOPLE)
        dies_at = random.randrange(1, PEOPLE // 2)
        killed = asyncio.Event()
        places = {"database": database_url, "redis": redis_url, "key": key.hex()}
        async with other_process(works, places) as process:

            def count(_form: dict[str, str]) -> None:
                if len(twilio.requests) >= dies_at and not killed.is_set():
                    process.kill()  # with this request read, others on their way, others written and not begun
                    killed.set()

            twilio.on_request = count
            async with asyncio.timeout(START_S):
                await killed.wait()
                await process.wait()
        await until(lambda: nothing_on_its_way(twilio), "Twilio has taken what reached it")
        assert len(twilio.messages) < PEOPLE
        await every_open_attempt_is_overdue(town)
        async with works.working():
            await works.come_to(action)
    assert works.texted() == once_each(PEOPLE)


async def nothing_on_its_way(twilio: Twilio) -> bool:
    return len(twilio.messages) == len(twilio.requests)


@pytest.mark.parametrize("seed", range(2 * SEEDS))
async def test_tasks_cancelled_at_any_point_are_made_good_by_another(works: Works, seed: int) -> None:
    random = Random(seed)
    works.twilio.usual = replace(GOOD, answer_after_s=0.02)
    action = await works.alerts(20)
    for _ in range(3):
        async with works.working(side_by_side=7) as worker:
            await asyncio.sleep(random.uniform(0.0, 0.15))
            for task in [*worker._crew._tasks]:
                if random.random() < 0.7:
                    task.cancel()
        await until(lambda: nothing_on_its_way(works.twilio), "Twilio has taken what reached it")
        await works.twilio.settled()
        await every_open_attempt_is_overdue(works.town)
    async with works.working():
        await works.come_to(action)
        await works.twilio.settled()
    assert works.texted() == once_each(20)
