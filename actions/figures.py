"""The state of the work in a few numbers, for whoever watches the system."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import col, select

from actions.models import Action, Call, Delivery, DeliveryState, Message, Status, now
from actions.store import Store

# Older messages are history: counting them again and again would cost more than it tells.
RECENT = timedelta(days=1)
LONGEST_CALL = timedelta(hours=4)


@dataclass(frozen=True)
class Figures:
    """`deliveries`: by channel and state, of messages made in the last day. `oldest_due_s`: how long the delivery that
    waits longest has been due, 0 when none is."""

    deliveries: Mapping[tuple[str, str], int]
    open_actions: int
    calls_in_progress: int
    oldest_due_s: float


async def figures(store: Store) -> Figures:
    """Raises what the database raises."""
    moment = now()
    recent = col(Message.created_at) > moment - RECENT
    deliveries = (
        select(Delivery.channel, Delivery.state, func.count(col(Delivery.id)))
        .join(Message, col(Message.id) == Delivery.message_id)
        .where(recent)
        .group_by(col(Delivery.channel), col(Delivery.state))
    )
    due = (
        select(func.min(col(Delivery.due_at)))
        .join(Message, col(Message.id) == Delivery.message_id)
        .where(recent, col(Message.stopped_at).is_(None), col(Message.deadline) > moment)
        .where(col(Delivery.state).in_((DeliveryState.PENDING, DeliveryState.SENDING)))
        .where(col(Delivery.claimed_until).is_(None), col(Delivery.due_at) <= moment)
    )
    calls = select(func.count(col(Call.id))).where(
        col(Call.ended_at).is_(None), col(Call.arrived_at) > moment - LONGEST_CALL
    )
    open_ones = select(func.count(col(Action.id))).where(Action.status == Status.OPEN)
    async with store.reading() as session:
        oldest: datetime | None = (await session.exec(due)).one()
        return Figures(
            deliveries={(channel, state): count for channel, state, count in await session.exec(deliveries)},
            open_actions=(await session.exec(open_ones)).one(),
            calls_in_progress=(await session.exec(calls)).one(),
            oldest_due_s=(moment - oldest).total_seconds() if oldest else 0.0,
        )
