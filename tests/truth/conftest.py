"""A real Asterisk, phones, and the telephony role; everything the truth tests break is theirs alone."""

from __future__ import annotations

import shutil
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from burgernet.command_line import main
from burgernet.embedded import free_port
from burgernet.settings import Settings
from telephony.handset import PhoneBox, phone_box
from tests.conversations.exchange import settings_of
from tests.conversations.real import RealNode
from tests.truth.running import environment_of, truth_node

Command = Callable[..., tuple[int, str]]
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


@pytest.fixture
def settings(sqlite_url: str, redis_url: str, tmp_path: Path) -> Settings:
    return settings_of(sqlite_url, redis_url, spool_file=tmp_path / "spool", web_bind=f"127.0.0.1:{free_port()}")


@pytest.fixture
def burgernet(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Runs a command; its exit status and all it said."""
    monkeypatch.chdir(tmp_path)
    for name, value in environment_of(settings).items():
        monkeypatch.setenv(name, value)

    def command(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["burgernet", *words])
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        return int(end.value.code or 0), said.out + said.err

    return command
