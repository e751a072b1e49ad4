"""The roles as the settings compose them: who carries texts, and that what is said about them comes back."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from sqlmodel import select

from actions.desk import NewAction
from actions.models import Delivery, DeliveryState
from actions.numbers import CallerKind
from actions.register import Entry
from actions.seed import seed
from actions.vault import new_key
from alerting.bounds import EURO
from alerting.purse import day_of, spent_on
from burgernet.alerting_role import alerting_role
from burgernet.base import Base, opened
from burgernet.embedded import free_port
from burgernet.settings import Settings
from burgernet.text_ways import text_providers
from burgernet.web_role import web_role
from stand_ins.spryng import Spryng
from tests.texts.wave import GOLF, KILOMETRE, MIDDLE, WHY, number, until
from web.hooks.spryng import STATUS

log = logging.getLogger(__name__)
KEY, SECRET = "the key of the account", "s" * 40
DEAD = "http://127.0.0.1:1"


def composed(database_url: str, redis_url: str, folder: Path, **more: Any) -> Settings:
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
        **more,
    )


@pytest.mark.parametrize(
    ("accounts", "order", "found"),
    [
        ({}, None, []),
        ({"twilio_account_sid": "AC1"}, None, ["twilio"]),
        ({"spryng_api_key": KEY}, None, ["spryng"]),
        ({"twilio_account_sid": "AC1", "spryng_api_key": KEY}, None, ["twilio", "spryng"]),
        ({"twilio_account_sid": "AC1", "spryng_api_key": KEY}, ["spryng", "twilio"], ["spryng", "twilio"]),
        ({"twilio_account_sid": "AC1", "spryng_api_key": KEY}, ["spryng"], ["spryng"]),
    ],
)
def test_who_has_an_account_carries_texts_in_the_order_of_the_settings(
    accounts: dict[str, str], order: list[str] | None, found: Sequence[str], tmp_path: Path
) -> None:
    more = accounts | ({} if order is None else {"sms_providers": order})
    settings = composed("sqlite+aiosqlite:///unused", "redis://:x@127.0.0.1:1/0", tmp_path, **more)
    assert text_providers(settings) == found


async def test_with_twilio_dead_the_roles_text_by_spryng_and_hear_that_it_arrived(
    sqlite_url: str, redis_url: str, redis: Redis, tmp_path: Path
) -> None:
    async with Spryng(KEY) as spryng:
        settings = composed(
            sqlite_url,
            redis_url,
            tmp_path,
            twilio_account_sid="AC" + "1" * 32,
            twilio_auth_token=secrets.token_hex(16),
            twilio_api_url=DEAD,
            spryng_api_key=KEY,
            spryng_sender="Burgernet",
            spryng_hook_secret=SECRET,
            spryng_api_url=spryng.url,
            sms_spryng_price=0.05,
            sms_spryng_a_second=100,
        )
        spryng.report_url = f"{settings.public_url}{STATUS}/{SECRET}"
        async with opened(settings) as base:
            await seed(base.store, WHY, 1)
            x, y = MIDDLE
            await base.register.add([Entry("nl", "3011", x, y, number(0), CallerKind.MOBILE, frozenset({"sms"}))], WHY)
            action = await base.desk.start_action(NewAction("look_out", "rotterdam", KILOMETRE, GOLF), WHY)
            roles = [asyncio.create_task(role(base, log.info, asyncio.Event())) for role in (web_role, alerting_role)]
            await until(lambda: _arrived(base), "the text arrived")
            for role in roles:
                role.cancel()
            await asyncio.gather(*roles, return_exceptions=True)
            lines = await spent_on(base.store, day_of(action.started_at), settings.tariffs)
    (body,) = spryng.texts_to(number(0))
    assert action.code in body
    assert [(line.provider, line.micro_euros) for line in lines if line.sent] == [("spryng", EURO // 20)]


async def _arrived(base: Base) -> bool:
    async with base.store.reading() as session:
        return list(await session.exec(select(Delivery.state))) == [DeliveryState.DELIVERED]
