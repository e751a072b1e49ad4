"""The delivery table as the queue: claiming, asking afterwards, sweeping, each a short transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, or_, true
from sqlalchemy.orm import aliased
from sqlmodel import col, select, update
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
    Withdrawal,
    now,
)
from actions.store import Store
from alerting.notices import Notices, notices_of
from alerting.purse import Purse
from alerting.renditions import Notice
from alerting.throttle import TEXTS, Throttle

FIRST_COME_FIRST = (Kind.AMBER, Kind.MISSING_CHILD, Kind.LOOK_OUT, Kind.INFORMATION, Kind.INVESTIGATION)
NEVER_BEGUN = (DeliveryState.PENDING, DeliveryState.CANCELLED)
OVER = "the action was over before this could be sent"
GIVEN_UP = "the action was over before this could be tried again"
SIGNED_OFF = "its owner wants no more messages"
SWEEP = 10_000
# Messages are swept until this long after their deadline: longer than any of them lives.
SWEPT = timedelta(days=8)


@dataclass(frozen=True)
class Claimed:
    """One attempt, written and not yet made. `tried`: the provider's ids of other attempts at the same telephone."""

    attempt_id: str
    contact_point_id: int
    notice: Notice
    started_at: datetime
    tried: frozenset[str] = frozenset()
    number: int = 1


class Queue:
    """The deliveries of one channel. `provider` is written with each attempt; `attempt_s` bounds one attempt: after
    that the provider is asked what became of it. `purse` pays for it."""

    def __init__(
        self,
        store: Store,
        channel: str,
        provider: str,
        attempt_s: float,
        throttle: Throttle = TEXTS,
        purse: Purse | None = None,
    ) -> None:
        self._store, self._channel, self._provider = store, channel, provider
        self.attempt_s, self._throttle = attempt_s, throttle
        self._purse = purse or Purse(store, channel, {})

    async def claim(self, most: int) -> list[Claimed]:
        """Takes deliveries that are due, the most urgent message first, nearest first, and writes an attempt for each.
        No two workers take the same."""
        moment, claimed = now(), list[Claimed]()
        async with self._store.writing() as session:
            kinds = await self._purse.may_leave(session, moment)
            for message in (await session.exec(self._urgent(moment, kinds))).all():
                due = await self._due(session, message, moment, most - len(claimed))
                claimed += await self._begin(session, due, moment)
                if len(claimed) == most:
                    break
            await self._purse.pay(session, self._provider, (one.notice for one in claimed), moment)
        return claimed

    async def overdue(self, most: int) -> list[Claimed]:
        """Takes attempts of which nobody knows how they ended: a worker was killed, or an answer lost. Until their new
        deadline nobody else takes them."""
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
            notices = await notices_of(session, {delivery.message_id for _, delivery in rows})
            for attempt, _ in rows:
                attempt.deadline = moment + timedelta(seconds=self.attempt_s)
            return [
                _claimed(attempt, delivery, notices, await _tried(session, attempt, delivery))
                for attempt, delivery in rows
            ]

    async def sweep(self) -> None:
        """Closes what must never be sent any more, because its message is stopped or over."""
        moment = now()
        recent = col(Message.deadline) > moment - SWEPT
        over = col(Delivery.message_id).in_(select(Message.id).where(~is_live(moment), recent))
        for state, then, reason in (
            (DeliveryState.PENDING, DeliveryState.CANCELLED, OVER),
            (DeliveryState.SENDING, DeliveryState.FAILED, GIVEN_UP),
        ):
            while await self._close(and_(self._waits(state), over), then, reason) == SWEEP:
                pass

    async def _close(self, which: ColumnElement[bool], state: DeliveryState, reason: str) -> int:
        """At most SWEEP of them; how many."""
        ids = select(Delivery.id).where(which).limit(SWEEP).with_for_update(skip_locked=True)
        signed_off = exists().where(
            col(ContactPoint.id) == Delivery.contact_point_id, col(ContactPoint.opted_out_at).is_not(None)
        )
        why = case((signed_off, SIGNED_OFF), else_=reason)
        closing = update(Delivery).where(col(Delivery.id).in_(ids)).values(state=state, reason=why, changed_at=now())
        async with self._store.writing() as session:
            done = await session.exec(closing.execution_options(synchronize_session=False))
        return done.rowcount

    def _waits(self, state: DeliveryState) -> ColumnElement[bool]:
        """Waiting to be tried: pending for the first time, sending again after an attempt that failed."""
        return and_(
            col(Delivery.channel) == self._channel,
            col(Delivery.state) == state,
            col(Delivery.claimed_until).is_(None),
        )

    def _urgent(self, moment: datetime, kinds: Sequence[Kind] | None) -> Any:
        """The messages of which something is due: by kind of action, results after alerts, older ones first. `kinds`:
        of these kinds alone."""
        kind = case(*((col(Action.kind) == kind, place) for place, kind in enumerate(FIRST_COME_FIRST)), else_=9)
        waits = [
            exists().where(col(Delivery.message_id) == Message.id, self._waits(state), col(Delivery.due_at) <= moment)
            for state in (DeliveryState.SENDING, DeliveryState.PENDING)
        ]
        return (
            select(Message)
            .join(Action, col(Action.id) == Message.action_id)
            .where(is_live(moment), or_(*waits), true() if kinds is None else col(Action.kind).in_(kinds))
            .order_by(kind, case((col(Message.kind) == MessageKind.RESULT, 1), else_=0), col(Message.id))
        )

    async def _due(self, session: AsyncSession, message: Message, moment: datetime, most: int) -> list[Delivery]:
        """Second tries first: they wait the longest."""
        due: list[Delivery] = []
        for state in (DeliveryState.SENDING, DeliveryState.PENDING):
            query = (
                select(Delivery)
                .join(ContactPoint, col(ContactPoint.id) == Delivery.contact_point_id)
                .where(Delivery.message_id == message.id, self._waits(state), col(Delivery.due_at) <= moment)
                .where(col(ContactPoint.opted_out_at).is_(None), _alert_settled(message))
                .where(willing(message.action_id, Delivery.contact_point_id), self._throttle.allows(moment))
                .order_by(col(Delivery.distance), col(Delivery.id))
                .limit(most - len(due))
                .with_for_update(skip_locked=True, of=Delivery)
            )
            due += await session.exec(query)
        return due

    async def _begin(self, session: AsyncSession, due: Sequence[Delivery], moment: datetime) -> list[Claimed]:
        notices = await notices_of(session, {delivery.message_id for delivery in due})
        numbers = select(Attempt.delivery_id).where(col(Attempt.delivery_id).in_([delivery.id for delivery in due]))
        earlier = list(await session.exec(numbers))
        claimed = []
        for delivery in due:
            assert delivery.id is not None
            attempt = Attempt(
                delivery_id=delivery.id,
                number=earlier.count(delivery.id) + 1,
                provider=self._provider,
                started_at=moment,
                deadline=moment + timedelta(seconds=self.attempt_s),
            )
            session.add(attempt)
            delivery.state, delivery.changed_at = DeliveryState.SENDING, moment
            delivery.claimed_until = attempt.deadline
            claimed.append(_claimed(attempt, delivery, notices, frozenset()))
        return claimed


