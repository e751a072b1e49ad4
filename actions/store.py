"""The database: SQLite or PostgreSQL behind the same sessions. The only file that knows how the two differ."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import ARRAY, ColumnElement, Table, any_, event, func, literal, text, type_coerce
from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError, IntegrityError, OperationalError, StatementError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.models import DESK, POLICE, REGISTER, UtcTime

SCHEMAS = (DESK, REGISTER, POLICE)
# SQLite has no schemas: the same three groups of tables share one file.
WITHOUT_SCHEMAS = dict.fromkeys(SCHEMAS)
LOCK_WAIT_S = 10
# What a session raises while the database cannot be reached.
Away = (OperationalError, DBAPIError, NoConnectionFree, OSError, TimeoutError)


# SQLSTATE classes: values that do not fit, and those that a constraint forbids.
REFUSED_STATES = ("22", "23")


def refused(fault: BaseException) -> bool:
    """Whether the database is there and does not want these values, now or later."""
    if not isinstance(fault, StatementError) or isinstance(fault, OperationalError):
        return False
    if state := getattr(fault.orig, "sqlstate", None):
        return str(state).startswith(REFUSED_STATES)
    # A plain StatementError: the value did not even leave for the database.
    return isinstance(fault, IntegrityError) or not isinstance(fault, DBAPIError)


class NoDatabase(Exception):
    """The database did not answer within the bound; the message says which and what to do."""


class Store:
    """Sessions on one database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, url: str) -> Store:
        """`url`: sqlite+aiosqlite:///FILE or postgresql+asyncpg://USER:PASSWORD@HOST/NAME. Connects at first use."""
        if url.startswith("sqlite"):
            return cls(_sqlite_engine(url))
        return cls(_postgres_engine(url))

    @property
    def dialect(self) -> str:
        """ "sqlite" or "postgresql"."""
        return self._engine.dialect.name

    @asynccontextmanager
    async def reading(self, *, transaction: bool = False) -> AsyncIterator[AsyncSession]:
        """A session to read with; what it holds stays usable afterwards. Each statement sees what is committed by then.
        `transaction`: for what is set for a transaction only (`by_index`)."""
        # On PostgreSQL a BEGIN and a ROLLBACK around one SELECT are two questions more than the one that was asked.
        alone = self.dialect == "postgresql" and not transaction
        engine = self._engine.execution_options(isolation_level="AUTOCOMMIT") if alone else self._engine
        async with AsyncSession(engine, expire_on_commit=False) as session:
            yield session

    @asynccontextmanager
    async def writing(self, lock_s: float = LOCK_WAIT_S) -> AsyncIterator[AsyncSession]:
        """A transaction: committed at the end of the block, undone by an exception. On SQLite it raises
        OperationalError when other writers hold the file for `lock_s` seconds."""
        engine = self._engine.execution_options(writing=lock_s)
        async with AsyncSession(engine, expire_on_commit=False) as session, session.begin():
            yield session

    def insert(self, table: Table) -> SqliteInsert | PostgresInsert:
        """An INSERT that may say what to do about rows which are there already."""
        return SqliteInsert(table) if self.dialect == "sqlite" else PostgresInsert(table)

    def insert_new(self, table: Table) -> SqliteInsert | PostgresInsert:
        """An INSERT that leaves rows which are there already as they are."""
        return self.insert(table).on_conflict_do_nothing()

    def one_of(self, column: Any, values: Collection[Any]) -> ColumnElement[bool]:
        """Whether a column holds one of these. On PostgreSQL the words of the statement are the same for any number of
        them: it is prepared once."""
        if self.dialect == "sqlite":
            return column.in_(values)  # type: ignore[no-any-return]
        return column == any_(literal(list(values), ARRAY(column.type)))  # type: ignore[no-any-return]

    def minutes_after(self, start: datetime, minutes: ColumnElement[int]) -> ColumnElement[datetime]:
        """A moment so many minutes after a whole minute."""
        if self.dialect == "sqlite":
            moved = func.strftime("%Y-%m-%d %H:%M:00.000000", literal(start, UtcTime()), minutes.concat(" minutes"))
            return type_coerce(moved, UtcTime())
        return type_coerce(literal(start, UtcTime()) + func.make_interval(0, 0, 0, 0, 0, minutes), UtcTime())

    async def by_index(self, session: AsyncSession) -> None:
        """In this transaction PostgreSQL finds thousands of rows in tables of millions by their indexes, one by one.
        Left to itself it reads whole tables for a chunk of an audience, or compiles a plan for longer than it runs."""
        if self.dialect == "postgresql":
            off = [func.set_config(name, "off", True) for name in ("enable_hashjoin", "enable_mergejoin", "jit")]
            await session.exec(select(*off))

    async def one_at_a_time(self, session: AsyncSession, key: bytes) -> None:
        """Until this transaction ends no other one with the same key (8 bytes count) gets past this line. On SQLite
        there is one writer at a time anyway."""
        if self.dialect == "postgresql":
            number = int.from_bytes(key[:8], signed=True)
            await session.exec(select(func.pg_advisory_xact_lock(number)))

    async def wait_until_up(self, bound_s: float, say: Callable[[str], None]) -> None:
        """Returns when the database answers. Tells `say` why not and tries again, 0.2-5 s apart. Raises NoDatabase."""
        pause, over = 0.2, asyncio.get_running_loop().time() + bound_s
        while True:
            try:
                async with self.reading() as session:
                    await session.exec(text("SELECT 1"))  # type: ignore[call-overload]
                return
            except Away as fault:
                refused = f"the database at {shown(str(self._engine.url))} does not answer ({_first_line(fault)})"
            if asyncio.get_running_loop().time() > over:
                raise NoDatabase(f"{refused}; start it, or set BURGERNET_DATABASE_URL")
            say(f"{refused}; trying again in {pause:.1f} s")
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)

    async def close(self) -> None:
        await self._engine.dispose()


