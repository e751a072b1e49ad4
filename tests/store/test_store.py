"""Sessions, moments, and a database that is not there."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.exc import StatementError
from sqlmodel import select

from actions.models import Organisation, Outbox
from actions.store import NoDatabase, Store, shown
from burgernet.embedded import free_port
from tests.store.rows import all_of


def event(at: datetime) -> Outbox:
    return Outbox(at=at, kind="test", subject="1")


async def test_a_moment_comes_back_in_utc_whatever_zone_it_was_given_in(store: Store) -> None:
    amsterdam = timezone(timedelta(hours=2))
    async with store.writing() as session:
        session.add(event(datetime(2026, 5, 1, 14, 30, tzinfo=amsterdam)))
    (row,) = await all_of(store, Outbox)
    assert row.at == datetime(2026, 5, 1, 12, 30, tzinfo=UTC)
    assert row.at.utcoffset() == timedelta(0)


async def test_a_moment_without_a_zone_is_refused(store: Store) -> None:
    with pytest.raises(StatementError, match="a moment without a time zone cannot be stored"):
        async with store.writing() as session:
            session.add(event(datetime(2026, 5, 1, 14, 30)))  # noqa: DTZ001
    assert await all_of(store, Outbox) == []


async def test_moments_with_a_zone_compare_in_queries(store: Store) -> None:
    noon = datetime(2026, 5, 1, 12, tzinfo=UTC)
    async with store.writing() as session:
        session.add_all([event(noon - timedelta(seconds=1)), event(noon + timedelta(seconds=1))])
    async with store.reading() as session:
        later = list(await session.exec(select(Outbox).where(Outbox.at > noon)))
    assert [row.at for row in later] == [noon + timedelta(seconds=1)]


async def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    async def write_and_fail() -> None:
        async with store.writing() as session:
            session.add(Organisation(id="a", name="A", kind="police"))
            await session.flush()
            raise ConnectionError

    with pytest.raises(ConnectionError):
        await write_and_fail()
    assert await all_of(store, Organisation) == []


async def test_rows_stay_readable_after_their_session(store: Store) -> None:
    async with store.writing() as session:
        row = Organisation(id="a", name="A", kind="police")
        session.add(row)
    assert row.name == "A"


async def test_many_writers_at_once_all_get_through(store: Store) -> None:
    async def write(number: int) -> None:
        async with store.writing() as session:
            await session.exec(select(Outbox.id))
            session.add(Outbox(kind="test", subject=str(number)))

    await asyncio.gather(*(write(number) for number in range(25)))
    assert {row.subject for row in await all_of(store, Outbox)} == {str(number) for number in range(25)}


async def test_a_reader_is_not_kept_waiting_by_a_writer(store: Store) -> None:
    async with store.writing() as session:
        session.add(Organisation(id="a", name="A", kind="police"))
        await session.flush()
        async with asyncio.timeout(2):
            assert await all_of(store, Organisation) == []


async def test_an_insert_of_what_is_there_changes_nothing(store: Store) -> None:
    for name in ("first", "second"):
        async with store.writing() as session:
            await session.exec(
                store.insert_new(Organisation.__table__).values(  # type: ignore[attr-defined]
                    id="a", name=name, kind="police"
                )
            )
    assert [row.name for row in await all_of(store, Organisation)] == ["first"]


async def test_a_database_that_is_up_needs_no_wait(store: Store) -> None:
    said: list[str] = []
    await store.wait_until_up(0, said.append)
    assert said == []


async def test_a_database_that_is_away_is_named_without_its_password_until_the_bound() -> None:
    store = Store.open(f"postgresql+asyncpg://desk:sesame@127.0.0.1:{free_port()}/burgernet")
    said: list[str] = []
    with pytest.raises(NoDatabase) as gone:
        await store.wait_until_up(0.3, said.append)
    await store.close()
    assert "desk:***@127.0.0.1" in str(gone.value)
    assert str(gone.value).endswith("start it, or set BURGERNET_DATABASE_URL")
    assert "trying again in 0.2 s" in said[0]
    assert "trying again in 0.4 s" in said[1]
    assert "sesame" not in "".join([*said, str(gone.value)])


@pytest.mark.parametrize("database", ["nowhere", "template0"])
async def test_a_server_without_our_database_is_a_clear_message(postgres: str, database: str) -> None:
    store = Store.open(f"{postgres}/{database}")
    with pytest.raises(NoDatabase, match=database):
        await store.wait_until_up(0, print)
    await store.close()


async def test_connections_that_postgresql_closed_meanwhile_are_made_anew(postgres_url: str) -> None:
    store = Store.open(postgres_url)
    async with store.reading() as one, store.writing() as other:
        before = {(await session.connection()).sync_connection for session in (one, other)}
        assert len(before) == 2
    closing = await asyncpg.connect(postgres_url.replace("+asyncpg", ""))
    try:
        await closing.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        while await closing.fetchval("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()") > 1:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    finally:
        await closing.close()
    async with store.writing() as session:
        session.add(Organisation(id="a", name="A", kind="police"))
    assert [row.id for row in await all_of(store, Organisation)] == ["a"]
    await store.close()


async def test_an_sqlite_file_that_cannot_be_opened_is_a_clear_message() -> None:
    store = Store.open("sqlite+aiosqlite:////nowhere/at/all.db")
    with pytest.raises(NoDatabase, match="unable to open database file"):
        await store.wait_until_up(0, print)
    await store.close()
    # The driver's thread still has its last word to say to this loop.
    for thread in threading.enumerate():
        if "connection_worker" in thread.name:
            await asyncio.to_thread(thread.join, 5)


async def test_the_wait_ends_when_the_database_comes_up(tmp_path: Path) -> None:
    store = Store.open(f"sqlite+aiosqlite:///{tmp_path}/later/burgernet.db")
    said: list[str] = []

    def make_room(words: str) -> None:
        said.append(words)
        (tmp_path / "later").mkdir()

    await store.wait_until_up(10, make_room)
    await store.close()
    assert len(said) == 1


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql+asyncpg://desk:sesame@db:5432/b", "postgresql+asyncpg://desk:***@db:5432/b"),
        ("sqlite+aiosqlite:///var/burgernet.db", "sqlite+aiosqlite:///var/burgernet.db"),
    ],
)
def test_an_address_is_shown_without_its_password(url: str, expected: str) -> None:
    assert shown(url) == expected


async def test_a_connection_closed_in_mid_transaction_frees_the_file_though_its_cursor_is_still_held(
    sqlite_url: str,
) -> None:
    store = Store.open(sqlite_url)
    async with store.writing() as session:
        session.add_all([event(datetime.now(UTC)), event(datetime.now(UTC))])
    async with store._engine.execution_options(writing=1).connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        await driver.execute("BEGIN IMMEDIATE")
        half_read = await driver.execute("SELECT id FROM outbox")
        await half_read.fetchone()
        await connection.invalidate()
        async with store.writing(0.5) as session:
            session.add(event(datetime.now(UTC)))
    await store.close()
