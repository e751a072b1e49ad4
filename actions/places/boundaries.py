"""Boundaries of municipalities and safety regions: all of a file come in, or none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import shapely
from shapely import MultiPolygon
from shapely.geometry.base import BaseGeometry
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.areas import MUNICIPALITY, SAFETY_REGION, safety_regions
from actions.books import Actor, record
from actions.geography import in_the_netherlands
from actions.models import Boundary
from actions.places.files import Row, Table, in_rd
from actions.places.report import Faults
from actions.store import Store

# The names that publishers give to code and name: CBS gebiedsindelingen; its wijk- en buurtkaart; Kadaster's
# bestuurlijke gebieden.
COLUMNS = (("statcode", "statnaam"), ("gemeentecode", "gemeentenaam"), ("identificatie", "naam"))
CODES = {MUNICIPALITY: re.compile(r"GM\d{4}"), SAFETY_REGION: re.compile(r"VR(0[1-9]|1\d|2[0-5])")}
# These tables of the wijk- en buurtkaart name the municipality of what they hold.
SMALLER = {"wijkcode", "buurtcode", "wk_code", "bu_code"}
EXACT = "niet_gegeneraliseerd"
LONGEST_NAME = 80
# Rows by which a table is known for what it is.
LOOKED_AT = 20


@dataclass(frozen=True)
class Source:
    """A table with one kind of boundaries."""

    kind: str
    table: Table


def sources_in(tables: Iterable[Table]) -> list[Source]:
    """Where boundaries stand, one table a kind: the exact ones before those drawn roughly."""
    found = [source for table in tables if (source := _source(table))]
    found.sort(key=lambda source: EXACT not in source.table.name)
    return list({source.kind: source for source in reversed(found)}.values())


def read(table: Table, kind: str, faults: Faults) -> dict[str, tuple[str, BaseGeometry]]:
    """Name and outline in RD metres by code. A municipality may have several rows: its land, its water."""
    columns = _columns(table)
    assert columns
    code_column, name_column = columns
    parts: dict[str, list[BaseGeometry]] = {}
    names: dict[str, str] = {}
    for row in table.rows((code_column, name_column)):
        try:
            code = _code(row.values[code_column], kind)
            shape = outline(row, table.frame)
            parts.setdefault(code, []).append(shape)
            names.setdefault(code, str(row.values[name_column] or code).strip()[:LONGEST_NAME])
        except ValueError as fault:
            faults.add(row.number, str(fault))
    return {code: (names[code], _together(shapes)) for code, shapes in parts.items()}


def outline(row: Row, frame: int) -> BaseGeometry:
    """The polygons of a row in RD metres. Raises ValueError."""
    try:
        shape = in_rd([shapely.from_wkb(row.shape)], frame)[0] if row.shape else None
    except shapely.GEOSException:
        shape = None
    if shape is None or shape.geom_type not in ("Polygon", "MultiPolygon") or shape.is_empty:
        raise ValueError("there is no outline: a polygon or several")
    if not shape.is_valid:
        shape = _polygons(shapely.make_valid(shape))
    if not in_the_netherlands(shape.centroid.x, shape.centroid.y):
        raise ValueError("the outline lies outside the Netherlands: does the file say in which coordinates it is?")
    return shape


async def write(store: Store, kind: str, boundaries: Mapping[str, tuple[str, BaseGeometry]], actor: Actor) -> int:
    """Writes boundaries of one kind and the police unit of each, in one transaction. Returns how many are new or
    changed."""
    table: Any = Boundary.__table__  # type: ignore[attr-defined]
    changed = 0
    async with store.writing() as session:
        for code, (name, shape) in boundaries.items():
            row = store.insert(table).values(code=code, kind=kind, name=name, shape=shapely.to_wkb(shape))
            new = row.excluded
            differs = (table.c.shape != new.shape) | (table.c.name != new.name)
            saying = row.on_conflict_do_update(
                index_elements=["code"], set_={"name": new.name, "shape": new.shape}, where=differs
            )
            changed += (await session.exec(saying)).rowcount
        await _place(session)
        if changed:
            record(session, actor, "import", "boundary", f"{changed} of {kind}")
    return changed


async def _place(session: AsyncSession) -> None:
    """Says of each boundary in which police unit it lies: a municipality in that of its safety region."""
    rows = list(await session.exec(select(Boundary)))
    parts = [row for row in rows if row.kind == SAFETY_REGION]
    for row in parts:
        row.region_id = safety_regions().get(row.code)
    inside = [row for row in rows if row.kind == MUNICIPALITY]
    if not parts or not inside:
        return
    middles = shapely.point_on_surface(shapely.from_wkb([row.shape for row in inside]))
    tree = shapely.STRtree(shapely.from_wkb([row.shape for row in parts]))
    for place, part in np.transpose(tree.query(middles, predicate="intersects")):
        inside[place].region_id = parts[part].region_id


def _source(table: Table) -> Source | None:
    if table.columns & SMALLER or not (columns := _columns(table)):
        return None
    first = [row for row in islice(table.rows(columns), LOOKED_AT) if is_polygon(row)]
    codes = [str(row.values[columns[0]]).strip() for row in first]
    return next((Source(kind, table) for kind, is_one in CODES.items() if any(map(is_one.fullmatch, codes))), None)


def _columns(table: Table) -> tuple[str, str] | tuple[()]:
    return next((columns for columns in COLUMNS if set(columns) <= table.columns), ())


def is_polygon(row: Row) -> bool:
    """The points where labels are to be written have tables of their own."""
    try:
        return row.shape is not None and shapely.from_wkb(row.shape).geom_type in ("Polygon", "MultiPolygon")
    except shapely.GEOSException:
        return False


def _code(given: object, kind: str) -> str:
    code = str(given or "").strip()
    if not CODES[kind].fullmatch(code):
        raise ValueError(f"{code[:20]!r} is no code of a {kind.replace('_', ' ')}")
    return code


def _together(shapes: Sequence[BaseGeometry]) -> BaseGeometry:
    return shapes[0] if len(shapes) == 1 else shapely.union_all(list(shapes))


def _polygons(shape: BaseGeometry) -> BaseGeometry:
    """Mending an outline may leave lines and points behind."""
    parts = [part for part in shapely.get_parts(shape, return_index=False) if part.geom_type == "Polygon"]
    whole = [part for part in shapely.get_parts(shape) if part.geom_type == "MultiPolygon"]
    polygons = [*parts, *(part for several in whole for part in several.geoms)]
    return polygons[0] if len(polygons) == 1 else MultiPolygon(polygons)
