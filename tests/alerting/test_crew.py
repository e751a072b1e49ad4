"""Tasks under way: counted, bounded, and none forgotten."""

from __future__ import annotations

import asyncio
import logging

import pytest

from alerting.crew import Crew

BOUND_S = 5.0


async def until(event: asyncio.Event) -> None:
    await event.wait()


async def test_a_crew_counts_who_is_under_way() -> None:
    crew, done = Crew(3), asyncio.Event()
    crew.start(until(done))
    crew.start(until(done))
    assert crew.free == 1
    done.set()
    await crew.finish(BOUND_S)
    assert crew.free == 3


async def test_places_come_free_as_tasks_end() -> None:
    crew, first, second = Crew(2), asyncio.Event(), asyncio.Event()
    crew.start(until(first))
    crew.start(until(second))
    waiting = asyncio.create_task(crew.until_free(1))
    await asyncio.sleep(0)
    assert not waiting.done()
    first.set()
    await asyncio.wait_for(waiting, BOUND_S)
    assert crew.free == 1
    second.set()
    await crew.finish(BOUND_S)


async def test_a_task_that_fails_is_logged_and_takes_nobody_with_it(caplog: pytest.LogCaptureFixture) -> None:
    async def fails() -> None:
        raise ValueError("broken")

    crew, done = Crew(2), asyncio.Event()
    crew.start(until(done))
    with caplog.at_level(logging.ERROR):
        crew.start(fails())
        await crew.until_free(1)
    assert "ValueError" in caplog.text
    assert crew.free == 1
    done.set()
    await crew.finish(BOUND_S)


async def test_finishing_waits_for_what_is_under_way() -> None:
    crew, ended = Crew(1), asyncio.Event()

    async def takes_a_moment() -> None:
        await asyncio.sleep(0.05)
        ended.set()

    crew.start(takes_a_moment())
    await crew.finish(BOUND_S)
    assert ended.is_set()


async def test_finishing_ends_after_its_bound_whatever_hangs() -> None:
    crew, cleaned = Crew(1), asyncio.Event()

    async def hangs() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.set()

    crew.start(hangs())
    await asyncio.wait_for(crew.finish(0.05), BOUND_S)
    assert cleaned.is_set()
    assert crew.free == 1


async def test_an_idle_crew_has_nothing_to_finish() -> None:
    await asyncio.wait_for(Crew(1).finish(BOUND_S), 0.1)
