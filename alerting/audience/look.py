"""Who is there, looked at and not written: the same selection as for writing, in a bounded time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import literal

from actions.store import Store
from alerting.audience.awaited import Awaited
from alerting.audience.cells import COUNTED, Part, count, ground_of, inside, taken
from alerting.audience.chunks import CHUNK
from alerting.audience.rings import Ground, rings
from alerting.audience.rows import living_near

# Of a ring with more addresses than this a part is looked at: a look ahead takes seconds for millions too.
LOOKED_AT = 8_000


@dataclass
class One:
    """A delivery that would be written, at its nearest and its earliest; `weight`: for how many it stands."""

    ring: int
    metres: int
    language: str
    wait: int
    found: int
    weight: float

    def also(self, row: Any) -> None:
        """Another subscription of the same contact point to the same channel."""
        self.metres, self.wait = min(self.metres, int(row.metres)), min(self.wait, row.wait)
        self.language, self.found = min(self.language, row.language), min(self.found, row.found)


@dataclass
class Look:
    """`people`: participant -> for how many it stands; `deliveries` by contact point and channel. `exact`: everybody
    was looked at."""

    exact: bool = True
    people: dict[int, float] = field(default_factory=dict)
    deliveries: dict[tuple[int, str], One] = field(default_factory=dict)

    def put(self, row: Any, weight: float) -> None:
        self.people.setdefault(row.participant_id, weight)
        known = self.deliveries.get((row.contact_point_id, row.channel))
        if known:
            known.also(row)
        else:
            one = One(row.ring, int(row.metres), row.language, row.wait, row.found, weight)
            self.deliveries[row.contact_point_id, row.channel] = one


async def look(store: Store, awaited: Awaited, at: datetime) -> Look:
    """Looks at the audience of an alert, nearest first."""
    found = Look()
    place = await ground_of(store, awaited.action.area, awaited.action.x, awaited.action.y)
    for number, cells in rings(place.cells):
        counted, weight = await _some(store, place, cells)
        found.exact = found.exact and weight == 1
        while counted:
            part, counted = taken(counted, CHUNK)
            rows = living_near(awaited, at, literal(number), await inside(store, place, part))
            async with store.reading(transaction=True) as session:
                await store.by_index(session)
                for row in await session.exec(rows):  # type: ignore[call-overload]
                    found.put(row, weight)
    return found


async def _some(store: Store, place: Ground, cells: list[int]) -> tuple[list[tuple[Part, int]], float]:
    """The cells of a ring with their people, or every so many of them; and for how many people each one stands."""
    counted: list[tuple[Part, int]] = []
    for start in range(0, len(cells), COUNTED):
        counted += await count(store, place, cells[start : start + COUNTED], CHUNK)
    everybody = sum(people for _, people in counted)
    if everybody <= LOOKED_AT:
        return counted, 1
    some = counted[:: -(-everybody // LOOKED_AT)]
    return some, everybody / sum(people for _, people in some)
