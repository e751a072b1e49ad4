"""Looking at what is in the database."""

from typing import Any, TypeVar

from sqlalchemy import text
from sqlmodel import SQLModel, select

from actions.models import Audit, Outbox
from actions.store import Store

T = TypeVar("T", bound=SQLModel)


async def all_of(store: Store, model: type[T], **columns: Any) -> list[T]:
    """Every row of a table, of those with these values, oldest first."""
    async with store.reading() as session:
        key = next(iter(model.__table__.primary_key))  # type: ignore[attr-defined]
        return list(await session.exec(select(model).filter_by(**columns).order_by(key)))


async def audited(store: Store) -> list[tuple[str, str, str, str, str]]:
    """The audit: who, from where, did what, to what, why."""
    return [(row.actor, row.origin, row.verb, row.object_kind, row.reason) for row in await all_of(store, Audit)]


async def told(store: Store) -> list[str]:
    """The kinds of events in the outbox."""
    return [row.kind for row in await all_of(store, Outbox)]


async def execute(store: Store, statement: str) -> None:
    async with store.writing() as session:
        await session.exec(text(statement))  # type: ignore[call-overload]
