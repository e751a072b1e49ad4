"""A participant signs off with one click in a mail or a notification: that mailbox or browser gets no more."""

from __future__ import annotations

from sqlmodel import col, select

from actions.books import Actor, record
from actions.models import Attempt, ContactPoint, Delivery, now
from actions.store import Store

BY = Actor("participant", "web", "one click in a message")


async def sign_off(store: Store, attempt_id: str) -> bool:
    """Signs off the mailbox or browser that an attempt went to; a second time changes nothing. False when there is no
    such attempt, or its mailbox was erased. Raises what the database raises."""
    query = (
        select(ContactPoint)
        .join(Delivery, col(Delivery.contact_point_id) == ContactPoint.id)
        .join(Attempt, col(Attempt.delivery_id) == Delivery.id)
        .where(Attempt.id == attempt_id)
    )
    async with store.writing() as session:
        contact = (await session.exec(query)).first()
        if contact is None:
            return False
        if contact.opted_out_at is None:
            contact.opted_out_at = now()
            record(session, BY, "opt out", "contact point", contact.id)
    return True
