"""By which of two ways an attempt goes: written before it leaves, so that the right one is asked afterwards."""

from __future__ import annotations

from sqlmodel import col, select, update

from actions.models import Attempt
from actions.store import Store


class Ways:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def goes_by(self, attempt_id: str, provider: str) -> None:
        """Raises what the database raises."""
        async with self._store.writing() as session:
            await session.exec(update(Attempt).where(col(Attempt.id) == attempt_id).values(provider=provider))

    async def way_of(self, attempt_id: str) -> str | None:
        """The provider of an attempt; None when there is no such attempt. Raises what the database raises."""
        async with self._store.reading() as session:
            return (await session.exec(select(Attempt.provider).where(Attempt.id == attempt_id))).first()
