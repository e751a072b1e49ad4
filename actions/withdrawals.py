"""Hearing no more, said in answer to an alert: of its action, or of Burgernet for good."""

from __future__ import annotations

from typing import Any

from sqlmodel import col, select

from actions.books import Actor, record
from actions.models import Attempt, ContactPoint, Delivery, Message, Withdrawal, now
from actions.store import Store


class Withdrawals:
    """Who answers is known by the attempt that reached him: no number passes through here."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def from_action(self, attempt_id: str, actor: Actor) -> None:
        """No more about this action: no update, no result. Twice changes nothing."""
        query = (
            select(Message.action_id, Delivery.contact_point_id)
            .join(Delivery, col(Delivery.message_id) == Message.id)
            .join(Attempt, col(Attempt.delivery_id) == Delivery.id)
            .where(Attempt.id == attempt_id)
        )
        table: Any = Withdrawal.__table__  # type: ignore[attr-defined]
        async with self._store.writing() as session:
            for action_id, contact_point_id in await session.exec(query):
                row = {"action_id": action_id, "contact_point_id": contact_point_id, "at": now()}
                if (await session.exec(self._store.insert_new(table).values(row))).rowcount:
                    record(session, actor, "withdraw", "contact_point", contact_point_id)

    async def for_good(self, attempt_id: str, actor: Actor) -> None:
        """No more of Burgernet at all, until the holder of this telephone signs on again. Twice changes nothing."""
        query = (
            select(ContactPoint)
            .join(Delivery, col(Delivery.contact_point_id) == ContactPoint.id)
            .join(Attempt, col(Attempt.delivery_id) == Delivery.id)
            .where(Attempt.id == attempt_id, col(ContactPoint.opted_out_at).is_(None))
        )
        async with self._store.writing() as session:
            for contact in await session.exec(query):
                contact.opted_out_at = now()
                record(session, actor, "opt out", "contact_point", contact.id)