def is_live(moment: datetime) -> ColumnElement[bool]:
    """Whether a message may still be sent: not stopped, not past its deadline."""
    return and_(col(Message.stopped_at).is_(None), col(Message.deadline) > moment)


def _alert_settled(message: Message) -> ColumnElement[bool]:
    """What follows an alert waits until it is certain whether that was sent to this telephone; a result follows only
    what was."""
    if message.kind == MessageKind.ALERT:
        return true()
    before: Any = aliased(Delivery)
    earlier = select(Message.id).where(Message.action_id == message.action_id, col(Message.id) < message.id)
    this_phone = and_(
        before.message_id.in_(earlier),
        before.contact_point_id == Delivery.contact_point_id,
        before.channel == Delivery.channel,
    )
    settled = ~exists().where(this_phone, before.state == DeliveryState.SENDING)
    if message.kind != MessageKind.RESULT:
        return settled
    return and_(settled, exists().where(this_phone, before.state.not_in(NEVER_BEGUN)))


def willing(action_id: Any, contact_point_id: Any) -> ColumnElement[bool]:
    """Whether the holder of a contact point did not say "no more about this action"."""
    return ~exists().where(col(Withdrawal.action_id) == action_id, col(Withdrawal.contact_point_id) == contact_point_id)


async def _tried(session: AsyncSession, attempt: Attempt, delivery: Delivery) -> frozenset[str]:
    """The provider's ids of all other attempts at the same telephone by the same channel."""
    query = (
        select(Attempt.provider_id)
        .join(Delivery, col(Delivery.id) == Attempt.delivery_id)
        .where(Delivery.contact_point_id == delivery.contact_point_id, Delivery.channel == delivery.channel)
        .where(Attempt.id != attempt.id)
    )
    return frozenset(other for other in await session.exec(query) if other)


def _claimed(attempt: Attempt, delivery: Delivery, notices: Notices, tried: frozenset[str]) -> Claimed:
    notice = notices[delivery.message_id, delivery.language]
    return Claimed(attempt.id, delivery.contact_point_id, notice, attempt.started_at, tried, attempt.number)
