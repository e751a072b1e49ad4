"""Reading files of places, row by row: GeoPackage, GeoJSON, CSV. What the rows mean is not known here.

A GeoPackage is an SQLite file with outlines as WKB behind a short header: to read it takes no more than that."""

from __future__ import annotations

import csv
import json
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import shapely
from numpy.typing import NDArray

from actions.geography import all_to_rd

RD, WGS84 = 28992, 4326
# RD with heights, and the European degrees, which lie within a metre of WGS84's.
IN_METRES, IN_DEGREES = (RD, 7415), (WGS84, 4258)
# GeoJSON is read as a whole.
LARGEST_JSON = 1_000_000_000
LONGEST_LINE = 10_000
_ENVELOPE_BYTES = {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}
_EPSG = re.compile(r"EPSG:+(?:[0-9.]*:)?([0-9]+)")


class BadPlaces(Exception):
    """A file of which nothing can be taken; the message says what to do."""


@dataclass(frozen=True)
class Row:
    """`number`: the line, or the place in its table, from 1. `shape`: WKB; None when the file has none."""

    number: int
    values: Mapping[str, Any]
    shape: bytes | None


@dataclass(frozen=True)
class Table:
    """`columns` in lower case. `rows` reads the columns asked for. `frame`: EPSG code of the shapes."""

    file: str
    name: str
    columns: frozenset[str]
    count: int
    frame: int
    rows: Callable[[Sequence[str]], Iterator[Row]]


def tables_in(file: Path) -> list[Table]:
    """The tables of a file. Raises BadPlaces."""
    tables = _tables(file)
    for table in tables:
        if table.frame not in (*IN_METRES, *IN_DEGREES):
            raise BadPlaces(
                f"{file.name} has coordinates in EPSG:{table.frame}, which is not known: take the one in RD "
                "(EPSG:28992) or WGS84 (EPSG:4326)"
            )
    return tables


def _tables(file: Path) -> list[Table]:
    try:
        with file.open("rb") as content:
            start = content.read(16)
        if start.startswith(b"SQLite format 3"):
            return _geopackage(file)
        if start.startswith(b"PK"):
            raise BadPlaces(f"{file.name} is packed: unpack it first")
        return [_geojson(file) if start.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{") else _csv(file)]
    except OSError as fault:
        raise BadPlaces(f"{file} cannot be read: {fault.strerror}") from None
    except sqlite3.Error as fault:
        raise BadPlaces(f"{file.name} is no whole GeoPackage ({fault}): download it again") from None


def in_rd(shapes: Any, frame: int) -> NDArray[Any]:
    """Shapes in flat RD metres; `frame` is one of those known."""
    flat: NDArray[Any] = shapely.force_2d(np.asarray(shapes, dtype=object))
    return flat if frame in IN_METRES else np.asarray(shapely.transform(flat, all_to_rd))


def _geopackage(file: Path) -> list[Table]:
    query = """
        SELECT g.table_name, g.column_name, coalesce(s.organization_coordsys_id, g.srs_id)
        FROM gpkg_geometry_columns g LEFT JOIN gpkg_spatial_ref_sys s ON s.srs_id = g.srs_id ORDER BY g.table_name
    """
    with closing(_opened(file)) as database:
        return [_layer(database, file, *row) for row in database.execute(query)]


def _layer(database: sqlite3.Connection, file: Path, name: str, geometry: str, frame: int) -> Table:
    table = _quoted(name)
    columns = {column.lower() for _, column, *_ in database.execute(f"PRAGMA table_info({table})")}
    (count,) = database.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - quoted

    def rows(wanted: Sequence[str]) -> Iterator[Row]:
        asked = ", ".join(_quoted(column) for column in (geometry, *wanted))
        with closing(_opened(file)) as reading:
            found = reading.execute(f"SELECT {asked} FROM {table}")  # noqa: S608 - quoted
            for number, (blob, *values) in enumerate(found, start=1):
                yield Row(number, dict(zip(wanted, values, strict=True)), _wkb(blob))

    return Table(file.name, name, frozenset(columns - {geometry.lower()}), count, frame, rows)


def _opened(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(file.absolute()))}?mode=ro", uri=True)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _wkb(blob: object) -> bytes | None:
    """The WKB in a GeoPackage geometry: after "GP", a version, flags, the frame and an envelope."""
    if not isinstance(blob, bytes) or len(blob) < 8 or blob[:2] != b"GP":
        return None
    empty, envelope = blob[3] & 0x10, _ENVELOPE_BYTES.get(blob[3] >> 1 & 0x07)
    return None if empty or envelope is None else blob[8 + envelope :]


def _geojson(file: Path) -> Table:
    if file.stat().st_size > LARGEST_JSON:
        raise BadPlaces(f"{file.name} is too large for GeoJSON, which is read as a whole: take the GeoPackage")
    try:
        given = json.loads(file.read_bytes())
        features = given["features"]
        columns = {name.lower() for name in features[0]["properties"]} if features else set()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise BadPlaces(f"{file.name} is no GeoJSON FeatureCollection with properties") from None

    def rows(wanted: Sequence[str]) -> Iterator[Row]:
        for number, feature in enumerate(features, start=1):
            values = {str(name).lower(): value for name, value in (feature.get("properties") or {}).items()}
            yield Row(number, {name: values.get(name) for name in wanted}, _shape(feature.get("geometry")))

    return Table(file.name, file.stem, frozenset(columns), len(features), _frame(given, features), rows)


def _shape(geometry: object) -> bytes | None:
    try:
        return shapely.to_wkb(shapely.from_geojson(json.dumps(geometry))) if geometry else None
    except (shapely.GEOSException, ValueError):
        return None


def _frame(given: Mapping[str, Any], features: Sequence[Mapping[str, Any]]) -> int:
    """GeoJSON is in degrees, but for what its old `crs` says, and for those who write metres and do not say so."""
    if found := _EPSG.search(json.dumps(given.get("crs") or "")):
        return int(found.group(1))
    first = next(filter(None, (_shape(feature.get("geometry")) for feature in features)), None)
    return WGS84 if first is None or max(shapely.from_wkb(first).bounds) <= 180 else RD


def _csv(file: Path) -> Table:
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        first = lines.readline(LONGEST_LINE)
        sign = max(",;\t", key=first.count)
        header = [name.strip().lower() for name in next(csv.reader([first], delimiter=sign), [])]
        count = sum(1 for _ in lines)
    if len(header) < 2:
        raise BadPlaces(f"{file.name} is no GeoPackage, no GeoJSON and no CSV with a line of column names")

    def rows(wanted: Sequence[str]) -> Iterator[Row]:
        with file.open(encoding="utf-8-sig", errors="replace", newline="") as content:
            next(content)
            for number, line in enumerate(content, start=2):
                values = next(csv.reader([line[:LONGEST_LINE]], delimiter=sign), [])
                by_name = dict(zip(header, values, strict=False))
                yield Row(number, {name: by_name.get(name) for name in wanted}, None)

    return Table(file.name, file.stem, frozenset(header), count, RD, rows)
