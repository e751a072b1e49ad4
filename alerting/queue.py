"""The delivery table as the queue: claiming, asking afterwards, sweeping, each a short transaction."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, insert, true
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
    now,
)
from actions.store import Store
from alerting.allowance import Share, all_of_it
from alerting.notices import Notices, notices_of
from alerting.purse import Purse
from alerting.renditions import Notice
from alerting.sendable import AS_IT_IS, waits
from alerting.sendable import NEVER_BEGUN as NEVER_BEGUN
from alerting.sendable import is_live as is_live
from alerting.sendable import willing as willing
from alerting.sweeping import sweep
from alerting.throttle import HOUR, TEXTS, Throttle

FIRST_COME_FIRST = (Kind.AMBER, Kind.MISSING_CHILD, Kind.LOOK_OUT, Kind.INFORMATION, Kind.INVESTIGATION)

# Messages whose texts one worker keeps in memory.
MOST_READ = 200


@dataclass(frozen=True)
class Urgent:
    """A message of which something is due."""

    id: int
    action_id: int
    kind: str


@dataclass(frozen=True)
class _Due:
    """A delivery to be tried now, after so many attempts."""

    delivery_id: int
    contact_point_id: int
    language: str
    tried: int


@dataclass(frozen=True)
class Claimed:
    """One attempt, written and not yet made. `tried`: the provider's ids of other attempts at the same telephone."""

    attempt_id: str
    message_id: int
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
        self._read: dict[int, Notices] = {}

    async def claim(self, most: int, share: Share = all_of_it) -> list[Claimed]:
        """Takes deliveries that are due, the most urgent message first, nearest first, and writes an attempt for each.
        `share`: how many of a message may be begun now. No two workers take the same."""
        moment, claimed = now(), list[Claimed]()
        async with self._store.writing() as session:
            kinds = await self._purse.may_leave(session, moment)
            for message in await self._urgent(session, moment, kinds):
                due = await self._due(session, message, moment, min(most - len(claimed), share(message.id)))
                claimed += await self._begin(session, message, due, moment)
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
        await sweep(self._store, self._channel)

    async def _urgent(self, session: AsyncSession, moment: datetime, kinds: Sequence[Kind] | None) -> list[Urgent]:
        """The messages of which something is due: by kind of action, results after alerts, older ones first. `kinds`:
        of these kinds alone."""
        kind = case(*((col(Action.kind) == kind, place) for place, kind in enumerate(FIRST_COME_FIRST)), else_=9)
        # A look into the index for each message; with EXISTS a database may read the whole queue instead.
        looks = [
            select(Delivery.message_id)
            .where(col(Delivery.message_id) == Message.id, waits(self._channel, state), col(Delivery.due_at) <= moment)
            .order_by(col(Delivery.distance))
            .limit(1)
            .scalar_subquery()
            for state in (DeliveryState.SENDING, DeliveryState.PENDING)
        ]
        query = (
            select(Message.id, Message.action_id, Message.kind)
            .join(Action, col(Action.id) == Message.action_id)
            .where(is_live(moment), func.coalesce(*looks).is_not(None))
            .where(true() if kinds is None else col(Action.kind).in_(kinds))
            .order_by(kind, case((col(Message.kind) == MessageKind.RESULT, 1), else_=0), col(Message.id))
        )
        return [Urgent(message_id or 0, action_id, kind) for message_id, action_id, kind in await session.exec(query)]

    async def _due(self, session: AsyncSession, message: Urgent, moment: datetime, most: int) -> list[_Due]:
        """Second tries first: they wait the longest. What comes too soon after another try is put off."""
        due: list[_Due] = []
        for state in (DeliveryState.SENDING, DeliveryState.PENDING):
            looked = True
            while looked and len(due) < most:
                found = await self._next(session, message, state, moment, most - len(due))
                looked = len(found) == most - len(due)
                due += await self._not_too_often(session, found, moment, {one.contact_point_id for one in due})
        return due

    async def _next(
        self, session: AsyncSession, message: Urgent, state: DeliveryState, moment: datetime, most: int
    ) -> list[_Due]:
        tried = select(func.coalesce(func.max(Attempt.number), 0)).where(col(Attempt.delivery_id) == Delivery.id)
        query = (
            select(Delivery.id, Delivery.contact_point_id, Delivery.language, tried.scalar_subquery())
            .join(ContactPoint, col(ContactPoint.id) == Delivery.contact_point_id)
            .where(Delivery.message_id == message.id, waits(self._channel, state), col(Delivery.due_at) <= moment)
            .where(col(ContactPoint.opted_out_at).is_(None), _alert_settled(message))
            .where(willing(message.action_id, Delivery.contact_point_id))
            .order_by(col(Delivery.distance))
            .limit(most)
            .with_for_update(skip_locked=True, of=Delivery)
        )
        return [_Due(*row) for row in await session.exec(query)]

    async def _not_too_often(
        self, session: AsyncSession, found: Sequence[_Due], moment: datetime, taken: Collection[int]
    ) -> list[_Due]:
        """Those whose telephone may be tried now; the others become due when it may. `taken`: telephones that are tried
        at this moment."""
        if not found:
            return []
        starts = await self._starts(session, {one.contact_point_id for one in found}, moment)
        for contact_point_id in taken:
            starts[contact_point_id].append(moment)
        due, later = [], defaultdict[datetime, list[int]](list)
        for one in found:
            if at := self._throttle.next_at(starts[one.contact_point_id], moment):
                later[at].append(one.delivery_id)
            else:
                starts[one.contact_point_id].append(moment)
                due.append(one)
        for at, delivery_ids in later.items():
            these = self._store.one_of(col(Delivery.id), delivery_ids)
            await session.exec(update(Delivery).where(these).values(due_at=at).execution_options(**AS_IT_IS))
        return due

    async def _starts(
        self, session: AsyncSession, contact_points: Collection[int], moment: datetime
    ) -> dict[int, list[datetime]]:
        """When these telephones were tried during the last hour."""
        query = (
            select(Delivery.contact_point_id, Attempt.started_at)
            .join(Attempt, col(Attempt.delivery_id) == Delivery.id)
            .where(self._store.one_of(col(Delivery.contact_point_id), contact_points))
            .where(Delivery.channel == self._channel, col(Attempt.started_at) > moment - HOUR)
        )
        starts: dict[int, list[datetime]] = defaultdict(list)
        for contact_point_id, started_at in await session.exec(query):
            starts[contact_point_id].append(started_at)
        return starts

    async def _begin(
        self, session: AsyncSession, message: Urgent, due: Sequence[_Due], moment: datetime
    ) -> list[Claimed]:
        if not due:
            return []
        notices, deadline = await self._notices_of(session, message), moment + timedelta(seconds=self.attempt_s)
        attempts = [
            {
                "id": uuid.uuid4().hex,
                "delivery_id": one.delivery_id,
                "number": one.tried + 1,
                "provider": self._provider,
                "state": DeliveryState.SENDING,
                "started_at": moment,
                "deadline": deadline,
            }
            for one in due
        ]
        table: Any = Attempt.__table__  # type: ignore[attr-defined]
        await session.exec(insert(table), params=attempts)
        these = self._store.one_of(col(Delivery.id), [one.delivery_id for one in due])
        begun = (
            update(Delivery).where(these).values(state=DeliveryState.SENDING, changed_at=moment, claimed_until=deadline)
        )
        await session.exec(begun.execution_options(**AS_IT_IS))
        return [
            Claimed(
                str(attempt["id"]),
                message.id,
                one.contact_point_id,
                notices[message.id, one.language],
                moment,
                number=one.tried + 1,
            )
            for attempt, one in zip(attempts, due, strict=True)
        ]

    async def _notices_of(self, session: AsyncSession, message: Urgent) -> Notices:
        """What a message says never changes: it is read once."""
        if message.id not in self._read:
            if len(self._read) >= MOST_READ:
                self._read.clear()
            self._read[message.id] = await notices_of(session, {message.id})
        return self._read[message.id]


def _alert_settled(message: Urgent) -> ColumnElement[bool]:
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
    return Claimed(
        attempt.id,
        delivery.message_id,
        delivery.contact_point_id,
        notice,
        attempt.started_at,
        tried,
        attempt.number,
    )
