"""Addresses and where they stand: millions, taken in piece by piece. Broken off, it is simply begun again."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
import shapely
from sqlalchemy import tuple_
from sqlmodel import col, select

from actions.books import Actor, record
from actions.geography import all_to_rd, in_the_netherlands
from actions.models import AddressPlace
from actions.places.files import Row, Table, in_rd
from actions.places.report import Imported
from actions.store import Store

Key = tuple[str, str]
# How a house number with a letter and more is called: in the BAG GeoPackage, and in lists made of the BAG extract.
ADDITIONS = ("huisletter", "toevoeging", "huistoevoeging", "huisnummertoevoeging")
# Where a list without outlines says where it is: in metres, in degrees.
METRES, DEGREES = (("rd_x", "rd_y"), ("x", "y")), (("lon", "lat"), ("lng", "lat"), ("longitude", "latitude"))
A_TRANSACTION = 20_000
ASKED_AT_ONCE = 400
_POSTCODE = re.compile(r"[1-9]\d{3}[A-Z]{2}")
_NUMBER = re.compile(r"(\d{1,5})([^0-9].*)?")


def address_key(postcode: object, number: object) -> Key:
    """Six-sign postcode and house number as they are kept: "3011AB" and "12" or "12 A2", however they were written.
    Raises ValueError."""
    code = str(postcode or "").replace(" ", "").upper()
    if not _POSTCODE.fullmatch(code):
        raise ValueError("the postcode of an address has four digits and two letters")
    found = _NUMBER.fullmatch(str(number or "").strip())
    if not found or int(found[1]) == 0:
        raise ValueError("the house number must begin with digits")
    addition = "".join(sign for sign in (found[2] or "").upper() if sign.isascii() and sign.isalnum())
    kept = f"{int(found[1])} {addition}".strip()
    if len(kept) > 12:
        raise ValueError("the house number is too long")
    return code, kept


async def places_of(store: Store, addresses: Collection[Key]) -> dict[Key, tuple[float, float]]:
    """Where these addresses stand, RD metres; those not known are not in it."""
    found: dict[Key, tuple[float, float]] = {}
    keys = list(dict.fromkeys(addresses))
    async with store.reading() as session:
        for start in range(0, len(keys), ASKED_AT_ONCE):
            asked = tuple_(col(AddressPlace.postcode), col(AddressPlace.number)).in_(
                keys[start : start + ASKED_AT_ONCE]
            )
            for row in await session.exec(select(AddressPlace).where(asked)):
                found[row.postcode, row.number] = (row.x, row.y)
    return found


def sources_in(tables: Iterable[Table]) -> list[Table]:
    """The tables of addresses among these: homes, and places for caravans and boats."""
    return [table for table in tables if {"postcode", "huisnummer"} <= table.columns]


async def take_in(store: Store, table: Table, report: Imported, actor: Actor) -> None:
    """Takes in the good rows, a transaction for every A_TRANSACTION; `report` grows meanwhile. Rows without a postcode,
    or without a place, are passed over: BAG has such."""
    rows = table.rows([name for name in ("postcode", "huisnummer", *ADDITIONS, *_axes(table)) if name in table.columns])
    while batch := list(islice(rows, A_TRANSACTION)):
        places = dict(_placed(batch, table, report))
        report.found += len(places)
        async with store.writing() as session:
            changed = len((await session.exec(_upsert(store), params=_rows(places))).all()) if places else 0
            if changed:
                record(session, actor, "import", "address", changed)
        report.changed += changed


def _upsert(store: Store) -> Any:
    """Gives back the rows that are new or changed."""
    table: Any = AddressPlace.__table__  # type: ignore[attr-defined]
    adding = store.insert(table)
    new = adding.excluded
    return adding.on_conflict_do_update(
        index_elements=["postcode", "number"],
        set_={"x": new.x, "y": new.y},
        where=(table.c.x != new.x) | (table.c.y != new.y),
    ).returning(table.c.number)


def _rows(places: Mapping[Key, tuple[float, float]]) -> list[dict[str, Any]]:
    return [{"postcode": key[0], "number": key[1], "x": x, "y": y} for key, (x, y) in places.items()]


def _placed(batch: Sequence[Row], table: Table, report: Imported) -> Iterator[tuple[Key, tuple[float, float]]]:
    for row, (x, y) in zip(batch, _points(batch, table), strict=True):
        if not row.values["postcode"] or np.isnan(x):
            report.passed_over += 1
            continue
        try:
            key = address_key(row.values["postcode"], _number(row))
            if not in_the_netherlands(x, y):
                raise ValueError("the address lies outside the Netherlands")
            yield key, (round(float(x), 1), round(float(y), 1))
        except ValueError as fault:
            report.faults.add(row.number, str(fault))


def _number(row: Row) -> str:
    return f"{row.values['huisnummer']}" + "".join(f" {row.values[name]}" for name in ADDITIONS if row.values.get(name))


def _axes(table: Table) -> tuple[str, ...]:
    """The columns of x and y, or of longitude and latitude; none when the rows have shapes of their own."""
    return next((axes for axes in (*METRES, *DEGREES) if set(axes) <= table.columns), ())


def _points(batch: Sequence[Row], table: Table) -> Any:
    """A row of x, y in RD metres for each row; not a number where it has no place."""
    axes = _axes(table)
    if not axes:
        shapes = shapely.from_wkb([row.shape for row in batch], on_invalid="ignore")
        middles = shapely.centroid(in_rd(shapes, table.frame))
        return np.column_stack((shapely.get_x(middles), shapely.get_y(middles)))
    given = np.array([[_metres(row.values[axis]) for axis in axes] for row in batch])
    return all_to_rd(given) if axes in DEGREES else given


def _metres(value: object) -> float:
    try:
        return float(str(value).replace(",", "."))
    except ValueError:
        return float("nan")