def upgrade(url: str) -> None:
    """Brings the database to the newest schema; creates the folder of an SQLite file. Blocks; call it in a thread."""
    if url.startswith("sqlite") and (file := make_url(url).database):
        Path(file).parent.mkdir(parents=True, exist_ok=True)
    config = Config()
    config.set_main_option("script_location", str(files("migrations")))
    config.attributes["url"] = url
    command.upgrade(config, "head")


def shown(url: str) -> str:
    """A database address fit for a log: without its password."""
    return make_url(url).render_as_string(hide_password=True)


class _Connection(sqlite3.Connection):
    """A connection closed in the middle of a transaction (its task was cancelled) would keep the file locked for as
    long as anybody still holds a cursor of it."""

    def close(self) -> None:
        if self.in_transaction:
            self.rollback()
        super().close()


def _postgres_engine(url: str) -> AsyncEngine:
    engine = create_async_engine(url, pool_size=10, max_overflow=20, pool_timeout=5)

    @event.listens_for(engine.sync_engine, "checkout")
    def still_open(connection: Any, _record: Any, _proxy: Any) -> None:
        # PostgreSQL was restarted meanwhile: the pool makes another. Asking it each time would be three questions.
        if connection.driver_connection.is_closed():
            raise DisconnectionError

    return engine


def _sqlite_engine(url: str) -> AsyncEngine:
    engine = create_async_engine(
        url,
        connect_args={"timeout": LOCK_WAIT_S, "factory": _Connection},
        execution_options={"schema_translate_map": WITHOUT_SCHEMAS},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        # The driver must not begin transactions by itself: a writer asks for the lock at once, below.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        lock_s = connection.get_execution_options().get("writing")
        if lock_s is not None:
            connection.exec_driver_sql(f"PRAGMA busy_timeout={int(lock_s * 1000)}")
        connection.exec_driver_sql("BEGIN" if lock_s is None else "BEGIN IMMEDIATE")

    return engine


def _first_line(fault: BaseException) -> str:
    return (str(fault).splitlines() or [type(fault).__name__])[0]
