"""The country to start from: ten regions and their rooms, the national room, area codes, postcodes, operators."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Any

from sqlmodel import SQLModel, select

from actions.books import Actor, record
from actions.models import AreaCode, ControlRoom, Operator, Organisation, PostcodeRange, Region
from actions.store import Store

NATIONAL_ROOM = "landelijk"
# The rooms have the short numbers 10, 11, ..., the operators of room 10 have 1001, 1002, ...
FIRST_NUMBER = 10
POLICE = Organisation(id="politie", name="Politie", kind="police")


async def seed(store: Store, actor: Actor, operators_a_room: int) -> int:
    """Adds what is not there yet, in one transaction, and returns how many rows that were. A second run adds nothing.

    Operators get the ids ROOM-1, ROOM-2, ..., which are also their SIP accounts."""
    added = 0
    async with store.writing() as session:
        for rows in filter(None, _rows(operators_a_room)):
            table: Any = type(rows[0])
            # Where postcodes were imported the ranges begin elsewhere: those drawn by hand would lie over them.
            if table is PostcodeRange and (await session.exec(select(PostcodeRange.first).limit(1))).first():
                continue
            done = await session.exec(store.insert_new(table.__table__).values([_plain(row) for row in rows]))
            added += done.rowcount
        if added:
            record(session, actor, "seed", "country", "nl")
    return added


def _rows(operators_a_room: int) -> Iterator[Sequence[SQLModel]]:
    """Table by table, in the order in which they refer to each other."""
    regions = _read("regions.csv")
    rooms = [NATIONAL_ROOM, *(row["room"] for row in regions)]
    numbers = {room: str(number) for number, room in enumerate(rooms, FIRST_NUMBER)}
    yield [POLICE]
    yield [
        ControlRoom(
            id=NATIONAL_ROOM, name="Meldkamer Driebergen", organisation_id=POLICE.id, number=numbers[NATIONAL_ROOM]
        ),
        *(
            ControlRoom(
                id=row["room"],
                name=f"Meldkamer {row['site']}",
                organisation_id=POLICE.id,
                next_room_id=row["next_room"],
                overflow=[row["next_room"]],
                number=numbers[row["room"]],
            )
            for row in regions
        ),
    ]
    yield [
        Region(id=row["region"], name=row["name"], organisation_id=POLICE.id, room_id=row["room"]) for row in regions
    ]
    ids = {row["name"]: row["region"] for row in regions}
    yield [
        AreaCode(
            code=row["netnummer"],
            place=row["plaats"],
            region_id=ids[row["politie_eenheid"]],
            also=[ids[name] for name in row["ook_eenheid"].split(";") if name],
        )
        for row in _read("area_codes.csv")
    ]
    yield [
        PostcodeRange(
            first=int(row["first"]),
            last=int(row["last"]),
            region_id=row["region"],
            also=[region for region in row["also"].split(";") if region],
            approximate=row["approximate"] == "yes",
        )
        for row in _read("postcodes.csv")
    ]
    yield [
        Operator(id=f"{room}-{place}", room_id=room, organisation_id=POLICE.id, number=f"{numbers[room]}{place:02d}")
        for room in rooms
        for place in range(1, operators_a_room + 1)
    ]


def _read(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader((files("actions") / "reference" / name).read_text("utf-8").splitlines()))


def _plain(row: SQLModel) -> dict[str, Any]:
    return row.model_dump()
