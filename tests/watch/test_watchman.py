"""What one process sees is told to all: in the log, as a metric, on the board."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from tests.conversations.exchange import until
from watch import board, watchman
from watch.board import PROCESSES, Board, BoardAway
from watch.rules import Alarm, Facts, Severity
from watch.watchman import Look, Watchman

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
AWAY: Facts = {("room_phones", "rotterdam"): 0.0}
WELL: Facts = {("room_phones", "rotterdam"): 1.0}


def sees(*facts: Facts) -> Look:
    """One after the other; the last one stays."""
    left = list(facts)

    async def look() -> Facts:
        return left.pop(0) if len(left) > 1 else left[0]

    return look


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchman, "LOOK_AGAIN_S", 0.02)


def alarm(name: str = "room without phones", subject: str = "rotterdam", red: bool = True) -> Alarm:
    return Alarm(name, subject, Severity.RED if red else Severity.YELLOW, NOON, "do something about it")


def shown(redis: Redis, count: int) -> Callable[[], Awaitable[bool]]:
    async def so() -> bool:
        return len(await Board(redis).alarms()) == count

    return so


async def test_an_alarm_is_logged_once_when_it_begins_and_once_when_it_ends(
    redis: Redis, quick: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "watch")
    registry = CollectorRegistry()
    facts = [AWAY, AWAY, AWAY, WELL]
    running = asyncio.create_task(Watchman("one", [sees(*facts)], Board(redis), registry).run())
    await until(shown(redis, 1), "the alarm on the board")
    labels = {"name": "room without phones", "subject": "rotterdam"}
    assert registry.get_sample_value("burgernet_alarm", labels) == 1
    await until(shown(redis, 0), "the alarm over")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert registry.get_sample_value("burgernet_alarm", labels) is None
    began, ended = caplog.messages
    assert began.startswith("alarm: nobody on duty in room rotterdam")
    assert ended == "the alarm is over: room without phones rotterdam"


async def test_a_process_that_ends_as_it_should_leaves_nothing_on_the_board(redis: Redis, quick: None) -> None:
    running = asyncio.create_task(Watchman("one", [sees(AWAY)], Board(redis), CollectorRegistry()).run())
    await until(shown(redis, 1), "the alarm on the board")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert await Board(redis).alarms() == []
    assert await redis.keys("burgernet:*") == []


async def test_a_look_that_fails_hides_no_other_and_ends_nothing(
    redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails() -> Facts:
        raise RuntimeError("no idea")

    found = await Watchman("one", [fails, sees(AWAY)], Board(redis), CollectorRegistry()).look()
    assert [alarm.name for alarm in found] == ["room without phones"]
    assert caplog.messages == ["a look failed"]


async def test_a_look_that_hangs_hides_no_other(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchman, "LOOK_BOUND_S", 0.05)

    async def hangs() -> Facts:
        await asyncio.get_running_loop().create_future()
        return {}

    found = await Watchman("one", [hangs, sees(AWAY)], Board(redis), CollectorRegistry()).look()
    assert [alarm.name for alarm in found] == ["room without phones"]


async def test_the_board_shows_what_all_processes_see_each_thing_once_the_worst_first(redis: Redis) -> None:
    shared = Board(redis)
    await shared.put("one", [alarm("slow", "one", red=False), alarm()])
    await shared.put("two", [alarm()])
    assert [(one.name, one.subject) for one in await shared.alarms()] == [
        ("room without phones", "rotterdam"),
        ("slow", "one"),
    ]
    assert (await shared.alarms())[0] == alarm()
    assert sorted(await shared.processes()) == ["one", "two"]


async def test_a_process_that_ended_without_a_word_is_itself_an_alarm(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board, "EXPIRY_S", 1)
    shared = Board(redis)
    await shared.put("one", [alarm()])
    await until(lambda: _gone(shared), "the process gone")
    (gone,) = await shared.alarms()
    assert (gone.name, gone.subject, gone.severity) == ("process gone", "one", Severity.RED)
    await shared.put("one", [])
    assert await shared.alarms() == []


async def _gone(shared: Board) -> bool:
    return [alarm.name for alarm in await shared.alarms()] == ["process gone"]


async def test_nobody_is_told_of_a_process_that_ended_long_ago(redis: Redis) -> None:
    await redis.zadd(PROCESSES, {"old": datetime.now(UTC).timestamp() - 90_000})
    shared = Board(redis)
    await shared.put("one", [])
    assert await shared.processes() == ["one"]


async def test_without_redis_the_board_says_so_and_a_process_goes_on_looking(
    quick: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "watch")
    nobody = Redis.from_url("redis://127.0.0.1:1/0")
    with pytest.raises(BoardAway, match="Redis does not answer"):
        await Board(nobody).alarms()
    running = asyncio.create_task(Watchman("one", [sees(AWAY, WELL)], Board(nobody), CollectorRegistry()).run())

    async def over() -> bool:
        return any("is over" in message for message in caplog.messages)

    await until(over, "the alarm over")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await nobody.aclose()
