"""Four-digit postcodes: the middle of each, its municipality, and the police unit in which it lies. All of a file come
in, or none."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.areas import MUNICIPALITY, SAFETY_REGION
from actions.books import Actor, record
from actions.models import Boundary, PostcodePlace, PostcodeRange, Region
from actions.places.boundaries import LOOKED_AT, is_polygon, outline
from actions.places.files import Table
from actions.places.ranges import FIRST, LAST, Lies, Range, laid_over, shares_of
from actions.places.report import Faults
from actions.store import Store

# As CBS called the column, over the years.
COLUMNS = ("postcode", "postcode4", "pc4", "pc4_code")
CODE = re.compile(r"[1-9]\d{3}")
# A postcode of which less than this lies in a region is not in it: two maps never follow each other to the metre.
LEAST_SHARE = 0.01
A_STATEMENT = 1000


def source_in(tables: Iterable[Table]) -> Table | None:
    """The table of postcodes among these."""
    return next((table for table in tables if "huisnummer" not in table.columns and _has_postcodes(table)), None)


def read(table: Table, faults: Faults) -> dict[str, BaseGeometry]:
    """Outlines in RD metres by postcode."""
    column = _column(table)
    found: dict[str, BaseGeometry] = {}
    for row in table.rows((column,)):
        code = str(row.values[column]).strip()
        try:
            if not CODE.fullmatch(code):
                raise ValueError(f"{column} {code[:20]!r} is no four-digit postcode")
            found[code] = outline(row, table.frame)
        except ValueError as fault:
            faults.add(row.number, str(fault))
    return found


async def write(store: Store, postcodes: Mapping[str, BaseGeometry], actor: Actor) -> tuple[int, bool]:
    """Writes postcodes in one transaction, and the ranges by which callers' regions are found. Returns how many
    are new or changed, and whether regions could be told: without boundaries of safety regions they cannot."""
    async with store.writing() as session:
        boundaries = list(await session.exec(select(Boundary)))
        municipalities = _shares(postcodes, [(row.code, row.shape) for row in boundaries if row.kind == MUNICIPALITY])
        regions = _shares(
            postcodes, [(row.region_id, row.shape) for row in boundaries if row.kind == SAFETY_REGION and row.region_id]
        )
        changed = await _write_places(store, session, postcodes, municipalities)
        moved = await _write_ranges(session, regions) if regions else 0
        if changed or moved:
            record(session, actor, "import", "postcode", f"{changed} places, {moved} ranges")
    return changed, bool(regions)


def _column(table: Table) -> str:
    return next((column for column in COLUMNS if column in table.columns), "")


def _has_postcodes(table: Table) -> bool:
    column = _column(table)
    rows = islice(table.rows((column,)), LOOKED_AT) if column else ()
    return any(is_polygon(row) and CODE.fullmatch(str(row.values[column]).strip()) for row in rows)


def _shares(postcodes: Mapping[str, BaseGeometry], areas: Sequence[tuple[str, bytes]]) -> dict[str, dict[str, float]]:
    """By postcode how much of it, in square metres, lies in each area."""
    shares: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    if not areas or not postcodes:
        return {}
    codes, shapes = list(postcodes), np.asarray(list(postcodes.values()), dtype=object)
    outlines = shapely.from_wkb([shape for _, shape in areas])
    shapely.prepare(outlines)
    for place, area in np.transpose(shapely.STRtree(outlines).query(shapes, predicate="intersects")):
        # Nearly all lie inside one: to ask that costs a tenth of cutting them.
        inside = shapely.contains_properly(outlines[area], shapes[place])
        part = shapes[place] if inside else shapely.intersection(outlines[area], shapes[place])
        shares[codes[place]][areas[area][0]] += float(part.area)
    return shares


async def _write_places(
    store: Store,
    session: AsyncSession,
    postcodes: Mapping[str, BaseGeometry],
    municipalities: Mapping[str, Mapping[str, float]],
) -> int:
    table: Any = PostcodePlace.__table__  # type: ignore[attr-defined]
    rows = [_place(code, shape, municipalities.get(code, {})) for code, shape in postcodes.items()]
    changed = 0
    for start in range(0, len(rows), A_STATEMENT):
        adding = store.insert(table).values(rows[start : start + A_STATEMENT])
        new = adding.excluded
        differs = (table.c.x != new.x) | (table.c.y != new.y) | table.c.municipality.is_distinct_from(new.municipality)
        same = {"x": new.x, "y": new.y, "municipality": new.municipality}
        done = await session.exec(adding.on_conflict_do_update(index_elements=["postcode"], set_=same, where=differs))
        changed += done.rowcount
    return changed


def _place(code: str, shape: BaseGeometry, municipalities: Mapping[str, float]) -> dict[str, Any]:
    middle = shape.centroid if shape.contains(shape.centroid) else shape.point_on_surface()
    most = max(sorted(municipalities), key=lambda name: municipalities[name], default=None)
    return {"postcode": code, "x": round(middle.x, 1), "y": round(middle.y, 1), "municipality": most}


async def _write_ranges(session: AsyncSession, regions: Mapping[str, Mapping[str, float]]) -> int:
    """Makes the ranges exact where they can be. Returns how many changed. A region that was not seeded has none."""
    seeded = set(await session.exec(select(Region.id)))
    exact = {
        int(code): lies
        for code, shares in regions.items()
        if (lies := shares_of({name: share for name, share in shares.items() if name in seeded}, LEAST_SHARE))
    }
    rows = list(await session.exec(select(PostcodeRange).order_by(col(PostcodeRange.first))))
    before = [Range(row.first, row.last, Lies(row.region_id, tuple(row.also), row.approximate)) for row in rows]
    after = laid_over(before, exact)
    if after == before:
        return 0
    await session.exec(delete(PostcodeRange).where(col(PostcodeRange.first).between(FIRST, LAST)))
    session.add_all(
        PostcodeRange(
            first=one.first,
            last=one.last,
            region_id=one.lies.region,
            also=list(one.lies.also),
            approximate=one.lies.approximate,
        )
        for one in after
    )
    return len(set(after) - set(before))
