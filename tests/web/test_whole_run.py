"""A whole run of `burgernet run`, web and alerting, from the outside: everything happens, no number is ever logged."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
from aiohttp import ClientError, ClientSession
from redis.asyncio import Redis
from sqlmodel import select

from actions.books import Actor
from actions.geography import to_rd
from actions.models import Delivery, DeliveryState
from actions.numbers import read_number
from actions.register import Entry
from burgernet.base import Base
from burgernet.embedded import free_port
from burgernet.settings import Settings
from stand_ins.twilio import BROKEN, TOO_BUSY, UNDELIVERED, Behaviour, Twilio
from tests.web.asking import ACTION, FOUND, Asking, Site
from tests.web.program import Running, running
from web.hooks.inbound import INBOUND

BOUND_S = 30.0
PEOPLE = [f"+316{place:08d}" for place in range(12345600, 12345620)]
STRANGER = "+31687654321"
OUR_NUMBER = "+3197010200000"
BADLY = [
    UNDELIVERED,
    BROKEN,
    Behaviour(refuse=21211),
    Behaviour(refuse=21610),
    Behaviour(forged=True),
    Behaviour(lose_answer=True),
]


@pytest.fixture
def database_url(postgres_url: str) -> str:
    """Roles apart need PostgreSQL."""
    return postgres_url


@pytest.fixture
async def twilio() -> AsyncIterator[Twilio]:
    async with Twilio("AC" + "1" * 32, "a token of a test") as twilio:
        yield twilio


@pytest.fixture
def settings(settings: Settings, twilio: Twilio) -> Settings:
    return Settings(
        _env_file=None,
        **{
            **settings.model_dump(exclude_unset=True),
            "twilio_account_sid": twilio.account_sid,
            "twilio_auth_token": twilio.auth_token,
            "twilio_sender": OUR_NUMBER,
            "twilio_api_url": twilio.url,
            "metrics_bind": f"127.0.0.1:{free_port()}",
            "log_format": "json",
        },
    )


@pytest.fixture
async def people(base: Base, twilio: Twilio, actor: Actor) -> None:
    """Twenty participants in Rotterdam; texts to some of them fare badly, each in its own way."""
    x, y = to_rd(51.9225, 4.4792)
    await base.register.add(
        [Entry("nl", "3011", x, y, number, read_number(number).kind, frozenset({"sms"})) for number in PEOPLE], actor
    )
    twilio.usual_for = dict(zip(PEOPLE, BADLY, strict=False))
    twilio.next(TOO_BUSY)


@pytest.mark.usefixtures("people")
async def test_no_number_ever_stands_in_a_line_of_the_log(
    base: Base, settings: Settings, twilio: Twilio, redis: Redis, token: Callable[..., Awaitable[str]], tmp_path: Path
) -> None:
    url, secret = settings.public_url, await token()
    async with (
        running(settings, tmp_path, "run", "--role", "web", "--role", "alerting") as run,
        ClientSession() as client,
    ):
        for address in (f"http://{settings.metrics_bind}/health/ready", f"{url}/health/live"):
            await until(partial(answers, client, address), run)
        asking = Site(base, client, url).asking(secret)
        action = (await asking.post("/v1/actions", ACTION | {"start": True, "why": "112"})).body["id"]
        await until(partial(delivered, base, len(PEOPLE) - len(BADLY)), run)
        await numbers_wherever_a_stranger_can_put_them(asking, twilio)
        for kind in ("normal", "pubsub"):
            await redis.client_kill_filter(_type=kind, skipme=True)
        assert (await asking.post(f"/v1/actions/{action}/results", {"outcome": "direct", "words": FOUND})).status == 200
        await until(partial(texted, twilio, PEOPLE[-1], "De auto is gevonden"), run)

    assert run.process.returncode == 0
    events = [json.loads(line) for line in run.lines]
    assert all({"time", "level", "logger", "message"} <= event.keys() for event in events)
    assert any("the audience of its alert is written" in event["message"] for event in events)
    written = "".join(run.lines)
    for number in (*PEOPLE, STRANGER):
        assert number[3:] not in written
    for word in (secret, twilio.auth_token, "Kijk uit naar", "bel mij"):
        assert word not in written


async def numbers_wherever_a_stranger_can_put_them(asking: Asking, twilio: Twilio) -> None:
    """In a text, an address, a body, a token, and in what is no HTTP."""
    url = asking.site.url
    for number, body in ((PEOPLE[-2], "STOP"), (PEOPLE[-3], f"bel mij op {STRANGER}"), (STRANGER, "?")):
        await twilio.brings(f"{url}{INBOUND}", number, OUR_NUMBER, body)
        await twilio.brings(f"{url}{INBOUND}", number, OUR_NUMBER, body, forged=True)
    assert (await asking.get(f"/v1/actions/{STRANGER}")).status == 400
    assert (await asking.get("/v1/actions", number=STRANGER)).status == 400
    assert (await asking.post("/v1/incidents", {"number": STRANGER, "text": STRANGER})).status == 400
    assert (await asking.site.asking(STRANGER).get("/v1/actions")).status == 401
    await no_http(url)


async def until(true: Callable[[], Awaitable[bool]], run: Running) -> None:
    async with asyncio.timeout(BOUND_S):
        while not await true():
            assert run.process.returncode is None, run.lines
            await asyncio.sleep(0.05)


async def answers(client: ClientSession, url: str) -> bool:
    try:
        async with client.get(url) as answer:
            return answer.status == 200
    except ClientError:
        return False


async def delivered(base: Base, least: int) -> bool:
    async with base.store.reading() as session:
        return list(await session.exec(select(Delivery.state))).count(DeliveryState.DELIVERED) >= least


async def texted(twilio: Twilio, number: str, words: str) -> bool:
    return any(words in body for body in twilio.texts_to(number))


async def no_http(url: str) -> None:
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"CALL {STRANGER} NOW\r\nX: \x00{STRANGER}\r\n\r\n".encode())
    await writer.drain()
    async with asyncio.timeout(BOUND_S):
        await reader.read()
    writer.close()
    await writer.wait_closed()
