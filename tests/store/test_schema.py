"""The tables: the same by migration as by model, on both databases, and an audit that only grows."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

from actions.books import Actor, record
from actions.models import Audit
from actions.store import SCHEMAS, WITHOUT_SCHEMAS, Store, upgrade
from tests.store.rows import all_of, execute


def description(connection: Connection) -> dict[str, Any]:
    """Every table with its columns, keys and indexes, as the database itself tells."""
    inspector = inspect(connection)
    described = {}
    for schema in SCHEMAS if connection.dialect.name == "postgresql" else (None,):
        for table in inspector.get_table_names(schema):
            described[table] = {
                "columns": sorted(
                    (c["name"], str(c["type"]), c["nullable"]) for c in inspector.get_columns(table, schema)
                ),
                "key": inspector.get_pk_constraint(table, schema)["constrained_columns"],
                "indexes": sorted(
                    (str(i["name"]), *map(str, i["column_names"]), str(i["unique"]))
                    for i in inspector.get_indexes(table, schema)
                ),
                "unique": sorted(
                    (str(u["name"]), *u["column_names"]) for u in inspector.get_unique_constraints(table, schema)
                ),
                "refers": sorted(
                    (*f["constrained_columns"], f["referred_table"]) for f in inspector.get_foreign_keys(table, schema)
                ),
                "checks": sorted(str(c["name"]) for c in inspector.get_check_constraints(table, schema)),
            }
    described.pop("alembic_version", None)
    return described


def emptied(connection: Connection) -> None:
    for schema in SCHEMAS:
        connection.execute(text(f"DROP SCHEMA IF EXISTS {schema} CASCADE"))
    connection.execute(text("DROP TABLE IF EXISTS alembic_version"))


async def run(url: str, work: Any) -> Any:
    """What `work` gives on a connection, in one transaction."""
    engine = create_async_engine(url, execution_options=translated(url))
    async with engine.begin() as connection:
        result = await connection.run_sync(work)
    await engine.dispose()
    return result


def translated(url: str) -> dict[str, Any]:
    return {"schema_translate_map": WITHOUT_SCHEMAS} if url.startswith("sqlite") else {}


def made_from_models(connection: Connection) -> dict[str, Any]:
    if connection.dialect.name == "postgresql":
        emptied(connection)
        for schema in SCHEMAS:
            connection.execute(text(f"CREATE SCHEMA {schema}"))
    SQLModel.metadata.create_all(connection)
    return description(connection)


def test_the_migrations_lead_to_the_tables_of_the_models(database_url: str, tmp_path: Path) -> None:
    migrated = asyncio.run(run(database_url, description))
    fresh = f"sqlite+aiosqlite:///{tmp_path}/models.db" if database_url.startswith("sqlite") else database_url
    assert migrated == asyncio.run(run(fresh, made_from_models))
    assert len(migrated) == len(SQLModel.metadata.tables)


def test_nothing_is_left_to_migrate_on_postgresql(postgres_url: str) -> None:
    def differences(connection: Connection) -> Any:
        options = {"include_schemas": True, "compare_type": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), SQLModel.metadata)

    assert asyncio.run(run(postgres_url, differences)) == []


def test_an_empty_postgresql_is_brought_to_the_newest_schema(postgres_url: str) -> None:
    there = asyncio.run(run(postgres_url, description))
    asyncio.run(run(postgres_url, emptied))
    assert asyncio.run(run(postgres_url, description)) == {}
    upgrade(postgres_url)
    assert asyncio.run(run(postgres_url, description)) == there


def test_an_sqlite_file_is_made_with_its_folder(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/var/deep/burgernet.db"
    upgrade(url)
    assert {"action", "delivery", "audit", "call"} <= asyncio.run(run(url, description)).keys()


def test_a_second_upgrade_changes_nothing(database_url: str) -> None:
    before = asyncio.run(run(database_url, description))
    upgrade(database_url)
    assert asyncio.run(run(database_url, description)) == before


def test_the_register_and_police_data_stand_in_schemas_of_their_own(postgres_url: str) -> None:
    def tables(connection: Connection) -> dict[str, set[str]]:
        return {schema: set(inspect(connection).get_table_names(schema)) for schema in SCHEMAS}

    found = asyncio.run(run(postgres_url, tables))
    assert found["register"] == {"participant", "address", "contact_point", "subscription"}
    assert {"call", "recording", "tip"} <= found["police"]
    assert not found["desk"] & (found["register"] | found["police"])


async def audit_row(store: Store, actor: Actor) -> Audit:
    async with store.writing() as session:
        record(session, actor, "start", "action", 1)
    (row,) = await all_of(store, Audit)
    return row


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {audit} SET actor = 'nobody'",
        "UPDATE {audit} SET id = 7",
        "DELETE FROM {audit}",
        "DELETE FROM {audit} WHERE id = 1",
    ],
)
async def test_an_audit_row_can_never_be_changed_or_removed(store: Store, actor: Actor, statement: str) -> None:
    row = await audit_row(store, actor)
    table = "audit" if store.dialect == "sqlite" else "desk.audit"
    with pytest.raises(DBAPIError, match="audit rows are only ever added"):
        await execute(store, statement.format(audit=table))
    assert await all_of(store, Audit) == [row]


async def test_the_audit_cannot_be_emptied_at_once(postgres_url: str, actor: Actor) -> None:
    store = Store.open(postgres_url)
    await audit_row(store, actor)
    for statement in ("TRUNCATE desk.audit", "TRUNCATE desk.audit CASCADE"):
        with pytest.raises(DBAPIError, match="audit rows are only ever added"):
            await execute(store, statement)
    await store.close()


async def test_an_audit_row_says_who_did_what_to_what_when_from_where_and_why(store: Store, actor: Actor) -> None:
    row = await audit_row(store, actor)
    assert (row.actor, row.origin, row.reason) == ("tester", "tests", "to see that it works")
    assert (row.verb, row.object_kind, row.object_id) == ("start", "action", "1")
    assert row.at.utcoffset() is not None


async def test_an_over_long_reason_is_cut_and_not_refused(store: Store) -> None:
    async with store.writing() as session:
        record(session, Actor("w" * 999, "o" * 999, "y" * 999), "start", "action", "i" * 999)
    (row,) = await all_of(store, Audit)
    assert [len(text) for text in (row.actor, row.origin, row.reason, row.object_id)] == [80, 80, 200, 80]
