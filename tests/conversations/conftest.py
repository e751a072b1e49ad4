"""Every conversation is held on Asterisk in memory and on the real one."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from telephony.handset import PhoneBox, phone_box
from tests.conversations.exchange import Exchange
from tests.conversations.real import RealNode, real_exchange, real_node

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One event loop for the whole suite: phones and Asterisk outlive a test."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def real(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RealNode]:
    file = shutil.copyfile(sqlite_template, tmp_path_factory.mktemp("node") / "country.db")
    async with real_node(f"sqlite+aiosqlite:///{file}") as node:
        yield node


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def box() -> AsyncIterator[PhoneBox]:
    async with phone_box() as phones:
        yield phones


@pytest_asyncio.fixture(loop_scope="session")
async def exchange(
    real: RealNode, box: PhoneBox, sqlite_url: str, redis_url: str, tmp_path: Path
) -> AsyncIterator[Exchange]:
    async with real_exchange(real, box, sqlite_url, redis_url, tmp_path / "spool") as exchange:
        yield exchange
