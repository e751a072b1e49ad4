"""The waves of voice alerts as they stand in the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.models import Action, Attempt, Call, ControlRoom, Delivery, DeliveryState, Message, now
from actions.store import Store
from actions.urgency import Triage
from alerting.sendable import NEVER_BEGUN, is_live
from alerting.wave import Answers

VOICE = "voice"
BY_SOMEBODY = (DeliveryState.ANSWERED, DeliveryState.CONFIRMED)


@dataclass(frozen=True)
class Wave:
    """A message on its way by telephone. `rooms`: where its callers go, the action's own first. `ring`: in which its
    nearest waiting delivery stands, of `rings`; 0 when none waits."""

    message_id: int
    action_id: int
    kind: str
    action_kind: str
    rooms: tuple[str, ...]
    ring: int
    rings: int


async def waves_now(store: Store) -> list[Wave]:
    """Those of which something waits for its first call. Raises what the database raises."""
    waiting: Any = (
        select(Delivery.ring)
        .where(col(Delivery.message_id) == Message.id, Delivery.channel == VOICE)
        .where(Delivery.state == DeliveryState.PENDING)
        .order_by(col(Delivery.distance))
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(  # type: ignore[call-overload]
            Message.id,
            Message.action_id,
            Message.kind,
            Action.kind,
            Action.room_id,
            ControlRoom.overflow,
            waiting,
            Message.rings,
        )
        .join(Action, col(Action.id) == Message.action_id)
        .join(ControlRoom, col(ControlRoom.id) == Action.room_id)
        .where(is_live(now()), waiting.is_not(None))
    )
    async with store.reading() as session:
        return [
            Wave(message, action, kind, action_kind, (room, *helping), ring, rings)
            for message, action, kind, action_kind, room, helping, ring, rings in await session.exec(query)
        ]


async def answers_of(store: Store, message_ids: Collection[int]) -> dict[int, Answers]:
    """What each of these waves came to so far. Raises what the database raises."""
    if not message_ids:
        return {}
    async with store.reading() as session:
        counts = await _by_state(store, session, message_ids)
        pressed = await _pressed(store, session, message_ids)
    return {message: _answers(counts[message], pressed.get(message, 0)) for message in message_ids}


def _answers(counts: dict[str, int], pressed: int) -> Answers:
    under_way = counts.get(DeliveryState.SENDING, 0) + counts.get(DeliveryState.SENT, 0)
    answered = sum(counts.get(state, 0) for state in BY_SOMEBODY)
    return Answers(under_way, sum(counts.values()) - under_way, answered, pressed)


async def _by_state(store: Store, session: AsyncSession, message_ids: Collection[int]) -> dict[int, dict[str, int]]:
    query = (
        select(Delivery.message_id, Delivery.state, func.count())
        .where(store.one_of(col(Delivery.message_id), message_ids), Delivery.channel == VOICE)
        .where(col(Delivery.state).not_in(NEVER_BEGUN))
        .group_by(col(Delivery.message_id), col(Delivery.state))
    )
    counts: dict[int, dict[str, int]] = defaultdict(dict)
    for message, state, count in await session.exec(query):
        counts[message][state] = count
    return counts


async def _pressed(store: Store, session: AsyncSession, message_ids: Collection[int]) -> dict[int, int]:
    """Who asked for the room: of calls that were alerts, those that were matched and sorted as seeing it now."""
    query = (
        select(Delivery.message_id, func.count())
        .select_from(Call)
        .join(Attempt, col(Attempt.id) == Call.attempt_id)
        .join(Delivery, col(Delivery.id) == Attempt.delivery_id)
        .join(Message, col(Message.id) == Delivery.message_id)
        .where(col(Call.action_id) == Message.action_id, Call.triage == Triage.NOW)
        .where(store.one_of(col(Message.id), message_ids))
        .group_by(col(Delivery.message_id))
    )
    return dict((await session.exec(query)).all())
