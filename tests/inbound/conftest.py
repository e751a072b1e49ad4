"""A line for texts on both databases, and a clock that can be put forward."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from actions.store import Store
from actions.vault import Vaults
from tests.inbound.line import Clock, Line, open_line


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in ("answers", "lookup", "reception"):
        monkeypatch.setattr(f"alerting.inbound.{module}.now", clock)
    return clock


@pytest.fixture
async def line(country: Store, redis: Redis, vaults: Vaults, clock: Clock) -> AsyncIterator[Line]:
    async with open_line(country, redis, vaults, clock) as line:
        yield line
