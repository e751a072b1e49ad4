"""A town on both databases, and the works that text it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from actions.desk import Desk
from actions.register import Register
from actions.store import Store
from actions.vault import Vaults
from stand_ins.twilio import Twilio
from tests.alerting.town import Town
from tests.alerting.works import ACCOUNT, TOKEN, Works, called_back


@pytest.fixture
def town(country: Store, vaults: Vaults) -> Town:
    return Town(country, Register(country, vaults.register), Desk(country))


@pytest.fixture
async def works(town: Town, redis: Redis) -> AsyncIterator[Works]:
    async with Twilio(ACCOUNT, TOKEN) as twilio, called_back(town.store) as public_url:
        yield Works(town, redis, twilio, public_url)
