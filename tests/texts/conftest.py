"""A wave of its own for each test, on SQLite and on PostgreSQL, with real HTTP in both directions."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from redis.asyncio import Redis

from actions.desk import Desk
from actions.register import Register
from actions.store import Store
from actions.vault import Vaults
from alerting.channels.spryng import SpryngSms
from alerting.channels.twilio_client import TwilioClient
from burgernet.embedded import free_port
from stand_ins.spryng import Spryng
from stand_ins.twilio import Twilio
from tests.texts.two import Two
from tests.texts.wave import Wave
from web.hooks import spryng as spryng_hooks
from web.hooks import twilio as hooks
from web.server import application

SID = f"AC{'0' * 32}"
TOKEN = "the token of the account"
KEY = "the key of the other account"
SECRET = "s" * 40


@pytest.fixture
async def twilio() -> AsyncIterator[Twilio]:
    async with Twilio(SID, TOKEN) as stand_in:
        yield stand_in


@pytest.fixture
async def spryng(public_url: str) -> AsyncIterator[Spryng]:
    async with Spryng(KEY, f"{public_url}{spryng_hooks.STATUS}/{SECRET}") as stand_in:
        yield stand_in


@pytest.fixture
async def public_url(store: Store) -> AsyncIterator[str]:
    """The address that providers call back, served."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    served = [*hooks.routes(store, TOKEN, url), *spryng_hooks.routes(store, SECRET)]
    runner = web.AppRunner(application(served), access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield url
    await runner.cleanup()


@pytest.fixture
async def wave(country: Store, redis: Redis, vaults: Vaults, twilio: Twilio, public_url: str) -> AsyncIterator[Wave]:
    client = TwilioClient(SID, TOKEN, twilio.url)
    register = Register(country, vaults.register)
    built = Wave(country, redis, register, Desk(country), twilio, client, public_url)
    yield built
    for worker in built.workers:
        await worker.finished(0.1)
    await client.close()


@pytest.fixture
async def by_spryng(spryng: Spryng) -> AsyncIterator[SpryngSms]:
    channel = SpryngSms(KEY, "Burgernet", "0800-0011", spryng.url)
    yield channel
    await channel.close()


@pytest.fixture
def two(wave: Wave, spryng: Spryng, by_spryng: SpryngSms) -> Two:
    return Two(wave, spryng, by_spryng)
