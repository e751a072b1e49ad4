"""What is wrong now, over the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis

from actions.books import Actor
from burgernet.base import Base
from tests.web.asking import Asking, Site
from watch.board import Board
from watch.rules import Alarm, Severity
from web.access.tokens import Scope, Tokens

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
ROOM = Alarm("room without phones", "rotterdam", Severity.RED, NOON, "see to its network")
SOURCE = Alarm("refused requests", "192.0.2.1", Severity.YELLOW, NOON, "a scanner")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The alarms are in Redis."""
    return sqlite_url


async def test_the_alarms_are_told_the_worst_first(everywhere: Asking, redis: Redis) -> None:
    assert (await everywhere.get("/v1/alarms")).body == {"items": []}
    await Board(redis).put("one", [SOURCE, ROOM])
    found = (await everywhere.get("/v1/alarms")).body["items"]
    assert [alarm["subject"] for alarm in found] == ["rotterdam", "192.0.2.1"]
    assert found[0] == {
        "name": "room without phones",
        "subject": "rotterdam",
        "severity": "red",
        "since": "2026-11-25T12:00:00Z",
        "words": "see to its network",
    }


async def test_a_token_for_one_room_sees_what_is_wrong_with_that_room(
    site: Site, base: Base, redis: Redis, actor: Actor
) -> None:
    await Board(redis).put("one", [SOURCE, ROOM])
    for room, subjects in (("rotterdam", ["rotterdam"]), ("limburg", [])):
        secret, _ = await Tokens(base.store).issue("cad", room, [Scope.ALARMS_READ], timedelta(days=1), actor)
        found = (await site.asking(secret).get("/v1/alarms")).body["items"]
        assert [alarm["subject"] for alarm in found] == subjects
