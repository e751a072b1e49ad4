"""What tests share: databases of both kinds, a Redis, keys. Each test gets its own, empty."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import shutil
import sys
from collections.abc import AsyncIterator, Container, Generator, Iterator
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

import asyncpg
import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.util import LRUCache

from actions.books import Actor
from actions.seed import seed
from actions.store import Store, upgrade
from actions.vault import Vault, Vaults
from burgernet.embedded import postgres_server, redis_server

# Databases to copy: with the newest schema, and with the country in it.
BARE, COUNTRY = "burgernet_bare", "burgernet_country"
OPERATORS_A_ROOM = 2
ME = Actor("tester", "tests", "to see that it works")
HERE = Path(__file__).parent
# What somebody outside meets: the same on any database, and shown on the one that deployers use. `--every-database`
# shows it on SQLite too. All that is asked of a database is tested on both: rules of SQL, the queue, audiences, calls.
FROM_OUTSIDE = ("links", "mail", "push", "texts", "twilio_voice", "web")
# Begun first, or everybody would wait for it at the end.
LONGEST = "demo"
# Whether a test of this worker failed: those to come begin with clearing away what it left.
TO_CLEAR = pytest.StashKey[bool]()
_numbers = count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--every-database", action="store_true", help="all tests on SQLite and on PostgreSQL")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("every_database"):
        names = {item.nodeid for item in items}
        left_out = [item for item in items if _once_more_on_sqlite(item, names)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not _once_more_on_sqlite(item, names)]
    items.sort(key=lambda item: not item.path.is_relative_to(HERE / LONGEST))
    for item in items:
        # Failing twice is a failure; each second try is printed as R (docs/decisions/0023).
        item.add_marker(pytest.mark.flaky(reruns=1))


def _once_more_on_sqlite(item: pytest.Item, names: Container[str]) -> bool:
    """Whether it is the SQLite one of a pair of tests that tell the same."""
    twin = item.nodeid.replace("sqlite", "postgresql")
    return item.path.relative_to(HERE).parts[0] in FROM_OUTSIDE and twin != item.nodeid and twin in names


def pytest_collection_finish() -> None:
    # What was imported stays: the collector need not look through it again and again.
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """What a failed test left open hangs on its traceback, nobody knows for how long: cleared away here, it is not
    charged to another test."""
    if item.config.stash.get(TO_CLEAR, False):
        sys.last_type = sys.last_value = sys.last_traceback = None
        with patch("sys.unraisablehook", lambda _: None):
            gc.collect()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        item.config.stash[TO_CLEAR] = True
    return report


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    """A command that is tested sets up the log of its process, which is ours."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)


class ByKind(LRUCache[Any, Any]):
    """Compiled statements, by the kind of database and not by which one."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(_by_kind(key), default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(_by_kind(key), value)


def _by_kind(key: Any) -> Any:
    dialect, *statement = key
    return type(dialect), *statement


@pytest.fixture(autouse=True, scope="session")
def _compiled_once() -> Iterator[None]:
    """Each test opens a database of its own; a quarter of the time would go into compiling the same statements."""
    compiled = ByKind(4_000)

    def for_all(connection: Connection) -> None:
        connection.engine._compiled_cache = compiled

    event.listen(Engine, "engine_connect", for_all)
    yield
    event.remove(Engine, "engine_connect", for_all)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL, up to the name of the database, with the databases to copy."""
    with postgres_server() as url:
        server = url.rpartition("/")[0]
        asyncio.run(_tell(server, f"CREATE DATABASE {BARE}"))
        upgrade(f"{server}/{BARE}")
        asyncio.run(_tell(server, f"CREATE DATABASE {COUNTRY} TEMPLATE {BARE}"))
        asyncio.run(_fill(f"{server}/{COUNTRY}"))
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("sqlite") / f"{BARE}.db"
    upgrade(f"sqlite+aiosqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def sqlite_country(sqlite_template: Path) -> Path:
    file = shutil.copyfile(sqlite_template, sqlite_template.with_name(f"{COUNTRY}.db"))
    asyncio.run(_fill(f"sqlite+aiosqlite:///{file}"))
    return file


@pytest.fixture
def sqlite_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An SQLite file of its own with the newest schema, and the country where the test asks for it."""
    template = request.getfixturevalue("sqlite_country" if "country" in request.fixturenames else "sqlite_template")
    file = shutil.copyfile(template, tmp_path / "burgernet.db")
    return f"sqlite+aiosqlite:///{file}"


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest, postgres: str) -> Iterator[str]:
    """A PostgreSQL database of its own with the newest schema, and the country where the test asks for it."""
    yield from _copy(postgres, COUNTRY if "country" in request.fixturenames else BARE)


@pytest.fixture
def postgres_country(postgres: str) -> Iterator[str]:
    """A PostgreSQL database of its own with the country in it."""
    yield from _copy(postgres, COUNTRY)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The test runs twice: on SQLite and on PostgreSQL."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    opened = Store.open(database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def country(store: Store) -> Store:
    """A store with the ten regions, their rooms and two operators in each: whoever asks for it gets it in `store`."""
    return store


@pytest.fixture
def actor() -> Actor:
    return ME


@pytest.fixture
def vaults() -> Vaults:
    return Vaults(Vault({1: os.urandom(32)}), Vault({1: os.urandom(32)}))


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    with redis_server() as url:
        yield url


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """An empty Redis."""
    client = Redis.from_url(redis_url, decode_responses=True, retry=Retry(NoBackoff(), 0), socket_timeout=None)
    await client.flushall()
    yield client
    await client.aclose()


def _copy(server: str, template: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    asyncio.run(_tell(server, f"CREATE DATABASE {name} TEMPLATE {template}"))
    yield f"{server}/{name}"
    asyncio.run(_tell(server, f"DROP DATABASE {name} WITH (FORCE)"))


async def _fill(url: str) -> None:
    store = Store.open(url)
    await seed(store, ME, OPERATORS_A_ROOM)
    await store.close()


async def _tell(server: str, statement: str) -> None:
    connection = await asyncpg.connect(f"{server.replace('+asyncpg', '')}/postgres")
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
