"""`burgernet alarms` and `burgernet doctor`: what is wrong, with words; exit status 1 when something is red."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from redis.asyncio import Redis

from burgernet.settings import Settings
from tests.truth.conftest import Command
from watch.board import Board
from watch.rules import Alarm, Severity

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
YELLOW = Alarm("trunk full", "carrier", Severity.YELLOW, NOON, "ask for more channels")
RED = Alarm("room without phones", "rotterdam", Severity.RED, NOON, "see to its network")


def rings(settings: Settings, *alarms: Alarm) -> None:
    """As seen by a process that runs."""

    async def put() -> None:
        async with Redis.from_url(settings.redis_url, decode_responses=True) as redis:
            await redis.flushall()
            await Board(redis).put("one", alarms)

    asyncio.run(put())


@pytest.mark.parametrize(
    ("alarms", "status", "says"),
    [
        ((), 0, ["nothing is wrong"]),
        ((YELLOW,), 0, ["yellow", "ask for more channels"]),
        ((YELLOW, RED), 1, ["red", "see to its network", "ask for more channels"]),
    ],
)
def test_the_alarms_are_shown_and_a_red_one_ends_with_1(
    burgernet: Command, settings: Settings, alarms: tuple[Alarm, ...], status: int, says: list[str]
) -> None:
    rings(settings, *alarms)
    found, said = burgernet("alarms")
    assert found == status
    assert [words for words in says if words not in " ".join(said.split())] == []


def test_without_redis_the_command_says_so(burgernet: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BURGERNET_REDIS_URL", "redis://127.0.0.1:1/0")
    assert burgernet("alarms") == (
        1,
        "burgernet: Redis does not answer: the alarms of other processes are not known\n",
    )


def test_the_doctor_tells_the_alarms(burgernet: Command, settings: Settings) -> None:
    rings(settings, RED)
    status, said = burgernet("doctor")
    assert status == 1
    assert "see to its network" in said
