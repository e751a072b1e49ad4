"""Who gets a message: the audience, written as delivery rows, nearest first.

Each chunk is a transaction of its own, so the first message leaves while the rest is still being written. Broken off at
any point it is simply begun again: what is there already stays as it is.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from redis.asyncio import Redis
from sqlalchemy import ColumnElement, Select, case, exists, func, literal
from sqlmodel import col, select, update

from actions.geography import Area
from actions.live import wake
from actions.models import (
    Action,
    Address,
    Attempt,
    ContactPoint,
    Delivery,
    DeliveryState,
    Message,
    MessageKind,
    MessageText,
    Participant,
    Subscription,
    now,
)
from actions.store import Store
from alerting.bell import DELIVERIES

log = logging.getLogger(__name__)
T = TypeVar("T")

CHUNK = 10_000
# The first chunk is small, so that the first message leaves at once.
FIRST_CELLS, CELLS, ADDRESSES = 20, 400, 5_000
COLUMNS = (
    "message_id",
    "contact_point_id",
    "channel",
    "language",
    "distance",
    "state",
    "due_at",
    "created_at",
    "changed_at",
)


@dataclass(frozen=True)
class Awaited:
    """A message whose audience is to be written, and the languages of its texts."""

    message: Message
    action: Action
    languages: Collection[str]


async def write_next(store: Store, redis: Redis) -> bool:
    """Writes the audience of the oldest message that still needs it; False when there is none. Raises what the
    database raises; the next call goes on where this one broke off."""
    awaited = await _next(store)
    if awaited is None:
        return False
    count = 0
    async for chosen in _chosen(store, awaited):
        count += await _write(store, redis, awaited.message, chosen)
    async with store.writing() as session:
        this = col(Message.id) == awaited.message.id
        await session.exec(update(Message).where(this).values(audience_written_at=now()))
    log.info("action %s: %d deliveries of its %s written", awaited.action.code, count, awaited.message.kind)
    return True


async def _next(store: Store) -> Awaited | None:
    query = (
        select(Message, Action)
        .join(Action, col(Action.id) == Message.action_id)
        .where(col(Message.audience_written_at).is_(None), col(Message.stopped_at).is_(None))
        .where(col(Message.deadline) > now())
        .order_by(col(Message.id))
        .limit(1)
    )
    async with store.reading() as session:
        found = (await session.exec(query)).first()
        if found is None:
            return None
        languages = await session.exec(select(MessageText.language).where(MessageText.message_id == found[0].id))
        return Awaited(found[0], found[1], set(languages))


async def _chosen(store: Store, awaited: Awaited) -> AsyncIterator[Select[Any]]:
    """Selections of contact points, as the columns of a delivery, nearest first."""
    if awaited.message.kind != MessageKind.ALERT:
        yield _alerted_before(awaited)
        return
    area = Area.parse(awaited.action.area)
    cells = await asyncio.to_thread(area.cells)
    for chunk in (cells.interior[:FIRST_CELLS], *_chunks(cells.interior[FIRST_CELLS:], CELLS)):
        yield _living_near(awaited, col(Address.cell).in_(chunk))
    for chunk in _chunks(cells.edge, CELLS):
        for addresses in _chunks(await _inside(store, area, chunk), ADDRESSES):
            yield _living_near(awaited, col(Address.id).in_(addresses))


async def _inside(store: Store, area: Area, cells: Sequence[int]) -> list[int]:
    """The addresses in these cells that really lie in the area."""
    async with store.reading() as session:
        query = select(Address.id, Address.x, Address.y).where(col(Address.cell).in_(cells))
        places = list(await session.exec(query))
    if not places:
        return []
    ids, x, y = zip(*places, strict=True)
    inside = await asyncio.to_thread(area.holds_many, x, y)
    return [address for address, held in zip(ids, inside, strict=True) if held]


async def _write(store: Store, redis: Redis, message: Message, chosen: Select[Any]) -> int:
    """Writes the chosen, at most CHUNK a transaction, until all are there or the message is stopped. How many."""
    count = 0
    while True:
        async with store.writing() as session:
            stopped = await session.exec(select(Message.stopped_at).where(Message.id == message.id))
            if stopped.one() is not None:
                return count
            table: Any = Delivery.__table__  # type: ignore[attr-defined]
            done = await session.exec(store.insert_new(table).from_select(COLUMNS, chosen.limit(CHUNK)))
        count += done.rowcount
        if done.rowcount:
            await wake(redis, DELIVERIES)
        if done.rowcount < CHUNK:
            return count


def _living_near(awaited: Awaited, where: ColumnElement[bool]) -> Select[Any]:
    """Contact points subscribed about the addresses under `where`, with the distance of the nearest."""
    away = func.sqrt(
        (col(Address.x) - awaited.action.x) * (col(Address.x) - awaited.action.x)
        + (col(Address.y) - awaited.action.y) * (col(Address.y) - awaited.action.y)
    )
    distance = func.min(func.round(away))
    return (
        _as_delivery(
            awaited, col(Subscription.contact_point_id), col(Subscription.channel), Participant.language, distance
        )
        .select_from(Address)
        .join(Subscription, col(Subscription.address_id) == Address.id)
        .join(Participant, col(Participant.id) == Address.participant_id)
        .join(ContactPoint, col(ContactPoint.id) == Subscription.contact_point_id)
        .where(where, col(Participant.signed_off_at).is_(None), col(ContactPoint.opted_out_at).is_(None))
        .where(_not_written(awaited.message, Subscription.contact_point_id, Subscription.channel))
        .group_by(col(Subscription.contact_point_id), col(Subscription.channel))
        .order_by(distance)
    )


def _alerted_before(awaited: Awaited) -> Select[Any]:
    """Contact points for which an attempt at an earlier message of the action began, on the channel of that attempt."""
    distance = func.min(Delivery.distance)
    begun = exists().where(col(Attempt.delivery_id) == Delivery.id, col(Attempt.state) != DeliveryState.CANCELLED)
    earlier = select(Message.id).where(Message.action_id == awaited.action.id, col(Message.id) < awaited.message.id)
    return (
        _as_delivery(awaited, col(Delivery.contact_point_id), col(Delivery.channel), Delivery.language, distance)
        .select_from(Delivery)
        .join(ContactPoint, col(ContactPoint.id) == Delivery.contact_point_id)
        .where(col(Delivery.message_id).in_(earlier), begun, col(ContactPoint.opted_out_at).is_(None))
        .where(_not_written(awaited.message, Delivery.contact_point_id, Delivery.channel))
        .group_by(col(Delivery.contact_point_id), col(Delivery.channel))
        .order_by(distance)
    )


def _as_delivery(awaited: Awaited, contact_point: Any, channel: Any, language: Any, distance: Any) -> Select[Any]:
    moment = literal(now(), Delivery.__table__.c.due_at.type)  # type: ignore[attr-defined]
    spoken = case((col(language).in_(awaited.languages), language), else_="nl")
    return select(  # type: ignore[call-overload, no-any-return]
        literal(awaited.message.id),
        contact_point,
        channel,
        func.min(spoken),
        distance,
        literal(str(DeliveryState.PENDING)),
        moment,
        moment,
        moment,
    )


def _not_written(message: Message, contact_point: Any, channel: Any) -> ColumnElement[bool]:
    there = Delivery.__table__.alias("there")  # type: ignore[attr-defined]
    return ~exists().where(
        there.c.message_id == message.id, there.c.contact_point_id == contact_point, there.c.channel == channel
    )


def _chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
