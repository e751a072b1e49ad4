"""An audience in parts that are each written in a moment: the nearest first."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, literal
from sqlmodel import col, select

from actions.models import Address, Delivery, Message, MessageKind
from actions.store import Store
from alerting.audience.awaited import Awaited
from alerting.audience.cells import COUNTED, count, grounds, inside, taken
from alerting.audience.rings import Ground, rings

# Addresses in a transaction: few at first, so that the first message leaves at once, then more.
FIRST_CHUNK, CHUNK = 5_000, 10_000
# The people of so many cells (a circle of some six kilometres) are counted in one moment.
FEW_CELLS = 512


@dataclass(frozen=True)
class Chunk:
    """Those who live in some rings (`where` is about addresses), or were alerted before (about deliveries). `farthest`:
    the number of the last of the rings; 0 for those alerted before. `ring`: in which of them an address lies."""

    where: ColumnElement[bool]
    farthest: int = 0
    ring: ColumnElement[int] | None = None


async def chunks(store: Store, awaited: Awaited) -> AsyncGenerator[Chunk, None]:
    """All to whom the message may go. An update also goes to those whom the alert, stopped by it, had not reached yet;
    an update for followers and a result go to those alerted alone."""
    message = awaited.message
    if message.kind != MessageKind.ALERT:
        async for where in _alerted(store, awaited):
            yield Chunk(where)
    if message.kind != MessageKind.RESULT and not message.followers:
        async for chunk in _near(store, awaited):
            yield chunk


async def _near(store: Store, awaited: Awaited) -> AsyncIterator[Chunk]:
    action, most = awaited.action, min(FIRST_CHUNK, CHUNK)
    async for place in grounds(store, action.area, action.x, action.y):
        for near in _counted_together(place):
            counted = await count(store, place, [cell for cells in near.values() for cell in cells], CHUNK)
            while counted:
                part, counted = taken(counted, most)
                held = _held(near, part.cells, awaited.rings_before)
                yield Chunk(await inside(store, place, part), max(held), _ring(store, held))
                most = CHUNK


def _held(near: Mapping[int, Sequence[int]], cells: Sequence[int], before: int) -> Mapping[int, Sequence[int]]:
    """Those of the cells that lie in each ring, where any do; rings are counted from `before`."""
    here = set(cells)
    return {before + number: some for number, ring in near.items() if (some := [cell for cell in ring if cell in here])}


def _counted_together(place: Ground) -> Iterator[Mapping[int, Sequence[int]]]:
    """The rings (number -> cells) in pieces, nearest first: all of a small place, else parts of one ring."""
    if len(place.cells) <= FEW_CELLS:
        yield dict(rings(place.cells))
        return
    for number, cells in rings(place.cells):
        for start in range(0, len(cells), COUNTED):
            yield {number: cells[start : start + COUNTED]}


def _ring(store: Store, held: Mapping[int, Sequence[int]]) -> ColumnElement[int]:
    *nearer, farthest = held
    if not nearer:
        return literal(farthest)
    return case(*((store.one_of(col(Address.cell), held[number]), number) for number in nearer), else_=farthest)


async def _alerted(store: Store, awaited: Awaited) -> AsyncIterator[ColumnElement[bool]]:
    """The deliveries of earlier messages, by ranges of contact points: all of one contact point are in one range."""
    earlier = select(Message.id).where(Message.action_id == awaited.action.id, col(Message.id) < awaited.message.id)
    async with store.reading() as session:
        messages = list(await session.exec(earlier))
    last: int | None = -1
    while last is not None:
        ends = [end for message in messages if (end := await _end(store, message, last)) is not None]
        after, last = last, min(ends, default=None)
        until = [col(Delivery.contact_point_id) <= last] if last is not None else []
        yield and_(col(Delivery.contact_point_id) > after, *until)


async def _end(store: Store, message: int | None, after: int) -> int | None:
    """The CHUNKth contact point after this one that has a delivery of the message; None when there are not so many."""
    query = (
        select(Delivery.contact_point_id)
        .where(Delivery.message_id == message, col(Delivery.contact_point_id) > after)
        .order_by(col(Delivery.contact_point_id))
        .offset(CHUNK - 1)
        .limit(1)
    )
    async with store.reading() as session:
        return (await session.exec(query)).first()
