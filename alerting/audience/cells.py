"""The people in the cells of an area: counted, packed, and tested where the area's edge crosses a cell."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_
from sqlmodel import col, select

from actions.geography import NATION
from actions.models import Address
from actions.store import Store
from alerting.audience.rings import Circle, Ground, around, ground, nearest_first

# Cells whose people are counted at once.
COUNTED = 8_192


async def grounds(store: Store, area: Mapping[str, Any], x: float, y: float) -> AsyncIterator[Ground]:
    """Where an action looks. Of all of the country the nearest cells come before, and then again in the whole: to
    count three million addresses takes two seconds, and the first message does not wait for that."""
    if area.get("type") == NATION:
        yield await _inhabited(store, x, y, store.one_of(col(Address.cell), around(x, y)))
    yield await ground_of(store, area, x, y)


async def ground_of(store: Store, area: Mapping[str, Any], x: float, y: float) -> Ground:
    """All of where an action looks. In all of the country those cells count in which somebody lives."""
    if area.get("type") != NATION:
        return await asyncio.to_thread(ground, area, x, y)
    return await _inhabited(store, x, y)


async def _inhabited(store: Store, x: float, y: float, *where: ColumnElement[bool]) -> Ground:
    query = select(Address.cell, func.count()).where(*where).group_by(col(Address.cell))
    async with store.reading() as session:
        people = dict((await session.exec(query)).all())
    return Ground(nearest_first(sorted(people), x, y), frozenset(), people=people)


@dataclass(frozen=True)
class Part:
    """Some cells, or one part of `of` of a single crowded one."""

    cells: Sequence[int]
    part: int = 0
    of: int = 1

    def within(self, store: Store, cells: Sequence[int]) -> ColumnElement[bool]:
        here = store.one_of(col(Address.cell), cells)
        return here if self.of == 1 else and_(here, col(Address.id) % self.of == self.part)


async def count(store: Store, place: Ground, cells: Sequence[int], most: int) -> list[tuple[Part, int]]:
    """The cells in which somebody lives, in this order, with how many; one with more than `most` in parts."""
    people = await _people(store, cells) if place.people is None else place.people
    found = []
    for cell in cells:
        if lives := people.get(cell, 0):
            of = -(-lives // most)
            found += [(Part([cell], part, of), -(-lives // of)) for part in range(of)]
    return found


async def _people(store: Store, cells: Sequence[int]) -> Mapping[int, int]:
    query = select(Address.cell, func.count()).where(store.one_of(col(Address.cell), cells)).group_by(col(Address.cell))
    async with store.reading() as session:
        return dict((await session.exec(query)).all())


def taken(counted: list[tuple[Part, int]], most: int) -> tuple[Part, list[tuple[Part, int]]]:
    """As many of the first cells as hold at most `most` people, at least one; and the rest."""
    first, people = counted[0]
    if first.of > 1:
        return first, counted[1:]
    taken = 1
    while taken < len(counted) and counted[taken][0].of == 1 and people + counted[taken][1] <= most:
        people += counted[taken][1]
        taken += 1
    return Part([cell for part, _ in counted[:taken] for cell in part.cells]), counted[taken:]


async def inside(store: Store, place: Ground, part: Part) -> ColumnElement[bool]:
    """The condition on the addresses of a part that really lie in the area."""
    edge = [cell for cell in part.cells if cell in place.edge]
    if not edge:
        return part.within(store, part.cells)
    if place.circle:
        return and_(part.within(store, part.cells), _in_circle(place.circle))
    wholly = [cell for cell in part.cells if cell not in place.edge]
    return or_(
        part.within(store, wholly),
        store.one_of(col(Address.id), await _in_area(store, place, part.within(store, edge))),
    )


def _in_circle(circle: Circle) -> ColumnElement[bool]:
    east, north = col(Address.x) - circle.x, col(Address.y) - circle.y
    return east * east + north * north <= circle.radius**2


async def _in_area(store: Store, place: Ground, where: ColumnElement[bool]) -> list[int]:
    """The addresses under `where` that really lie in the area."""
    assert place.area is not None
    async with store.reading() as session:
        found = list(await session.exec(select(Address.id, Address.x, Address.y).where(where)))
    if not found:
        return []
    ids, x, y = zip(*found, strict=True)
    inside = await asyncio.to_thread(place.area.holds_many, x, y)
    return [address for address, held in zip(ids, inside, strict=True) if held]
