"""Control rooms over the API: who is on duty, who is busy, how many wait."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from redis.asyncio import Redis

from burgernet.base import Base
from telephony.line_view import RoomLine, lines_now
from telephony.place import Post, Roll
from telephony.waiting_line import LineAway, WaitingLine
from tests.web.asking import Asking
from tests.web.conftest import serving

NOW = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The lines are in Redis; the rooms themselves are asked of both databases elsewhere."""
    return sqlite_url


async def nobody_known() -> Roll:
    return Roll({})


async def test_a_room_shows_who_is_on_duty_who_is_busy_and_how_many_wait(everywhere: Asking, redis: Redis) -> None:
    line = WaitingLine(redis, "burgernet-one", nobody_known)
    await line.offer("rotterdam-1", Post("rotterdam"))
    await line.offer("rotterdam-2", Post("rotterdam"))
    async with line.waiting_for("rotterdam", "call-1", 20, NOW) as place:
        assert (await place.operator()).operator == "rotterdam-1"
        async with (
            line.waiting_for("rotterdam", "call-2", 20, NOW, skill="nobody has it"),
            line.waiting_for("rotterdam", "call-3", 20, NOW, skill="nobody has it"),
            line.waiting_for("limburg", "call-4", 20, NOW),
        ):
            rotterdam = (await everywhere.get("/v1/rooms/rotterdam")).body
            rooms = {room["id"]: room["line"] for room in (await everywhere.get("/v1/rooms")).body["items"]}
    assert rotterdam["name"] == "Meldkamer Rotterdam"
    assert rotterdam["nextRoom"] in rooms
    assert [(each["id"], each["state"]) for each in rotterdam["line"].pop("operators")] == [
        ("rotterdam-1", "ringing"),
        ("rotterdam-2", "idle"),
    ]
    for line_of_room in rooms.values():
        line_of_room.pop("operators")
    assert rotterdam["line"] == {"onDuty": ["rotterdam-1", "rotterdam-2"], "busy": ["rotterdam-1"], "waiting": 2}
    assert rooms["rotterdam"] == rotterdam["line"]
    assert rooms["limburg"] == {"onDuty": [], "busy": [], "waiting": 1}
    assert rooms["amsterdam"] == {"onDuty": [], "busy": [], "waiting": 0}
    assert len(rooms) == 11


async def test_an_operator_who_signed_off_in_mid_call_is_not_on_duty_any_more(redis: Redis) -> None:
    line = WaitingLine(redis, "burgernet-one", nobody_known)
    await line.offer("rotterdam-1", Post("rotterdam"))
    async with line.waiting_for("rotterdam", "call-1", 20, NOW) as place:
        await place.operator()
        await line.away("rotterdam-1")
        assert await lines_now(redis) == {}


async def test_an_empty_redis_shows_empty_lines(redis: Redis) -> None:
    assert await lines_now(redis) == {}
    await redis.hset("burgernet:waiting", "call-1", '{"rooms": ["rotterdam"]}')
    assert await lines_now(redis) == {"rotterdam": RoomLine(waiting=1)}


async def test_an_unknown_room_is_a_404_for_whoever_sees_all_rooms(everywhere: Asking) -> None:
    assert (await everywhere.get("/v1/rooms/utrecht")).status == 404


async def test_with_redis_away_rooms_are_shown_without_their_lines(
    base: Base, token: Callable[..., Awaitable[str]]
) -> None:
    nobody = Redis.from_url("redis://127.0.0.1:1/0")
    with pytest.raises(LineAway):
        await lines_now(nobody)
    async with serving(Base(**{**vars(base), "redis": nobody})) as site:
        room = (await site.asking(await token()).get("/v1/rooms/rotterdam")).body
    assert (room["id"], room["line"]) == ("rotterdam", None)
    await nobody.aclose()
