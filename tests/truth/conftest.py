"""A real Asterisk, phones, and the telephony role; everything the truth tests break is theirs alone."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from telephony.handset import PhoneBox, phone_box
from tests.conversations.real import RealNode
from tests.truth.running import truth_node

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One event loop for what outlives a test: phones and Asterisk."""
    for item in items:
        if HERE in item.path.parents and "real" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def real(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RealNode]:
    file = shutil.copyfile(sqlite_template, tmp_path_factory.mktemp("truth") / "country.db")
    async with truth_node(f"sqlite+aiosqlite:///{file}") as node:
        yield node


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def box() -> AsyncIterator[PhoneBox]:
    async with phone_box() as phones:
        yield phones
