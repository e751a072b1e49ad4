"""The delivery table as the queue: claiming, recording, sweeping, each a short transaction. Calls no provider."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, exists, func
from sqlmodel import and_, col, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.models import (
    Action,
    Attempt,
    ContactPoint,
    Delivery,
    DeliveryState,
    Kind,
    Message,
    MessageKind,
    MessageText,
    now,
)
from actions.store import Store
from alerting.pacing import retry_at
from alerting.receipts import Receipt, delivery_after, forward
from alerting.renditions import Notice

FIRST_COME_FIRST = (Kind.AMBER, Kind.MISSING_CHILD, Kind.LOOK_OUT, Kind.INFORMATION, Kind.INVESTIGATION)
OVER = "the action was over before this could be sent"
GIVEN_UP = "the action was over before this could be tried again"
# Waiting to be tried: for the first time, or again after an attempt that failed.
_WAITING = and_(
    col(Delivery.state).in_((DeliveryState.PENDING, DeliveryState.SENDING)), col(Delivery.claimed_until).is_(None)
)


@dataclass(frozen=True)
class Claimed:
    """One attempt, written and not yet made. `tried`: the provider's ids of earlier attempts at the delivery."""

    attempt_id: str
    message_id: int
    contact_point_id: int
    language: str
    started_at: datetime
    tried: frozenset[str] = frozenset()


class Queue:
    """The deliveries of one channel. `provider` is written with each attempt; `attempt_s` bounds one attempt: after
    that the provider is asked what became of it."""

    def __init__(self, store: Store, channel: str, provider: str, attempt_s: float) -> None:
        self._store, self._channel, self._provider = store, channel, provider
        self._attempt = timedelta(seconds=attempt_s)

    async def claim(self, most: int) -> list[Claimed]:
        """Takes deliveries that are due, of the most urgent message first, nearest first, and writes an attempt for
        each. No two workers take the same."""
        moment = now()
        async with self._store.writing() as session:
            message_id = (await session.exec(self._most_urgent(moment))).first()
            if message_id is None:
                return []
            due = list(await session.exec(self._due(message_id, moment, most)))
            tried = await _attempts(session, [delivery.id for delivery in due])
            return [self._begin(session, delivery, tried.get(delivery.id, []), moment) for delivery in due]

    async def still_wanted(self, message_id: int) -> bool:
        """Whether a message may still be sent: not stopped, not past its deadline."""
        query = select(Message.id).where(Message.id == message_id, _live(now()))
        async with self._store.reading() as session:
            return (await session.exec(query)).first() is not None

    async def notices(self, message_ids: Collection[int]) -> dict[tuple[int, str], Notice]:
        """What these messages say, by message and language."""
        query = (
            select(Message.id, Message.kind, Action.code, MessageText)
            .join(Action, col(Action.id) == Message.action_id)
            .join(MessageText, col(MessageText.message_id) == Message.id)
            .where(col(Message.id).in_(message_ids))
        )
        async with self._store.reading() as session:
            return {
                (message_id, words.language): Notice(MessageKind(kind), code, words.language, words.title, words.body)
                for message_id, kind, code, words in await session.exec(query)
                if message_id is not None
            }

    async def overdue(self, most: int) -> list[Claimed]:
        """Takes attempts of which nobody knows how they ended: a worker was killed, or an answer lost."""
        moment = now()
        query = (
            select(Attempt, Delivery)
            .join(Delivery, col(Delivery.id) == Attempt.delivery_id)
            .where(Attempt.state == DeliveryState.SENDING, col(Attempt.deadline) < moment)
            .where(Delivery.channel == self._channel)
            .limit(most)
            .with_for_update(skip_locked=True, of=Attempt)
        )
        async with self._store.writing() as session:
            rows = list(await session.exec(query))
            tried = await _attempts(session, [delivery.id for _, delivery in rows])
            for attempt, delivery in rows:
                attempt.deadline = delivery.claimed_until = moment + self._attempt
            return [
                _claimed(attempt, delivery, [other for other in tried[delivery.id] if other.id != attempt.id])
                for attempt, delivery in rows
            ]

    async def sweep(self) -> None:
        """Closes what must never be sent any more: its message is stopped or over, or its owner signed off."""
        gone = or_(
            col(Delivery.message_id).in_(select(Message.id).where(~_live(now()))),
            col(Delivery.contact_point_id).in_(
                select(ContactPoint.id).where(col(ContactPoint.opted_out_at).is_not(None))
            ),
        )
        for state, then, reason in (
            (DeliveryState.PENDING, DeliveryState.CANCELLED, OVER),
            (DeliveryState.SENDING, DeliveryState.FAILED, GIVEN_UP),
        ):
            closing = (
                update(Delivery)
                .where(col(Delivery.channel) == self._channel, col(Delivery.state) == state)
                .where(col(Delivery.claimed_until).is_(None), gone)
                .values(state=then, reason=reason, changed_at=now())
            )
            async with self._store.writing() as session:
                await session.exec(closing)

    def _most_urgent(self, moment: datetime) -> Any:
        urgency = case(*((col(Action.kind) == kind, place) for place, kind in enumerate(FIRST_COME_FIRST)), else_=9)
        waits = exists().where(
            col(Delivery.message_id) == Message.id,
            col(Delivery.channel) == self._channel,
            _WAITING,
            col(Delivery.due_at) <= moment,
        )
        return (
            select(Message.id)
            .join(Action, col(Action.id) == Message.action_id)
            .where(_live(moment), waits)
            .order_by(urgency, col(Message.id))
            .limit(1)
        )

    def _due(self, message_id: int, moment: datetime, most: int) -> Any:
        return (
            select(Delivery)
            .join(ContactPoint, col(ContactPoint.id) == Delivery.contact_point_id)
            .where(Delivery.message_id == message_id, Delivery.channel == self._channel)
            .where(_WAITING, col(Delivery.due_at) <= moment, col(ContactPoint.opted_out_at).is_(None))
            .order_by(col(Delivery.distance), col(Delivery.id))
            .limit(most)
            .with_for_update(skip_locked=True, of=Delivery)
        )

    def _begin(
        self, session: AsyncSession, delivery: Delivery, earlier: Sequence[Attempt], moment: datetime
    ) -> Claimed:
        assert delivery.id is not None
        attempt = Attempt(
            delivery_id=delivery.id,
            number=len(earlier) + 1,
            provider=self._provider,
            started_at=moment,
            deadline=moment + self._attempt,
        )
        session.add(attempt)
        delivery.state, delivery.claimed_until, delivery.changed_at = DeliveryState.SENDING, attempt.deadline, moment
        return _claimed(attempt, delivery, earlier)


