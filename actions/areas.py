"""Areas known by name: municipalities, safety regions, police units. Their outlines come from files that CBS publishes
(`burgernet places import`), and are kept with the action: what is imported later changes no action."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import shapely
from sqlalchemy import func
from sqlmodel import select

from actions.geography import NAMED, BadArea, names_in, packed
from actions.models import Boundary
from actions.store import Store

MUNICIPALITY, SAFETY_REGION = "municipality", "safety_region"
WORDS = {MUNICIPALITY: "municipality", SAFETY_REGION: "safety region"}
IMPORT = "import the file of CBS that has it with `burgernet places import FILE`"


async def placed(store: Store, given: object) -> object:
    """An area as an action keeps it: one known by name with its codes and outline, each other one as it was given.
    Municipalities and safety regions may be named instead of coded. Raises BadArea, which says what to import."""
    if not isinstance(given, Mapping) or given.get("type") not in NAMED:
        return given
    kind, names = str(given["type"]), names_in(given)
    found = await _outlines(store, kind, names)
    # The outlines of a region may have a hundred thousand points.
    shape = await asyncio.to_thread(lambda: packed(shapely.union_all(shapely.from_wkb(list(found.values())))))
    return {"type": kind, NAMED[kind]: names if kind == "regions" else list(found), "shape": shape}


def shown(area: Mapping[str, Any]) -> dict[str, Any]:
    """A kept area without its looked-up outline: as it was given."""
    return {key: value for key, value in area.items() if key != "shape"}


@cache
def safety_regions() -> Mapping[str, str]:
    """By the code of each safety region (VR17) the police unit that it lies in."""
    rows = csv.DictReader((files("actions") / "reference" / "regions.csv").read_text("utf-8").splitlines())
    return {f"VR{int(number):02}": row["region"] for row in rows for number in row["safety_regions"].split()}


async def _outlines(store: Store, kind: str, names: Sequence[str]) -> dict[str, bytes]:
    """The outlines by code."""
    if kind != "regions":
        return await _called(store, MUNICIPALITY if kind == "municipalities" else SAFETY_REGION, names)
    if strangers := sorted(set(names) - set(safety_regions().values())):
        raise BadArea([f"region {name!r} is not known" for name in strangers])
    return await _called(store, SAFETY_REGION, [code for code, region in safety_regions().items() if region in names])


async def _called(store: Store, kind: str, names: Sequence[str]) -> dict[str, bytes]:
    wanted = [name.strip().lower() for name in names]
    this = func.lower(Boundary.code).in_(wanted) | func.lower(Boundary.name).in_(wanted)
    async with store.reading() as session:
        rows = list(await session.exec(select(Boundary).where(Boundary.kind == kind, this).order_by(Boundary.code)))
    known = {name for row in rows for name in (row.code.lower(), row.name.lower())}
    if lacking := [name for name, sought in zip(names, wanted, strict=True) if sought not in known]:
        raise BadArea([f"there is no boundary of {WORDS[kind]} {name!r} here: {IMPORT}" for name in lacking])
    return {row.code: row.shape for row in rows}
