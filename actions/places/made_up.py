"""Made-up places for a trial and for tests: codes and columns as CBS and BAG have them, outlines as nobody has."""

from __future__ import annotations

import csv
import json
import sqlite3
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from typing import Any

import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from actions.geography import EXTENT, to_rd, to_wgs
from actions.places.files import RD

BOUNDARIES, POSTCODES, ADDRESSES = "gebiedsindelingen.gpkg", "pc4.geojson", "adressen.csv"
MUNICIPALITY_RADIUS_M, POSTCODE_SIDE_M = 2_500, 1_200
HOUSES = 20
APPLICATION_ID = 0x47504B47

Outlines = Mapping[str, tuple[str, BaseGeometry]]


def write_files(folder: Path) -> list[Path]:
    """Writes a GeoPackage of boundaries (RD), a GeoJSON of postcodes (WGS84) and a CSV of addresses, over older ones.
    Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    written = [folder / name for name in (BOUNDARIES, POSTCODES, ADDRESSES)]
    municipalities = municipality_outlines()
    layers = {
        "gemeente_gegeneraliseerd": municipalities,
        "gemeente_labelpoint": {code: (name, shape.centroid) for code, (name, shape) in municipalities.items()},
        "veiligheidsregio_gegeneraliseerd": safety_region_outlines(),
    }
    write_geopackage(written[0], layers)
    written[1].write_text(json.dumps(_collection(postcode_outlines())), "utf-8")
    with written[2].open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines).writerows(_addresses())
    return written


def safety_region_outlines() -> Outlines:
    """The country cut in 25, each around its main town: whoever lives there is in the right one, near its border or
    not."""
    rows = _rows("safety_region")
    middles = shapely.MultiPoint([_place(row) for row in rows])
    whole = shapely.box(*EXTENT)
    parts = shapely.get_parts(shapely.voronoi_polygons(middles, extend_to=whole))
    return {
        row["code"]: (row["name"], next(part for part in parts if part.contains(point)).intersection(whole))
        for row, point in zip(rows, middles.geoms, strict=True)
    }


def municipality_outlines() -> Outlines:
    """A dozen municipalities: eight-sided, around their middle."""
    return {
        row["code"]: (row["name"], shapely.Point(_place(row)).buffer(MUNICIPALITY_RADIUS_M, quad_segs=2))
        for row in _rows("municipality")
    }


def postcode_outlines() -> dict[str, Polygon]:
    """Squares side by side in each municipality."""
    outlines: dict[str, Polygon] = {}
    for row in _rows("municipality"):
        x, y = _place(row)
        for east, code in enumerate(row["postcodes"].split()):
            west = x - POSTCODE_SIDE_M / 2 + east * POSTCODE_SIDE_M
            outlines[code] = shapely.box(west, y - 600, west + POSTCODE_SIDE_M, y - 600 + POSTCODE_SIDE_M)
    return outlines


def write_geopackage(file: Path, layers: Mapping[str, Outlines], frame: int = RD) -> None:
    """Writes outlines by code, with their name, a table each, as CBS does: statcode, jrstatcode, statnaam, rubriek."""
    file.unlink(missing_ok=True)
    with closing(sqlite3.connect(file)) as database, database:
        database.executescript(f"""
            PRAGMA application_id = {APPLICATION_ID};
            CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER PRIMARY KEY, organization TEXT
                NOT NULL, organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
            CREATE TABLE gpkg_contents (table_name TEXT PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
                description TEXT DEFAULT '', last_change DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
                min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER);
            CREATE TABLE gpkg_geometry_columns (table_name TEXT PRIMARY KEY, column_name TEXT NOT NULL,
                geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL);
            INSERT INTO gpkg_spatial_ref_sys VALUES ('EPSG:{frame}', {frame}, 'EPSG', {frame}, 'undefined', NULL);
        """)  # noqa: S608 - a number
        for name, outlines in layers.items():
            _write_layer(database, name, outlines, frame)


def _write_layer(database: sqlite3.Connection, name: str, outlines: Outlines, frame: int) -> None:
    columns = "id INTEGER PRIMARY KEY, statcode TEXT, jrstatcode TEXT, statnaam TEXT, rubriek TEXT, geom BLOB"
    database.execute(f'CREATE TABLE "{name}" ({columns})')
    database.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, srs_id) VALUES (?, 'features', ?)", (name, frame)
    )
    database.execute("INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', 'GEOMETRY', ?, 0, 0)", (name, frame))
    rows = [
        (code, f"2026{code}", called, name.partition("_")[0], geopackage_geometry(shape, frame))
        for code, (called, shape) in outlines.items()
    ]
    insert = f'INSERT INTO "{name}" (statcode, jrstatcode, statnaam, rubriek, geom) VALUES (?, ?, ?, ?, ?)'  # noqa: S608
    database.executemany(insert, rows)


def geopackage_geometry(shape: BaseGeometry, frame: int = RD) -> bytes:
    """A shape as a GeoPackage holds it: header, bounding box, WKB."""
    west, south, east, north = shape.bounds
    return struct.pack("<2sBBi4d", b"GP", 0, 0b11, frame, west, east, south, north) + shapely.to_wkb(shape)


def _collection(postcodes: Mapping[str, Polygon]) -> dict[str, Any]:
    features = [
        {
            "type": "Feature",
            "properties": {"postcode": int(code), "aantal_inwoners": -99997},
            "geometry": {"type": "Polygon", "coordinates": [_degrees(shape.exterior.coords)]},
        }
        for code, shape in postcodes.items()
    ]
    return {"type": "FeatureCollection", "features": features}


def _degrees(points: Iterable[Sequence[float]]) -> list[list[float]]:
    return [[lon, lat] for lat, lon in (to_wgs(point[0], point[1]) for point in points)]


def _addresses() -> Iterator[Sequence[object]]:
    """Twenty houses on a row in each postcode, some with a letter; and, as in BAG, one without postcode."""
    yield "straat", "huisnummer", "huisletter", "huistoevoeging", "woonplaats", "postcode", "rd_x", "rd_y"
    for code, shape in postcode_outlines().items():
        x, y = shape.centroid.x, shape.centroid.y
        for house in range(1, HOUSES + 1):
            letter = "A" if house % 5 == 0 else ""
            yield "Burgernetstraat", house, letter, "", "Trial", f"{code}AB", round(x + house * 10), round(y)
        yield "Burgernetstraat", HOUSES + 1, "", "", "Trial", "", round(x), round(y)


def _rows(kind: str) -> list[dict[str, str]]:
    lines = (files("actions") / "reference" / "made_up_places.csv").read_text("utf-8").splitlines()
    return [row for row in csv.DictReader(lines) if row["kind"] == kind]


def _place(row: Mapping[str, str]) -> tuple[float, float]:
    return to_rd(float(row["lat"]), float(row["lon"]))