async def record(store: Store, attempt_id: str, receipt: Receipt) -> bool:
    """Writes down what became of an attempt; a report that is late, double or out of order changes nothing it should
    not. False when there is no such attempt."""
    async with store.writing() as session:
        attempt = await session.get(Attempt, attempt_id, with_for_update=True)
        if attempt is None:
            return False
        delivery = await session.get_one(Delivery, attempt.delivery_id, with_for_update=True)
        known, attempt.state = attempt.state, forward(attempt.state, receipt.state)
        attempt.provider_id = attempt.provider_id or receipt.provider_id
        if attempt.state != known:
            _note(attempt, receipt)
            last = select(func.max(Attempt.number)).where(Attempt.delivery_id == delivery.id)
            message = await session.get_one(Message, delivery.message_id)
            _follow(delivery, attempt, receipt, message, newest=(await session.exec(last)).one() == attempt.number)
    return True


def _note(attempt: Attempt, receipt: Receipt) -> None:
    attempt.provider_status = receipt.provider_status or attempt.provider_status
    attempt.error = receipt.fault.operator_message[:200] if receipt.fault else None
    attempt.ended_at = now()


def _follow(delivery: Delivery, attempt: Attempt, receipt: Receipt, message: Message, *, newest: bool) -> None:
    """The delivery after its attempt changed: it may be tried again, later."""
    moment = now()
    again = None
    if receipt.fault and receipt.fault.retryable and message.stopped_at is None:
        again = retry_at(attempt.number, moment, message.deadline, random.random())  # noqa: S311 - spreads retries
    if receipt.state == DeliveryState.CANCELLED and attempt.number == 1:
        delivery.state, delivery.reason = DeliveryState.CANCELLED, OVER
    elif receipt.state == DeliveryState.CANCELLED:
        delivery.state, delivery.reason = DeliveryState.FAILED, GIVEN_UP
    else:
        delivery.state = delivery_after(delivery.state, attempt.state, newest=newest, again=again is not None)
        delivery.reason = attempt.error if newest else delivery.reason
    if newest:
        delivery.claimed_until, delivery.due_at = None, again or delivery.due_at
    delivery.changed_at = moment


async def _attempts(session: AsyncSession, delivery_ids: Sequence[int | None]) -> dict[int | None, list[Attempt]]:
    found: dict[int | None, list[Attempt]] = {}
    for attempt in await session.exec(select(Attempt).where(col(Attempt.delivery_id).in_(delivery_ids))):
        found.setdefault(attempt.delivery_id, []).append(attempt)
    return found


def _claimed(attempt: Attempt, delivery: Delivery, others: Sequence[Attempt]) -> Claimed:
    return Claimed(
        attempt.id,
        delivery.message_id,
        delivery.contact_point_id,
        delivery.language,
        attempt.started_at,
        frozenset(other.provider_id for other in others if other.provider_id),
    )


def _live(moment: datetime) -> Any:
    return and_(col(Message.stopped_at).is_(None), col(Message.deadline) > moment)
