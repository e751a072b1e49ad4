"""Alembic's entry: the same migrations on SQLite (no schemas, one file) and PostgreSQL (three schemas)."""

import asyncio

from alembic import context
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from actions.store import SCHEMAS, WITHOUT_SCHEMAS


def migrate(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection = connection.execution_options(schema_translate_map=WITHOUT_SCHEMAS)
    else:
        for schema in SCHEMAS:
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema}"))
    context.configure(connection=connection, transaction_per_migration=False)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()


async def online(url: str) -> None:
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()


asyncio.run(online(context.config.attributes["url"]))
