"""A round of calls of its own for each test, on SQLite and on PostgreSQL, with real HTTP in both directions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from actions.call_book import CallBook
from actions.desk import Desk
from actions.register import Register
from actions.store import Store
from actions.vault import Vaults
from alerting.channels.twilio_client import TwilioClient
from burgernet.embedded import free_port
from stand_ins.twilio_voice import TwilioVoice
from tests.twilio_voice.round import Round, hooks, served

ACCOUNT = f"AC{'0' * 32}"
TOKEN = "the token of the account"


@pytest.fixture
async def lines() -> AsyncIterator[TwilioVoice]:
    async with TwilioVoice(ACCOUNT, TOKEN) as stand_in:
        yield stand_in


@pytest.fixture
async def calls(
    country: Store, redis: Redis, vaults: Vaults, lines: TwilioVoice, tmp_path: Path
) -> AsyncIterator[Round]:
    client, port = TwilioClient(ACCOUNT, TOKEN, lines.url), free_port()
    book = CallBook(country, vaults, tmp_path / "calls.spool")
    built = Round(
        country,
        redis,
        Register(country, vaults.register),
        Desk(country),
        lines,
        client,
        f"http://127.0.0.1:{port}",
        lines=lines,
        vaults=vaults,
        book=book,
    )
    runner = await served(hooks(built, TOKEN), port)
    yield built
    for worker in built.workers:
        await worker.finished(0.1)
    await client.close()
    await runner.cleanup()
