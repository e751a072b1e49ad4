"""What the message of an attempt says, in every language it has, looked up while its hearer is on the telephone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import col, select

from actions.models import Attempt, Delivery, MessageSound, MessageText
from actions.store import Store


@dataclass(frozen=True)
class Wording:
    """`wav`: the operator's own recording of it, if there is one."""

    title: str
    body: str
    wav: bytes | None = None


class Wordings:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def of_attempt(self, attempt_id: str) -> Mapping[str, Wording]:
        """By language; empty when there is no such attempt. Raises what the database raises."""
        query = (
            select(MessageText.language, MessageText.title, MessageText.body, MessageSound.wav)
            .join(Delivery, col(Delivery.message_id) == MessageText.message_id)
            .join(Attempt, col(Attempt.delivery_id) == Delivery.id)
            .outerjoin(
                MessageSound,
                (col(MessageSound.message_id) == MessageText.message_id)
                & (col(MessageSound.language) == MessageText.language),
            )
            .where(Attempt.id == attempt_id)
        )
        async with self._store.reading() as session:
            return {language: Wording(title, body, wav) for language, title, body, wav in await session.exec(query)}
