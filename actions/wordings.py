"""What the message of an attempt says in one language, looked up while its hearer is on the telephone."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import col, select

from actions.models import Attempt, Delivery, MessageSound, MessageText
from actions.store import Store


@dataclass(frozen=True)
class Wording:
    """`wav`: the operator's own recording of it, if there is one."""

    title: str
    body: str
    wav: bytes | None


class Wordings:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def of_attempt(self, attempt_id: str, language: str) -> Wording | None:
        """None when the message has no text in this language. Raises what the database raises."""
        query = (
            select(MessageText.title, MessageText.body, MessageSound.wav)
            .join(Delivery, col(Delivery.message_id) == MessageText.message_id)
            .join(Attempt, col(Attempt.delivery_id) == Delivery.id)
            .outerjoin(
                MessageSound,
                (col(MessageSound.message_id) == MessageText.message_id)
                & (col(MessageSound.language) == MessageText.language),
            )
            .where(Attempt.id == attempt_id, MessageText.language == language)
        )
        async with self._store.reading() as session:
            found = (await session.exec(query)).first()
        return Wording(*found) if found else None
