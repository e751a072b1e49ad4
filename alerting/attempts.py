"""What became of an attempt, and what that makes of its delivery. Each a short transaction; calls no provider."""

from __future__ import annotations

import random
from typing import Any

from sqlalchemy import and_, exists, func
from sqlalchemy.orm import aliased
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.models import Attempt, ContactPoint, Delivery, DeliveryState, Message, now
from actions.store import Store
from alerting.pacing import retry_at
from alerting.queue import GIVEN_UP, NEVER_BEGUN, OVER, is_live
from alerting.receipts import Receipt, delivery_after, forward

NEVER_ALERTED = "nothing was sent before it, so there is nothing to follow"
OPEN = (DeliveryState.SENDING, DeliveryState.SENT)


async def record(store: Store, attempt_id: str, receipt: Receipt) -> bool:
    """Writes down what became of an attempt; a report that is late, double or out of order changes nothing it should
    not. False when there is no such attempt."""
    async with store.writing() as session:
        attempt = await session.get(Attempt, attempt_id, with_for_update=True)
        if attempt is None:
            return False
        attempt.provider_id = attempt.provider_id or receipt.provider_id
        state = forward(attempt.state, receipt.state)
        if state != attempt.state:
            _note(attempt, state, receipt)
            await _follow(session, attempt, receipt)
    return True


async def still_wanted(store: Store, attempt_id: str) -> bool:
    """Whether an attempt may still be made: its message neither stopped nor over, its owner not signed off."""
    query = (
        select(Attempt.id)
        .join(Delivery, col(Delivery.id) == Attempt.delivery_id)
        .join(Message, col(Message.id) == Delivery.message_id)
        .join(ContactPoint, col(ContactPoint.id) == Delivery.contact_point_id)
        .where(Attempt.id == attempt_id, Attempt.state == DeliveryState.SENDING)
        .where(Delivery.state == DeliveryState.SENDING, is_live(now()), col(ContactPoint.opted_out_at).is_(None))
    )
    async with store.reading() as session:
        return (await session.exec(query)).first() is not None


def _note(attempt: Attempt, state: DeliveryState, receipt: Receipt) -> None:
    attempt.state = state
    attempt.provider_status = receipt.provider_status or attempt.provider_status
    attempt.error = receipt.fault.operator_message[:200] if receipt.fault else None
    attempt.ended_at = None if state in OPEN else now()


async def _follow(session: AsyncSession, attempt: Attempt, receipt: Receipt) -> None:
    """The delivery, after its attempt changed."""
    delivery = await session.get_one(Delivery, attempt.delivery_id, with_for_update=True)
    message = await session.get_one(Message, delivery.message_id)
    last = await session.exec(select(func.max(Attempt.number)).where(Attempt.delivery_id == delivery.id))
    newest = last.one() == attempt.number
    delivery.changed_at = now()
    if newest:
        delivery.claimed_until = None
    if attempt.state == DeliveryState.CANCELLED:
        return await _withdraw(session, attempt, delivery, message)
    again = None
    if newest and receipt.fault and receipt.fault.retryable and message.stopped_at is None:
        again = retry_at(attempt.number, now(), message.deadline, random.random())  # noqa: S311 - spreads retries
    state = delivery_after(delivery.state, attempt.state, newest=newest, again=again is not None)
    if state != delivery.state or newest:
        delivery.reason = attempt.error
    delivery.state, delivery.due_at = state, again or delivery.due_at
    return None


async def _withdraw(session: AsyncSession, attempt: Attempt, delivery: Delivery, message: Message) -> None:
    """The attempt was given up before anything left. A first one never began: then no later message follows it."""
    if attempt.number > 1:
        delivery.state, delivery.reason = DeliveryState.FAILED, GIVEN_UP
        return
    delivery.state, delivery.reason = DeliveryState.CANCELLED, OVER
    before: Any = aliased(Delivery)
    earlier = select(Message.id).where(Message.action_id == message.action_id, col(Message.id) < message.id)
    begun = exists().where(
        _same_phone(before, delivery), before.message_id.in_(earlier), before.state.not_in(NEVER_BEGUN)
    )
    later = select(Message.id).where(Message.action_id == message.action_id, col(Message.id) > message.id)
    await session.exec(
        update(Delivery)
        .where(_same_phone(Delivery, delivery), col(Delivery.message_id).in_(later), ~begun)
        .where(col(Delivery.state) == DeliveryState.PENDING)
        .values(state=DeliveryState.CANCELLED, reason=NEVER_ALERTED, changed_at=now())
    )


def _same_phone(table: Any, delivery: Delivery) -> Any:
    return and_(table.contact_point_id == delivery.contact_point_id, table.channel == delivery.channel)
