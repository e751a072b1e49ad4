"""What became of an attempt, and what that makes of its delivery. Each a short transaction; calls no provider."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, exists, func
from sqlalchemy.orm import aliased
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.models import Attempt, ContactPoint, Delivery, DeliveryState, Message, MessageKind, now
from actions.reachability import REACHED as SOMETHING_ARRIVED
from actions.reachability import believe_again, doubt
from actions.store import Store
from actions.vault import Sealed
from alerting.pacing import retry_at
from alerting.receipts import REACHED, Receipt, delivery_after, forward
from alerting.sendable import NEVER_BEGUN, is_live, willing
from alerting.sweeping import GIVEN_UP, OVER

NEVER_ALERTED = "nothing was sent before it, so there is nothing to follow"
# What proves that there is a telephone, mailbox or browser.
THERE = REACHED | {DeliveryState.BUSY}
OPEN = (DeliveryState.SENDING, DeliveryState.SENT)


Report = tuple[str, Receipt]  # the id of an attempt, and what became of it


@dataclass
class _Try:
    """An attempt as it becomes."""

    id: str
    delivery_id: int
    number: int
    state: str
    provider_id: str | None
    provider_status: str | None
    error: str | None
    ended_at: datetime | None


@dataclass
class _Page:
    """A delivery as it becomes, what its message allows, and the number of its newest attempt. `doubted`:
    how many faults spoke against its contact point."""

    id: int
    contact_point_id: int
    channel: str
    state: str
    reason: str | None
    due_at: datetime
    claimed_until: datetime | None
    message_id: int
    action_id: int
    stopped_at: datetime | None
    deadline: datetime
    newest: int
    doubted: int | None


async def record(store: Store, attempt_id: str, receipt: Receipt) -> bool:
    """Writes down what became of an attempt. False when there is no such attempt."""
    (known,) = await record_all(store, [(attempt_id, receipt)])
    return known


async def record_all(store: Store, reports: Sequence[Report]) -> list[bool]:
    """Writes down what became of attempts, in one transaction; a report that is late, double or out of order changes
    nothing it should not. For each whether there is such an attempt."""
    async with store.writing() as session:
        attempts = await _attempts(store, session, {attempt_id for attempt_id, _ in reports})
        pages = await _pages(store, session, {attempt.delivery_id for attempt in attempts.values()})
        before = {one.id: replace(one) for one in attempts.values()}, {one.id: replace(one) for one in pages.values()}
        withdrawn = []
        for attempt_id, receipt in reports:
            if attempt := attempts.get(attempt_id):
                page = pages[attempt.delivery_id]
                if _apply(attempt, receipt, page) and _never_began(attempt):
                    withdrawn.append(page)
        await _write(session, _TRY, [one for one in attempts.values() if one != before[0][one.id]])
        await _write(session, _PAGE, [one for one in pages.values() if one != before[1][one.id]])
        for page in withdrawn:
            await _no_result_follows(session, page)
        await _judge(session, [(pages[attempts[one].delivery_id], told) for one, told in reports if one in attempts])
    return [attempt_id in attempts for attempt_id, _ in reports]


async def wanted(store: Store, attempt_ids: Sequence[str]) -> list[Sealed | None]:
    """For each attempt the number to try, sealed; None when it may not be made any more: its message is stopped or
    over, or its owner signed off."""
    query = (
        select(Attempt.id, ContactPoint.sealed, ContactPoint.key_version)
        .join(Delivery, col(Delivery.id) == Attempt.delivery_id)
        .join(Message, col(Message.id) == Delivery.message_id)
        .join(ContactPoint, col(ContactPoint.id) == Delivery.contact_point_id)
        .where(store.one_of(col(Attempt.id), attempt_ids), Attempt.state == DeliveryState.SENDING)
        .where(Delivery.state == DeliveryState.SENDING, is_live(now()), col(ContactPoint.opted_out_at).is_(None))
        .where(willing(Message.action_id, Delivery.contact_point_id))
    )
    async with store.reading() as session:
        found = {attempt_id: Sealed(blob, version) for attempt_id, blob, version in await session.exec(query)}
    return [found.get(attempt_id) for attempt_id in attempt_ids]


async def _attempts(store: Store, session: AsyncSession, attempt_ids: Collection[str]) -> dict[str, _Try]:
    # In the order of their ids, as everybody locks them: two writers wait for each other, but not in a circle.
    query = (
        select(*(getattr(Attempt, field.name) for field in fields(_Try)))
        .where(store.one_of(col(Attempt.id), attempt_ids))
        .order_by(col(Attempt.id))
        .with_for_update()
    )
    return {row[0]: _Try(*row) for row in await session.exec(query)}


async def _pages(store: Store, session: AsyncSession, delivery_ids: Collection[int]) -> dict[int, _Page]:
    newest = select(func.max(Attempt.number)).where(col(Attempt.delivery_id) == Delivery.id).scalar_subquery()
    of_delivery: Any = (getattr(Delivery, name) for name in ("id", *_KEPT))
    query: Any = (
        select(
            *of_delivery,
            Message.id,
            Message.action_id,
            Message.stopped_at,
            Message.deadline,
            newest,
            ContactPoint.unreachable_times,
        )  # type: ignore[call-overload]
        .join(Message, col(Message.id) == Delivery.message_id)
        .outerjoin(ContactPoint, col(ContactPoint.id) == Delivery.contact_point_id)
        .where(store.one_of(col(Delivery.id), delivery_ids))
        .order_by(col(Delivery.id))
        .with_for_update(of=Delivery)
    )
    return {row[0]: _Page(*row) for row in await session.exec(query)}


_KEPT = ("contact_point_id", "channel", "state", "reason", "due_at", "claimed_until")


def _changing(table: Any, *names: str) -> Any:
    """An update of one row by its id, for many rows at once."""
    return (
        update(table).where(table.c.id == bindparam("this")).values({name: bindparam(f"new_{name}") for name in names})
    )


_TRY = _changing(Attempt.__table__, "state", "provider_id", "provider_status", "error", "ended_at")  # type: ignore[attr-defined]
_PAGE = _changing(Delivery.__table__, "state", "reason", "due_at", "claimed_until", "changed_at")  # type: ignore[attr-defined]


async def _write(session: AsyncSession, changing: Any, changed: Sequence[_Try | _Page]) -> None:
    if changed:
        moment = now()
        rows = [{f"new_{name}": value for name, value in vars(one).items()} | {"this": one.id} for one in changed]
        names = set(changing.compile().params)
        await session.exec(
            changing, params=[{name: ({"new_changed_at": moment} | row)[name] for name in names} for row in rows]
        )


def _apply(attempt: _Try, receipt: Receipt, page: _Page) -> bool:
    """Whether the report changed anything."""
    attempt.provider_id = attempt.provider_id or receipt.provider_id
    state = forward(attempt.state, receipt.state)
    if state == attempt.state:
        return False
    attempt.state = state
    attempt.provider_status = receipt.provider_status or attempt.provider_status
    attempt.error = receipt.fault.operator_message[:200] if receipt.fault else None
    attempt.ended_at = None if state in OPEN else now()
    _follow(attempt, receipt, page)
    return True


async def _judge(session: AsyncSession, reports: Sequence[tuple[_Page, Receipt]]) -> None:
    """The contact points, after what was reported about attempts to reach them."""
    faults = {page.contact_point_id: told.fault for page, told in reports if told.fault}
    await doubt(session, {contact: (fault.gone, fault.operator_message) for contact, fault in faults.items()})
    there = [page.contact_point_id for page, told in reports if told.state in THERE and page.doubted]
    if there:
        await believe_again(session, col(ContactPoint.id).in_(there), SOMETHING_ARRIVED)


def _never_began(attempt: _Try) -> bool:
    """It was given up before anything left, and none went before it."""
    return attempt.state == DeliveryState.CANCELLED and attempt.number == 1


def _follow(attempt: _Try, receipt: Receipt, page: _Page) -> None:
    """The delivery, after its attempt changed."""
    newest = page.newest == attempt.number
    if newest:
        page.claimed_until = None
    if attempt.state == DeliveryState.CANCELLED:
        first = _never_began(attempt)
        page.state, page.reason = (DeliveryState.CANCELLED, OVER) if first else (DeliveryState.FAILED, GIVEN_UP)
        return
    again = None
    if newest and receipt.fault and receipt.fault.retryable and page.stopped_at is None:
        chance = random.random()  # noqa: S311 - spreads retries
        again = retry_at(attempt.number, now(), page.deadline, chance, attempt.state)
    state = delivery_after(page.state, attempt.state, newest=newest, again=again is not None)
    if state != page.state or newest:
        page.reason = attempt.error
    page.state, page.due_at = state, again or page.due_at


async def _no_result_follows(session: AsyncSession, page: _Page) -> None:
    """A first attempt that never began: then no result follows it, unless another message was sent."""
    before: Any = aliased(Delivery)
    all_of_it = select(Message.id).where(Message.action_id == page.action_id, Message.id != page.message_id)
    begun = exists().where(
        _same_phone(before, page), before.message_id.in_(all_of_it), before.state.not_in(NEVER_BEGUN)
    )
    result = all_of_it.where(Message.kind == MessageKind.RESULT)
    await session.exec(
        update(Delivery)
        .where(_same_phone(Delivery, page), col(Delivery.message_id).in_(result), ~begun)
        .where(col(Delivery.state) == DeliveryState.PENDING)
        .values(state=DeliveryState.CANCELLED, reason=NEVER_ALERTED, changed_at=now())
    )


def _same_phone(table: Any, page: _Page) -> Any:
    return and_(table.contact_point_id == page.contact_point_id, table.channel == page.channel)
