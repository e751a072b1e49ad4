"""The roles as they are composed: a text comes in at the web role, and the alerting role answers it."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from redis.asyncio import Redis

from actions.seed import seed
from actions.vault import new_key
from alerting.inbound.wording import words
from burgernet.alerting_role import alerting_role
from burgernet.base import Base, opened
from burgernet.embedded import free_port
from burgernet.settings import Settings
from burgernet.web_role import web_role
from stand_ins.twilio import Twilio
from tests.inbound.line import ANNA, ME, OUR_NUMBER
from web.hooks.inbound import INBOUND

log = logging.getLogger(__name__)


async def test_a_text_is_answered_and_our_own_numbers_are_not(
    sqlite_url: str, redis_url: str, redis: Redis, tmp_path: Path
) -> None:
    async with Twilio("AC" + "1" * 32, secrets.token_hex(16)) as twilio:
        settings = _settings(twilio, sqlite_url, redis_url, tmp_path)
        async with opened(settings) as base:
            await seed(base.store, ME, 1)
            async with _running(base):
                url = f"{settings.public_url}{INBOUND}"
                for sender in ("+318000011", OUR_NUMBER, ANNA):
                    assert await twilio.brings(url, sender, "+3197010200001", "STOP") == 204
                await _until_answered(twilio)
    assert [(message["to"], message["from"], message["body"]) for message in twilio.messages] == [
        (ANNA, OUR_NUMBER, words("stopped", "nl", "", ""))
    ]


async def _until_answered(twilio: Twilio) -> None:
    async with asyncio.timeout(10):
        while not twilio.messages:  # noqa: ASYNC110 - what is waited for is at the provider
            await asyncio.sleep(0.02)


@asynccontextmanager
async def _running(base: Base) -> AsyncIterator[None]:
    ready = [asyncio.Event(), asyncio.Event()]
    roles = [
        asyncio.create_task(role(base, log.info, up)) for role, up in zip((web_role, alerting_role), ready, strict=True)
    ]
    try:
        async with asyncio.timeout(10):
            await asyncio.gather(*(up.wait() for up in ready))
        yield
    finally:
        await _end(roles)


async def _end(roles: Sequence[asyncio.Task[None]]) -> None:
    for role in roles:
        role.cancel()
    await asyncio.gather(*roles, return_exceptions=True)


def _settings(twilio: Twilio, database_url: str, redis_url: str, folder: Path) -> Settings:
    bind = f"127.0.0.1:{free_port()}"
    return Settings(
        _env_file=None,
        database_url=database_url,
        redis_url=redis_url,
        register_keys=f"1:{new_key()}",
        police_keys=f"1:{new_key()}",
        ari_password=secrets.token_hex(16),
        ami_password=secrets.token_hex(16),
        sip_secret=secrets.token_hex(16),
        spool_file=folder / "spool",
        web_bind=bind,
        public_url=f"http://{bind}",
        twilio_account_sid=twilio.account_sid,
        twilio_auth_token=twilio.auth_token,
        twilio_sender=OUR_NUMBER,
        twilio_api_url=twilio.url,
    )
