"""What became of an attempt, and what that makes of its delivery. Each a short transaction; calls no provider."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, exists, func
from sqlalchemy.orm import aliased
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.models import Attempt, ContactPoint, Delivery, DeliveryState, Message, MessageKind, now
from actions.reachability import REACHED as SOMETHING_ARRIVED
from actions.reachability import believe_again, doubt
from actions.store import Store
from alerting.pacing import retry_at
from alerting.queue import GIVEN_UP, NEVER_BEGUN, OVER, is_live, willing
from alerting.receipts import REACHED, Receipt, delivery_after, forward

NEVER_ALERTED = "nothing was sent before it, so there is nothing to follow"
# What proves that there is a telephone, mailbox or browser.
THERE = REACHED | {DeliveryState.BUSY}
OPEN = (DeliveryState.SENDING, DeliveryState.SENT)


Report = tuple[str, Receipt]  # the id of an attempt, and what became of it


@dataclass(frozen=True)
class _Page:
    """A delivery with its message, and the number of its newest attempt. `doubted`: whether faults spoke against its
    contact point."""

    delivery: Delivery
    message: Message
    newest: int
    doubted: bool


async def record(store: Store, attempt_id: str, receipt: Receipt) -> bool:
    """Writes down what became of an attempt. False when there is no such attempt."""
    (known,) = await record_all(store, [(attempt_id, receipt)])
    return known


async def record_all(store: Store, reports: Sequence[Report]) -> list[bool]:
    """Writes down what became of attempts, in one transaction; a report that is late, double or out of order changes
    nothing it should not. For each whether there is such an attempt."""
    async with store.writing() as session:
        # In the order of their ids, as everybody locks them: two writers wait for each other, but not in a circle.
        query = select(Attempt).where(col(Attempt.id).in_({attempt_id for attempt_id, _ in reports}))
        rows = await session.exec(query.order_by(col(Attempt.id)).with_for_update())
        attempts = {attempt.id: attempt for attempt in rows}
        pages = await _pages(session, [attempt.delivery_id for attempt in attempts.values()])
        for attempt_id, receipt in reports:
            if attempt := attempts.get(attempt_id):
                await _apply(session, attempt, receipt, pages[attempt.delivery_id])
        await _judge(session, [(pages[attempts[one].delivery_id], told) for one, told in reports if one in attempts])
    return [attempt_id in attempts for attempt_id, _ in reports]


async def wanted(store: Store, attempt_ids: Sequence[str]) -> list[bool]:
    """For each attempt whether it may still be made: its message neither stopped nor over, its owner not signed off."""
    query = (
        select(Attempt.id)
        .join(Delivery, col(Delivery.id) == Attempt.delivery_id)
        .join(Message, col(Message.id) == Delivery.message_id)
        .join(ContactPoint, col(ContactPoint.id) == Delivery.contact_point_id)
        .where(col(Attempt.id).in_(attempt_ids), Attempt.state == DeliveryState.SENDING)
        .where(Delivery.state == DeliveryState.SENDING, is_live(now()), col(ContactPoint.opted_out_at).is_(None))
        .where(willing(Message.action_id, Delivery.contact_point_id))
    )
    async with store.reading() as session:
        found = set(await session.exec(query))
    return [attempt_id in found for attempt_id in attempt_ids]


async def _pages(session: AsyncSession, delivery_ids: Sequence[int]) -> dict[int, _Page]:
    query = (
        select(Delivery, Message, ContactPoint.unreachable_times)
        .join(Message, col(Message.id) == Delivery.message_id)
        .outerjoin(ContactPoint, col(ContactPoint.id) == Delivery.contact_point_id)
        .where(col(Delivery.id).in_(delivery_ids))
        .order_by(col(Delivery.id))
        .with_for_update(of=Delivery)
    )
    rows = list(await session.exec(query))
    numbers = (
        select(Attempt.delivery_id, func.max(Attempt.number))
        .where(col(Attempt.delivery_id).in_(delivery_ids))
        .group_by(col(Attempt.delivery_id))
    )
    newest = dict((await session.exec(numbers)).all())
    return {
        delivery.id: _Page(delivery, message, newest[delivery.id], bool(times))
        for delivery, message, times in rows
        if delivery.id is not None
    }


async def _apply(session: AsyncSession, attempt: Attempt, receipt: Receipt, page: _Page) -> None:
    attempt.provider_id = attempt.provider_id or receipt.provider_id
    state = forward(attempt.state, receipt.state)
    if state != attempt.state:
        _note(attempt, state, receipt)
        await _follow(session, attempt, receipt, page)


def _note(attempt: Attempt, state: DeliveryState, receipt: Receipt) -> None:
    attempt.state = state
    attempt.provider_status = receipt.provider_status or attempt.provider_status
    attempt.error = receipt.fault.operator_message[:200] if receipt.fault else None
    attempt.ended_at = None if state in OPEN else now()


async def _judge(session: AsyncSession, reports: Sequence[tuple[_Page, Receipt]]) -> None:
    """The contact points, after what was reported about attempts to reach them."""
    faults = {page.delivery.contact_point_id: told.fault for page, told in reports if told.fault}
    await doubt(session, {contact: (fault.gone, fault.operator_message) for contact, fault in faults.items()})
    there = [page.delivery.contact_point_id for page, told in reports if told.state in THERE and page.doubted]
    if there:
        await believe_again(session, col(ContactPoint.id).in_(there), SOMETHING_ARRIVED)


async def _follow(session: AsyncSession, attempt: Attempt, receipt: Receipt, page: _Page) -> None:
    """The delivery, after its attempt changed."""
    delivery, message, newest = page.delivery, page.message, page.newest == attempt.number
    delivery.changed_at = now()
    if newest:
        delivery.claimed_until = None
    if attempt.state == DeliveryState.CANCELLED:
        return await _withdraw(session, attempt, delivery, message)
    again = None
    if newest and receipt.fault and receipt.fault.retryable and message.stopped_at is None:
        chance = random.random()  # noqa: S311 - spreads retries
        again = retry_at(attempt.number, now(), message.deadline, chance, attempt.state)
    state = delivery_after(delivery.state, attempt.state, newest=newest, again=again is not None)
    if state != delivery.state or newest:
        delivery.reason = attempt.error
    delivery.state, delivery.due_at = state, again or delivery.due_at
    return None


async def _withdraw(session: AsyncSession, attempt: Attempt, delivery: Delivery, message: Message) -> None:
    """The attempt was given up before anything left. A first one never began: then no result follows it."""
    if attempt.number > 1:
        delivery.state, delivery.reason = DeliveryState.FAILED, GIVEN_UP
        return
    delivery.state, delivery.reason = DeliveryState.CANCELLED, OVER
    before: Any = aliased(Delivery)
    all_of_it = select(Message.id).where(Message.action_id == message.action_id, Message.id != message.id)
    begun = exists().where(
        _same_phone(before, delivery), before.message_id.in_(all_of_it), before.state.not_in(NEVER_BEGUN)
    )
    result = all_of_it.where(Message.kind == MessageKind.RESULT)
    await session.exec(
        update(Delivery)
        .where(_same_phone(Delivery, delivery), col(Delivery.message_id).in_(result), ~begun)
        .where(col(Delivery.state) == DeliveryState.PENDING)
        .values(state=DeliveryState.CANCELLED, reason=NEVER_ALERTED, changed_at=now())
    )


def _same_phone(table: Any, delivery: Delivery) -> Any:
    return and_(table.contact_point_id == delivery.contact_point_id, table.channel == delivery.channel)
