"""Who may hear of an exercise: asked once more just before it leaves, whoever chose its audience."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.models import Address, Participant, Subscription
from actions.store import Store
from alerting.errors import Fault, Whose

STRAY = Fault(False, Whose.US, "this is an exercise, and nobody who takes part in exercises is reached here")


async def practising(store: Store, contact_points: Sequence[int]) -> list[bool]:
    """For each contact point whether a participant of exercises is reached there. Raises what the database raises."""
    async with store.reading() as session:
        found = await practising_at(session, contact_points)
    return [one in found for one in contact_points]


async def practising_at(session: AsyncSession, contact_points: Sequence[int]) -> set[int]:
    """Those of these contact points at which a participant of exercises is reached."""
    query = (
        select(Subscription.contact_point_id)
        .join(Address, col(Address.id) == Subscription.address_id)
        .join(Participant, col(Participant.id) == Address.participant_id)
        .where(col(Subscription.contact_point_id).in_(set(contact_points)))
        .where(col(Participant.exercise).is_(True), col(Participant.signed_off_at).is_(None))
    )
    return set(await session.exec(query))
