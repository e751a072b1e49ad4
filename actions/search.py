"""A search for somebody on the move: where one may be, since last seen at a place, by this means. Pure.

The area is an egg around that place. It is as long as the way that can have been gone by the next time it grows, to all
sides when nobody knows the heading; else that far ahead, and a third of it behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import numpy as np
import shapely
from shapely import Polygon

from actions.geography import EXTENT, in_the_netherlands, to_rd, to_wgs
from actions.models import Kind

# Nobody knows the place better than this, in metres.
LEAST_M = 500.0
# Behind somebody with a heading: a part of the way ahead. More keeps the egg without a dent.
BEHIND = 0.35
CORNERS = 72
OLDEST = timedelta(days=7)
CLOCKS_DIFFER = timedelta(minutes=5)


class Means(StrEnum):
    """How somebody moves."""

    CHILD = "child"  # on foot, stopping often
    WALK = "walk"
    CYCLE = "cycle"
    CAR = "car"


@dataclass(frozen=True)
class Pace:
    """Metres a second, metres at most, and how often the area grows."""

    speed: float
    farthest: float
    every: timedelta


# Walking: adults of middle age 1.4 m/s, the slowest of all 0.94, which stands for a child (Bohannon and Andrews: Normal
# walking speed, Physiotherapy 97, 2011). Cycling: 17 km/h all over the Netherlands (cycling count week of 2017).
# Driving: the 50 km/h of built-up areas, kept up from door to door. The farthest are our choice: beyond them a search
# has too many people to be of use.
PACES = {
    Means.CHILD: Pace(0.94, 6_000, timedelta(minutes=10)),
    Means.WALK: Pace(1.4, 10_000, timedelta(minutes=10)),
    Means.CYCLE: Pace(4.7, 25_000, timedelta(minutes=5)),
    Means.CAR: Pace(13.9, 75_000, timedelta(minutes=5)),
}
# An urgent kind may look farther: the farthest of a kind, in metres.
REACH = {
    Kind.AMBER: 75_000,
    Kind.MISSING_CHILD: 25_000,
    Kind.LOOK_OUT: 15_000,
    Kind.INFORMATION: 5_000,
    Kind.INVESTIGATION: 5_000,
}


@dataclass(frozen=True)
class Search:
    """Last seen at a place (WGS84 degrees) at a moment. `heading`: degrees from north, clockwise; None: not known."""

    lat: float
    lon: float
    seen_at: datetime
    means: Means
    heading: int | None = None

    @property
    def origin(self) -> tuple[float, float]:
        """RD metres."""
        return to_rd(self.lat, self.lon)

    def faults(self, moment: datetime) -> list[str]:
        """Every reason why this is no search, in words that tell what to do."""
        faults = []
        if not (abs(self.lat) <= 90 and abs(self.lon) <= 180 and in_the_netherlands(*self.origin)):
            faults.append("the place lies outside the Netherlands; is latitude (50-54) before longitude (3-8)?")
        if self.heading is not None and not 0 <= self.heading < 360:
            faults.append("the heading must be in degrees from north, 0 to 359: 90 is east")
        if self.seen_at > moment + CLOCKS_DIFFER:
            faults.append("the moment it was seen lies ahead of now")
        if self.seen_at < moment - OLDEST:
            faults.append(f"it was seen more than {OLDEST.days} days ago: draw an area instead")
        return faults

    def radius(self, kind: Kind, moment: datetime) -> float:
        """How far one may have come by the next time the area grows, metres."""
        pace = PACES[self.means]
        gone_s = max((moment - self.seen_at + pace.every).total_seconds(), 0)
        return min(max(pace.speed * gone_s, LEAST_M), self._farthest(kind))

    def grows_at(self, kind: Kind, moment: datetime) -> datetime | None:
        """When the area is to grow next; None when it is as large as it gets."""
        return None if self.radius(kind, moment) >= self._farthest(kind) else moment + PACES[self.means].every

    def area(self, kind: Kind, moment: datetime) -> dict[str, Any]:
        """A GeoJSON Polygon. An area of a later moment holds each earlier one."""
        x, y = self.origin
        turns = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
        ahead = np.ones(CORNERS) if self.heading is None else (1 + np.cos(turns - np.radians(self.heading))) / 2
        far = self.radius(kind, moment) * (BEHIND + (1 - BEHIND) * ahead)
        egg = Polygon(np.column_stack([x + far * np.sin(turns), y + far * np.cos(turns)]))
        west, south, east, north = EXTENT
        # What lies abroad is left out; a metre keeps the edge inside when it is reckoned back.
        there = shapely.intersection(egg, shapely.box(west + 1, south + 1, east - 1, north - 1))
        ring = [to_wgs(east, north) for east, north in shapely.get_coordinates(there)]
        return {"type": "Polygon", "coordinates": [[[lon, lat] for lat, lon in [*ring[:-1], ring[0]]]]}

    def moved(self, lat: float, lon: float, seen_at: datetime, heading: int | None) -> Search:
        """The search after somebody saw the one we look for elsewhere."""
        return replace(self, lat=lat, lon=lon, seen_at=seen_at, heading=heading)

    def kept(self) -> dict[str, Any]:
        """As it stands in Action.search."""
        place = {"lat": self.lat, "lon": self.lon, "means": str(self.means), "heading": self.heading}
        return {**place, "seen_at": self.seen_at.astimezone(UTC).isoformat()}

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Search:
        seen_at = datetime.fromisoformat(kept["seen_at"])
        return cls(kept["lat"], kept["lon"], seen_at, Means(kept["means"]), kept["heading"])

    def _farthest(self, kind: Kind) -> float:
        return min(PACES[self.means].farthest, REACH[kind])
