"""An action reaches browsers, its result follows, and a browser tells that it was shown."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession
from sqlmodel import select

from actions.models import Delivery
from actions.store import Store
from alerting.channels.vapid import Vapid, new_key
from burgernet.base import Base, opened
from burgernet.settings import Settings
from stand_ins.push_service import Browser, PushService
from tests.mail.running import GOLF, ME, alerting, ends, starts, states, until
from tests.mail.running import settings_of as common
from tests.store.people import entry
from tests.web.conftest import serving


@pytest.fixture
async def service() -> AsyncIterator[PushService]:
    async with PushService() as service:
        yield service


@pytest.fixture
def settings(sqlite_url: str, redis_url: str, tmp_path: Path, service: PushService) -> Settings:
    return common(
        sqlite_url,
        redis_url,
        tmp_path,
        vapid_key=new_key(),
        vapid_contact="mailto:beheer@burgernet.example",
        push_hosts=[service.origin],
    )


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What differs between the databases is tested elsewhere."""
    return sqlite_url


@pytest.fixture
async def base(settings: Settings, country: Store, redis: object) -> AsyncIterator[Base]:
    async with opened(settings) as base:
        yield base


async def takes_part(base: Base, service: PushService) -> Browser:
    vapid = Vapid(base.settings.vapid_key.get_secret_value(), "")
    browser = service.browser(vapid.public)
    await base.register.add([entry(None, channels=("push",), browser=browser.subscription())], ME)
    return browser


async def test_an_action_reaches_browsers_and_its_result_those_that_are_left(base: Base, service: PushService) -> None:
    first, second, gone = [await takes_part(base, service) for _ in range(3)]
    service.leaves(gone)
    async with alerting(base), serving(base), ClientSession() as browsers:
        action = await starts(base)
        await until(lambda: bool(first.got and second.got), "both are alerted")
        alert = first.got[0].content["notification"]
        assert GOLF["nl"][0] in alert["title"]

        for address, status in ((alert["data"]["shown"], 204), (alert["data"]["shown"][:-4] + "AAAA", 404)):
            async with browsers.post(address) as answer:
                assert answer.status == status
        async with browsers.post(second.got[0].content["notification"]["data"]["signOff"]) as answer:
            assert answer.status == 200

        async def so() -> bool:
            return await states(base, "alert") == ["delivered", "failed", "sent"]

        await until(so, "shown, gone, and sent")
        await ends(base, action)
        await until(lambda: len(first.got) == 2, "the result follows")
    assert "voorbij" in first.got[1].content["notification"]["title"]
    assert first.got[1].topic == first.got[0].topic
    assert len(second.got) == 1
    async with base.store.reading() as session:
        reasons = {row.reason for row in await session.exec(select(Delivery)) if row.state == "failed"}
    assert "this browser takes no notifications any more" in reasons
