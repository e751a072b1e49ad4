"""What is known of who texts: the actions there are, those that alerted the number, the participant's language."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlmodel import and_, col, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.alerted import NEVER_BEGUN
from actions.desk import as_open
from actions.matching import Alerted, OpenAction
from actions.models import Action, Address, ContactPoint, Delivery, Message, Participant, Status, Subscription, now
from alerting.practising import practising_at

# A text that is late still goes to the action that asked for it.
GRACE = timedelta(minutes=30)


async def current_actions(session: AsyncSession) -> list[OpenAction]:
    """The open actions, newest first, then those that ended less than half an hour ago."""
    query = select(Action).where(_current()).order_by(*_open_first())
    return [as_open(action, {}) for action in await session.exec(query)]


async def alerted_in(session: AsyncSession, digests: Sequence[bytes]) -> list[Alerted]:
    """The open actions for which an attempt to reach this number began; when there is none, those just ended."""
    begun = (
        select(Message.action_id, func.min(Delivery.distance).label("metres"))
        .join(Delivery, col(Delivery.message_id) == Message.id)
        .join(ContactPoint, col(ContactPoint.id) == Delivery.contact_point_id)
        .where(col(ContactPoint.digest).in_(digests), col(Delivery.state).not_in(NEVER_BEGUN))
        .group_by(col(Message.action_id))
        .subquery()
    )
    query = select(Action, begun.c.metres).join(begun, begun.c.action_id == Action.id).where(_current())
    rows = list(await session.exec(query.order_by(*_open_first())))
    still_open = [(action, metres) for action, metres in rows if action.status == Status.OPEN]
    return [Alerted(as_open(action, {}), metres) for action, metres in still_open or rows]


async def language_of(session: AsyncSession, contact: ContactPoint | None) -> str | None:
    """The language of who uses this telephone; None when nobody in the register does."""
    if contact is None:
        return None
    query = (
        select(Participant.language)
        .join(Address, col(Address.participant_id) == Participant.id)
        .join(Subscription, col(Subscription.address_id) == Address.id)
        .where(Subscription.contact_point_id == contact.id)
        .order_by(col(Participant.id))
    )
    return (await session.exec(query.limit(1))).first()


async def takes_part_in_exercises(session: AsyncSession, contact: ContactPoint | None) -> bool:
    """Whether a participant of exercises uses this telephone."""
    return contact is not None and contact.id is not None and contact.id in await practising_at(session, [contact.id])


def _current() -> Any:
    just_ended = and_(col(Action.status) == Status.ENDED, col(Action.ended_at) > now() - GRACE)
    return or_(col(Action.status) == Status.OPEN, just_ended)


def _open_first() -> tuple[Any, ...]:
    return col(Action.status).desc(), col(Action.started_at).desc(), col(Action.id).desc()
