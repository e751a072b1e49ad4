"""Where an action looks: areas on the map, in RD New metres (EPSG:28992), and the 500 m cells that cover them.

A participant's place is stored with the number of its cell. Cells wholly inside an area need no further test; only the
places in cells that the area's edge crosses are tested one by one.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from pyproj.enums import TransformDirection
from shapely import MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry
from shapely.validation import explain_validity

CELL_M = 500
CELLS_A_ROW = 1000
# The Netherlands in RD New: west, south, east, north.
EXTENT = (7_000.0, 289_000.0, 300_000.0, 629_000.0)
SMALLEST_RADIUS_M, LARGEST_RADIUS_M = 1, 150_000
MOST_POINTS = 10_000
# Areas known by name, and what holds their names. Their outlines are published; actions.areas looks them up.
NAMED = {"municipalities": "codes", "safety-regions": "codes", "regions": "ids"}
NATION = "nation"
MOST_NAMES = 100
# A circle becomes a polygon of 512 sides: on 2 km it is nowhere more than 4 cm inside the true circle.
SIDES_A_QUARTER = 128
TYPES = ("circle", "Polygon", "MultiPolygon", *NAMED, NATION)

# What PROJ finds for EPSG:4326 to EPSG:28992, to one metre, written out: every new thread would search for it again, a
# tenth of a second long.
_rd = Transformer.from_pipeline(
    "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad +step +proj=push +v_3 "
    "+step +proj=cart +ellps=WGS84 +step +inv +proj=helmert +x=565.4171 +y=50.3319 +z=465.5524 +rx=0.398957388243134 "
    "+ry=-0.343987817378283 +rz=1.87740163998045 +s=4.0725 +convention=coordinate_frame "
    "+step +inv +proj=cart +ellps=bessel +step +proj=pop +v_3 +step +proj=sterea +lat_0=52.1561605555556 "
    "+lon_0=5.38763888888889 +k=0.9999079 +x_0=155000 +y_0=463000 +ellps=bessel"
)


class BadArea(ValueError):
    """An area that cannot be used. `faults`: each fault, in words that tell what to do."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = list(faults)


def to_rd(lat: float, lon: float) -> tuple[float, float]:
    """RD New x, y in metres of a place in WGS84 degrees."""
    x, y = _rd.transform(lon, lat)
    return float(x), float(y)


