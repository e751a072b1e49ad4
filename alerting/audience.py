"""Who gets a message: the audience, written as delivery rows, nearest first.

Each chunk is a transaction of its own, so the first message leaves while the rest is still being written. Broken off at
any point it is simply begun again: what is there already stays as it is.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from sqlalchemy import ColumnElement, Select, and_, case, exists, func, literal
from sqlmodel import col, select, update

from actions.geography import CELL_M, CELLS_A_ROW, Area
from actions.live import wake
from actions.models import (
    Action,
    Address,
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
from alerting.sendable import NEVER_BEGUN, willing

log = logging.getLogger(__name__)

CHUNK = 10_000
# The first ring is small, so that the first message leaves at once; each next one is twice as large, up to the last.
FIRST_CELLS, MOST_CELLS = 16, 512
ADDRESSES = 5_000
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


@dataclass(frozen=True)
class Ring:
    """Cells at about the same distance from the middle of an area."""

    interior: list[int]
    edge: list[int]


class _Stopped(Exception):
    """The message was stopped while its audience was being written."""


async def write_next(store: Store, redis: Redis) -> bool:
    """Writes the audience of the oldest message that still needs it; False when there is none. Raises what the
    database raises; the next call goes on where this one broke off."""
    awaited = await _next(store)
    if awaited is None:
        return False
    try:
        count = await _write_all(store, redis, awaited)
    except _Stopped:
        log.info("action %s: its %s was stopped while being written", awaited.action.code, awaited.message.kind)
        return True
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


async def _write_all(store: Store, redis: Redis, awaited: Awaited) -> int:
    count = 0
    async with aclosing(_chosen(store, awaited)) as selections:
        async for chosen in selections:
            count += await _write(store, redis, awaited.message, chosen)
    return count


async def _chosen(store: Store, awaited: Awaited) -> AsyncGenerator[Select[Any], None]:
    """Selections of contact points, as the columns of a delivery, nearest first."""
    if awaited.message.kind != MessageKind.ALERT:
        yield _alerted_before(awaited)
    if awaited.message.kind == MessageKind.RESULT:
        return
    # An update also goes to those whom the alert, stopped by it, had not reached yet.
    area, rings = await asyncio.to_thread(_rings, awaited.action.area)
    for ring in rings:
        if ring.interior:
            yield _living_near(awaited, col(Address.cell).in_(ring.interior))
        async for addresses in _inside(store, area, ring.edge):
            yield _living_near(awaited, col(Address.id).in_(addresses))


def _rings(given: object) -> tuple[Area, list[Ring]]:
    """The cells of an area, nearest first, in rings. Takes up to two seconds: call it in a thread."""
    area = Area.parse(given)
    x, y = area.centre

    def away(cell: int) -> float:
        row, column = divmod(cell, CELLS_A_ROW)
        return ((column + 0.5) * CELL_M - x) ** 2 + ((row + 0.5) * CELL_M - y) ** 2

    cells = area.cells()
    interior = set(cells.interior)
    nearest_first = list(heapq.merge(cells.interior, cells.edge, key=away))
    rings, start, size = [], 0, FIRST_CELLS
    while ring := nearest_first[start : start + size]:
        rings.append(Ring([cell for cell in ring if cell in interior], [cell for cell in ring if cell not in interior]))
        start, size = start + size, min(size * 2, MOST_CELLS)
    return area, rings


async def _inside(store: Store, area: Area, cells: Sequence[int]) -> AsyncIterator[list[int]]:
    """The addresses in these cells that really lie in the area, at most ADDRESSES at a time."""
    last = 0
    while cells:
        query = (
            select(Address.id, Address.x, Address.y)
            .where(col(Address.cell).in_(cells), col(Address.id) > last)
            .order_by(col(Address.id))
            .limit(ADDRESSES)
        )
        async with store.reading() as session:
            places = list(await session.exec(query))
        if not places:
            return
        ids, x, y = zip(*places, strict=True)
        inside = await asyncio.to_thread(area.holds_many, x, y)
        if inside.any():
            yield [address for address, held in zip(ids, inside, strict=True) if held]
        last = ids[-1]


async def _write(store: Store, redis: Redis, message: Message, chosen: Select[Any]) -> int:
    """Writes the chosen, at most CHUNK a transaction, until all are there; how many. Raises _Stopped."""
    count = 0
    while True:
        async with store.writing() as session:
            # Locked, so that of two writers each sees what the other wrote, and the end of an action waits for a chunk.
            query = select(Message.stopped_at).where(Message.id == message.id).with_for_update()
            if (await session.exec(query)).one() is not None:
                raise _Stopped
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
    rows = (
        _as_delivery(awaited, Subscription.contact_point_id, Subscription.channel, func.round(away))
        .select_from(Address)
        .join(Subscription, col(Subscription.address_id) == Address.id)
        .where(where)
    )
    return _willing(awaited, rows, Subscription.contact_point_id, Subscription.channel)


def _alerted_before(awaited: Awaited) -> Select[Any]:
    """Contact points for which an attempt at an earlier message of the action began, on the channel of that attempt."""
    earlier = select(Message.id).where(Message.action_id == awaited.action.id, col(Message.id) < awaited.message.id)
    rows = (
        _as_delivery(awaited, Delivery.contact_point_id, Delivery.channel, Delivery.distance)
        .select_from(Delivery)
        .join(Subscription, col(Subscription.contact_point_id) == Delivery.contact_point_id)
        .join(Address, col(Address.id) == Subscription.address_id)
        .where(
            col(Delivery.message_id).in_(earlier), col(Delivery.state).not_in(NEVER_BEGUN), ~_texted_instead(earlier)
        )
    )
    return _willing(awaited, rows, Delivery.contact_point_id, Delivery.channel)


def _texted_instead(earlier: Any) -> ColumnElement[bool]:
    """A call that nobody answered with a key, and a text that followed it: what comes next goes by text alone."""
    text: Any = Delivery.__table__.alias("text")  # type: ignore[attr-defined]
    followed = exists().where(
        text.c.message_id.in_(earlier),
        text.c.contact_point_id == Delivery.contact_point_id,
        text.c.channel == "sms",
        text.c.state.not_in(NEVER_BEGUN),
    )
    return and_(col(Delivery.channel) == "voice", col(Delivery.state) != DeliveryState.CONFIRMED, followed)


def _as_delivery(awaited: Awaited, contact_point: Any, channel: Any, distance: Any) -> Select[Any]:
    moment = literal(now(), Delivery.__table__.c.due_at.type)  # type: ignore[attr-defined]
    language = case((col(Participant.language).in_(awaited.languages), col(Participant.language)), else_="nl")
    return select(  # type: ignore[call-overload, no-any-return]
        literal(awaited.message.id),
        contact_point,
        channel,
        func.min(language),
        func.min(distance).label("nearest"),
        literal(str(DeliveryState.PENDING)),
        moment,
        moment,
        moment,
    )


def _willing(awaited: Awaited, rows: Select[Any], contact_point: Any, channel: Any) -> Select[Any]:
    """Each contact point once a channel, nearest first: without those who signed off, and those written already."""
    there = Delivery.__table__.alias("there")  # type: ignore[attr-defined]
    written = exists().where(
        there.c.message_id == awaited.message.id, there.c.contact_point_id == contact_point, there.c.channel == channel
    )
    return (
        rows.join(Participant, col(Participant.id) == Address.participant_id)
        .join(ContactPoint, col(ContactPoint.id) == contact_point)
        .where(col(Participant.signed_off_at).is_(None), col(ContactPoint.opted_out_at).is_(None), ~written)
        .where(willing(awaited.action.id, contact_point))
        .group_by(contact_point, channel)
        .order_by("nearest", contact_point)
    )
