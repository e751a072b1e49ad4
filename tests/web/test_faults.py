"""When what the API stands on is away, slow or broken: a clear answer, a bound, and nothing told that is not meant."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import NoReturn

import pytest
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from actions.listing import Listing
from actions.store import Store
from burgernet.base import Base
from tests.web.asking import ACTION, Asking, Site
from tests.web.conftest import serving
from web.access.tokens import Tokens
from web.api import request
from web.api import serving as module


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


async def test_with_the_database_away_it_says_when_to_come_back_and_not_where_the_database_is(base: Base) -> None:
    gone = Store.open("postgresql+asyncpg://someone:secret-word@127.0.0.1:1/gone")
    async with serving(Base(**{**vars(base), "store": gone})) as site:
        answer = await site.asking("burgernet_" + "a" * 43).get("/v1/actions")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert "secret-word" not in str(answer.body)
    await gone.close()


@pytest.mark.parametrize("fault", [TimeoutError(), NoConnectionFree(), OSError("no route")])
async def test_a_database_that_fails_in_mid_request_is_away(
    everywhere: Asking, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    async def fails(*_: object) -> NoReturn:
        raise fault

    monkeypatch.setattr(Listing, "actions", fails)
    assert (await everywhere.get("/v1/actions")).status == 503


async def test_work_that_never_ends_is_broken_off_and_gives_its_place_to_others(
    everywhere: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangs(*_: object) -> None:
        await asyncio.Event().wait()

    with monkeypatch.context() as slow:
        slow.setattr(module, "WORK_S", 0.2)
        slow.setattr(Listing, "actions", hangs)
        answers = await asyncio.gather(*(everywhere.get("/v1/actions") for _ in range(2 * module.SIDE_BY_SIDE)))
    assert {answer.status for answer in answers} == {503}
    assert (await everywhere.get("/v1/actions")).status == 200


async def test_who_waits_too_long_for_a_place_is_told_to_come_back(
    everywhere: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = asyncio.Event()

    async def waits(*_: object) -> list[object]:
        await over.wait()
        return []

    monkeypatch.setattr(module, "TURN_S", 0.2)
    monkeypatch.setattr(Listing, "actions", waits)
    working = [asyncio.create_task(everywhere.get("/v1/actions")) for _ in range(module.SIDE_BY_SIDE)]
    statuses = set()
    async with asyncio.timeout(10):
        while 503 not in statuses:
            statuses.add((await everywhere.get("/v1/rooms")).status)
    over.set()
    assert {(await task).status for task in working} == {200}


async def test_a_fault_of_ours_is_a_500_that_tells_nothing_and_is_logged_without_the_request(
    everywhere: Asking, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def breaks(*_: object) -> NoReturn:
        raise KeyError("inner workings")

    monkeypatch.setattr(Listing, "actions", breaks)
    with caplog.at_level(logging.ERROR):
        answer = await everywhere.get("/v1/actions", status="open")
    assert (answer.status, answer.body["errors"]) == (500, [])
    assert "inner workings" not in str(answer.body)
    (record,) = [one for one in caplog.records if one.name == "web.api.serving"]
    assert record.exc_info
    assert "status=open" not in caplog.text


async def test_a_body_that_does_not_arrive_is_not_waited_for(
    site: Site, monkeypatch: pytest.MonkeyPatch, token: Callable[..., Awaitable[str]]
) -> None:
    monkeypatch.setattr(request, "READ_S", 0.2)
    host, _, port = site.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"POST /v1/actions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {await token()}\r\n"
    writer.write(f"{head}Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{{".encode())
    await writer.drain()
    async with asyncio.timeout(10):
        assert await reader.readline() == b"HTTP/1.1 408 Request Timeout\r\n"
    writer.close()
    await writer.wait_closed()


async def test_a_caller_who_goes_away_in_mid_request_leaves_nothing_half_done(everywhere: Asking, site: Site) -> None:
    asked = [asyncio.create_task(everywhere.post("/v1/actions", ACTION)) for _ in range(20)]
    await asyncio.sleep(0)
    for task in asked[::2]:
        task.cancel()
    done = await asyncio.gather(*asked, return_exceptions=True)
    made = [one for one in done if not isinstance(one, BaseException)]
    assert [answer.status for answer in made] == [201] * 10
    listed = (await everywhere.get("/v1/actions", limit=200)).body["items"]
    assert {answer.body["id"] for answer in made} <= {item["id"] for item in listed}
    assert all(item["words"] for item in listed)


async def test_a_token_that_cannot_be_looked_up_is_not_said_to_be_wrong(
    everywhere: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> NoReturn:
        raise OSError

    monkeypatch.setattr(Tokens, "holder", fails)
    assert (await everywhere.get("/v1/actions")).status == 503
