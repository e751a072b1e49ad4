"""The country to start from."""

import csv
from importlib.resources import files
from itertools import pairwise

import pytest

from actions.books import Actor
from actions.models import AreaCode, ControlRoom, Operator, Organisation, PostcodeRange, Region
from actions.seed import NATIONAL_ROOM, seed
from actions.store import Store
from tests.store.rows import all_of, audited

GIVEN = list(csv.DictReader((files("actions") / "reference" / "area_codes.csv").read_text("utf-8").splitlines()))


async def test_the_country_has_ten_regions_their_rooms_a_national_one_and_141_area_codes(
    store: Store, actor: Actor
) -> None:
    added = await seed(store, actor, operators_a_room=2)
    regions, rooms = await all_of(store, Region), await all_of(store, ControlRoom)
    assert (len(regions), len(rooms)) == (10, 11)
    assert {region.room_id for region in regions} | {NATIONAL_ROOM} == {room.id for room in rooms}
    assert len(await all_of(store, AreaCode)) == 141
    assert len(await all_of(store, Operator)) == 22
    assert len(await all_of(store, Organisation)) == 1
    assert added == 10 + 11 + 141 + 22 + 1 + len(await all_of(store, PostcodeRange))


async def test_a_second_time_adds_nothing_and_is_not_in_the_books(store: Store, actor: Actor) -> None:
    await seed(store, actor, operators_a_room=2)
    assert await seed(store, actor, operators_a_room=2) == 0
    assert [row[2] for row in await audited(store)] == ["seed"]


async def test_more_operators_are_added_to_those_that_are_there(store: Store, actor: Actor) -> None:
    assert await seed(store, actor, operators_a_room=0) == 163 + len(await all_of(store, PostcodeRange))
    assert await seed(store, actor, operators_a_room=1) == 11
    assert await seed(store, actor, operators_a_room=3) == 22
    assert {row.id for row in await all_of(store, Operator, room_id="limburg")} == {
        "limburg-1",
        "limburg-2",
        "limburg-3",
    }


async def test_what_was_changed_since_stays(store: Store, actor: Actor) -> None:
    await seed(store, actor, operators_a_room=1)
    async with store.writing() as session:
        region = await session.get_one(Region, "limburg")
        region.room_id = "oost-brabant"
    await seed(store, actor, operators_a_room=1)
    assert [row.room_id for row in await all_of(store, Region, id="limburg")] == ["oost-brabant"]


async def test_every_room_but_the_national_one_has_a_next_and_no_room_is_its_own(country: Store) -> None:
    rooms = {room.id: room.next_room_id for room in await all_of(country, ControlRoom)}
    assert {room for room, following in rooms.items() if following is None} == {NATIONAL_ROOM}
    assert all(following != room for room, following in rooms.items())


async def test_each_area_code_has_the_regions_of_the_list(country: Store) -> None:
    names = {region.name: region.id for region in await all_of(country, Region)}
    stored = {row.code: (row.place, row.region_id, row.also) for row in await all_of(country, AreaCode)}
    assert stored == {
        row["netnummer"]: (
            row["plaats"],
            names[row["politie_eenheid"]],
            [names[name] for name in row["ook_eenheid"].split(";") if name],
        )
        for row in GIVEN
    }
    assert sum(bool(also) for _, _, also in stored.values()) == 22


async def test_every_postcode_lies_in_one_range_and_every_region_has_some(country: Store) -> None:
    ranges = sorted((row.first, row.last) for row in await all_of(country, PostcodeRange))
    assert ranges[0][0] == 1000
    assert ranges[-1][1] == 9999
    assert all(after[0] == before[1] + 1 for before, after in pairwise(ranges))
    assert {row.region_id for row in await all_of(country, PostcodeRange)} == {
        region.id for region in await all_of(country, Region)
    }


@pytest.mark.parametrize(
    ("postcode", "regions"),
    [
        (1012, ["amsterdam"]),
        (2011, ["noord-holland"]),
        (2511, ["den-haag"]),
        (3011, ["rotterdam"]),
        (3511, ["midden-nederland"]),
        (5611, ["oost-brabant"]),
        (4811, ["zeeland-west-brabant"]),
        (6211, ["limburg"]),
        (7311, ["oost-nederland"]),
        (9711, ["noord-nederland"]),
        (6585, ["limburg", "oost-nederland"]),
    ],
)
async def test_the_postcode_of_a_town_leads_to_its_region(country: Store, postcode: int, regions: list[str]) -> None:
    (found,) = [row for row in await all_of(country, PostcodeRange) if row.first <= postcode <= row.last]
    assert [found.region_id, *found.also] == regions
    assert found.approximate == bool(found.also)