def all_to_rd(lon_lat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Places as rows of x, y in RD metres, from rows of longitude, latitude in WGS84 degrees."""
    return np.column_stack(_rd.transform(lon_lat[:, 0], lon_lat[:, 1]))


def to_wgs(x: float, y: float) -> tuple[float, float]:
    """Latitude and longitude in WGS84 degrees of a place in RD New metres."""
    lon, lat = _rd.transform(x, y, direction=TransformDirection.INVERSE)
    return float(lat), float(lon)


def in_the_netherlands(x: float, y: float) -> bool:
    west, south, east, north = EXTENT
    return west <= x <= east and south <= y <= north


def cell_of(x: float, y: float) -> int:
    """The number of the 500 m cell that holds a place: row from the south times 1000, plus column from the west."""
    return int(y // CELL_M) * CELLS_A_ROW + int(x // CELL_M)


@dataclass(frozen=True)
class Cells:
    """Cell numbers, nearest to the area's centre first."""

    interior: list[int]
    edge: list[int]


@dataclass(frozen=True)
class Area:
    """One or more polygons in RD New metres. `everywhere`: it holds every place there is, and no place need be tested
    nor cell counted out."""

    shape: BaseGeometry
    everywhere: bool = False

    @classmethod
    def parse(cls, given: object) -> Area:
        """A circle {"type": "circle", "lat": 52.1, "lon": 5.1, "radius": 2000 (metres)}, a GeoJSON Polygon or
        MultiPolygon (lon, lat pairs, closed rings), {"type": "nation"}, or an area known by name as an action keeps it
        (see areas.placed). Raises BadArea with every fault."""
        if not isinstance(given, Mapping):
            raise BadArea([f"an area is a circle or GeoJSON, or known by name; its type is one of {', '.join(TYPES)}"])
        match given.get("type"):
            case "nation":
                return cls(shapely.box(*EXTENT), everywhere=True)
            case str(named) if named in NAMED:
                return cls(_unpacked(given))
            case "circle":
                return cls(_circle(given))
            case "Polygon":
                return cls(_shape([given.get("coordinates")]))
            case "MultiPolygon":
                parts = given.get("coordinates")
                if not isinstance(parts, list) or not parts:
                    raise BadArea(["the area is empty: draw at least one polygon"])
                return cls(_shape(parts))
            case other:
                raise BadArea([f"an area of type {other!r} is not known: use one of {', '.join(TYPES)}"])

    @property
    def centre(self) -> tuple[float, float]:
        """The middle of the area, RD metres."""
        return float(self.shape.centroid.x), float(self.shape.centroid.y)

    def holds(self, x: float, y: float) -> bool:
        return bool(self.holds_many([x], [y])[0])

    def holds_many(self, x: Sequence[float], y: Sequence[float]) -> NDArray[np.bool_]:
        """For each place whether it lies in the area or on its edge."""
        if self.everywhere:
            return np.ones(len(x), dtype=bool)
        return shapely.intersects_xy(self._prepared, np.asarray(x, float), np.asarray(y, float))

    def cells(self) -> Cells:
        """The cells the area touches. Takes about a second for the whole country: call it off the event loop."""
        columns, rows = self._grid()
        west, south = columns * CELL_M, rows * CELL_M
        boxes = shapely.box(west, south, west + CELL_M, south + CELL_M)
        touched = shapely.intersects(self._prepared, boxes)
        inside = touched & shapely.contains_properly(self._prepared, boxes)
        x, y = self.centre
        order = np.argsort((west + CELL_M / 2 - x) ** 2 + (south + CELL_M / 2 - y) ** 2, kind="stable")
        numbers = (rows * CELLS_A_ROW + columns)[order]
        return Cells(numbers[inside[order]].tolist(), numbers[(touched & ~inside)[order]].tolist())

    @cached_property
    def _prepared(self) -> BaseGeometry:
        shapely.prepare(self.shape)
        return self.shape

    def _grid(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        west, south, east, north = (int(edge // CELL_M) for edge in self.shape.bounds)
        columns, rows = np.meshgrid(np.arange(west, east + 1), np.arange(south, north + 1))
        return columns.ravel(), rows.ravel()


def names_in(given: Mapping[Any, Any]) -> list[str]:
    """The names of an area that is known by them. Raises BadArea."""
    kind = str(given["type"])
    names = given.get(NAMED[kind])
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise BadArea([f"an area of type {kind} needs {NAMED[kind]}, a list of names"])
    if len(names) > MOST_NAMES:
        raise BadArea([f"{len(names)} names are too many for one area: at most {MOST_NAMES}, or the nation"])
    return list(dict.fromkeys(names))


def packed(shape: BaseGeometry) -> str:
    """An outline in RD metres as an action keeps it: ten times as fast to read as GeoJSON."""
    return base64.b64encode(shapely.to_wkb(shape)).decode()


def _unpacked(given: Mapping[Any, Any]) -> BaseGeometry:
    if not isinstance(given.get("shape"), str):
        raise BadArea([f"the outline of this area of type {given.get('type')} was not looked up"])
    return shapely.from_wkb(base64.b64decode(given["shape"]))


def _circle(given: Mapping[Any, Any]) -> BaseGeometry:
    values = [given.get(name) for name in ("lat", "lon", "radius")]
    if not all(_is_number(value) for value in values):
        raise BadArea(["a circle needs lat, lon (degrees) and radius (metres), each a number"])
    lat, lon, radius = (float(value) for value in values if value is not None)
    x, y = to_rd(lat, lon) if abs(lat) <= 90 and abs(lon) <= 180 else (0.0, 0.0)
    faults = []
    if not in_the_netherlands(x, y):
        faults.append(
            "the middle of the circle lies outside the Netherlands; is latitude (50-54) before longitude (3-8)?"
        )
    if not SMALLEST_RADIUS_M <= radius <= LARGEST_RADIUS_M:
        faults.append(f"the radius must be at least {SMALLEST_RADIUS_M} and at most {LARGEST_RADIUS_M} metres")
    if faults:
        raise BadArea(faults)
    return Point(x, y).buffer(radius, quad_segs=SIDES_A_QUARTER)


def _shape(parts: Sequence[object]) -> BaseGeometry:
    rings = [ring for part in parts if isinstance(part, list) for ring in part if isinstance(ring, list)]
    if sum(map(len, rings)) > MOST_POINTS:
        raise BadArea([f"the area has more than {MOST_POINTS} points: draw it with fewer"])
    return _checked([_polygon(part) for part in parts])


def _polygon(rings: object) -> Polygon:
    """One polygon, outline first, then holes; each ring closed. Raises BadArea."""
    if not isinstance(rings, list) or not rings:
        raise BadArea(["the area is empty: a polygon needs a ring of at least four points"])
    outline, *holes = [_ring(ring) for ring in rings]
    return Polygon(outline, holes)


def _ring(points: object) -> list[tuple[float, float]]:
    if not isinstance(points, list) or len(points) < 4:
        raise BadArea(["a ring needs at least four points, the last the same as the first"])
    if not all(_is_position(point) for point in points):
        raise BadArea(["each point must be [longitude, latitude] in degrees"])
    if points[0] != points[-1]:
        raise BadArea(["the ring is open: repeat the first point at the end"])
    placed = [to_rd(point[1], point[0]) for point in points]
    if not all(in_the_netherlands(x, y) for x, y in placed):
        raise BadArea(["the area lies outside the Netherlands; is longitude (3-8) before latitude (50-54)?"])
    return placed


def _checked(parts: Sequence[Polygon]) -> BaseGeometry:
    shape: BaseGeometry = parts[0] if len(parts) == 1 else MultiPolygon(parts)
    if not shape.is_valid:
        raise BadArea([f"the edge crosses or touches itself ({explain_validity(shape)}): draw it without crossings"])
    if shape.area < 1:
        raise BadArea(["the area has no surface: move its points apart"])
    return shape


def _is_number(value: object) -> bool:
    """JSON may hold NaN, infinities and integers that no float can hold."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9


def _is_position(point: object) -> bool:
    if not isinstance(point, list) or len(point) < 2 or not all(_is_number(value) for value in point[:2]):
        return False
    return bool(abs(point[0]) <= 180 and abs(point[1]) <= 90)
