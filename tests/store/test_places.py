"""What CBS and BAG publish, taken in: all of a file or none, addresses piece by piece; twice is as once."""

import csv
import json
import sqlite3
from pathlib import Path

import pytest
import shapely
from sqlmodel import select

from actions.areas import placed
from actions.books import Actor
from actions.desk import Desk
from actions.geography import Area, to_rd
from actions.matching import regions_of
from actions.models import AddressPlace, Boundary, PostcodePlace, PostcodeRange
from actions.places import addresses
from actions.places.addresses import places_of
from actions.places.made_up import (
    ADDRESSES,
    BOUNDARIES,
    POSTCODES,
    municipality_outlines,
    write_files,
    write_geopackage,
)
from actions.places.report import Imported
from actions.places.taking_in import jobs_in
from actions.places.there import what_is_there
from actions.seed import seed
from actions.store import Store
from tests.store.rows import all_of, audited


async def imported(store: Store, actor: Actor, *files: Path) -> list[Imported]:
    jobs = jobs_in(files)
    for job in jobs:
        await job.run(store, actor, lambda _: None)
    return [job.report for job in jobs]


@pytest.fixture
def made_up(tmp_path: Path) -> Path:
    write_files(tmp_path)
    return tmp_path


async def everything(store: Store) -> list[object]:
    tables = (Boundary, PostcodePlace, PostcodeRange, AddressPlace)
    return [row.model_dump() for table in tables for row in await all_of(store, table)]


async def test_what_is_published_comes_in_and_a_second_time_changes_nothing(
    country: Store, actor: Actor, made_up: Path
) -> None:
    files = [made_up / name for name in (ADDRESSES, POSTCODES, BOUNDARIES)]
    first = await imported(country, actor, *files)
    assert [(one.what, one.found, one.changed, one.faults.count, one.passed_over) for one in first] == [
        ("safety_region", 25, 25, 0, 0),
        ("municipality", 11, 11, 0, 0),
        ("postcode", 15, 15, 0, 0),
        ("address", 300, 300, 0, 15),
    ]
    there, books = await everything(country), await audited(country)
    again = await imported(country, actor, *files)
    assert [(one.found, one.changed) for one in again] == [(one.found, 0) for one in first]
    assert await everything(country) == there
    assert await audited(country) == books
    held = await what_is_there(country)
    assert list(held.counts.values()) == [11, 25, 15, 300]
    assert len(held.lacks) == 1


async def test_what_lacks_is_said(country: Store) -> None:
    lacks = (await what_is_there(country)).lacks
    assert [words.partition(":")[0] for words in lacks] == [
        "boundaries of 25 safety regions are lacking",
        "no addresses are there",
        lacks[2].partition(":")[0],
    ]


async def test_a_municipality_lies_in_the_police_unit_of_its_safety_region(
    country: Store, actor: Actor, made_up: Path
) -> None:
    await imported(country, actor, made_up / BOUNDARIES)
    regions = {row.name: row.region_id for row in await all_of(country, Boundary) if row.kind == "municipality"}
    assert regions["Schiedam"] == "rotterdam"
    assert regions["'s-Gravenhage"] == "den-haag"
    assert regions["Apeldoorn"] == "oost-nederland"
    region = Area.parse(await placed(country, {"type": "regions", "ids": ["rotterdam"]}))
    assert region.shape.contains(municipality_outlines()["GM0606"][1])


async def test_one_bad_outline_and_nothing_of_its_file_comes_in(country: Store, actor: Actor, tmp_path: Path) -> None:
    outlines = municipality_outlines()
    bad = {"GM0599": outlines["GM0599"], "GM0606": ("Schiedam", shapely.Point(90_000, 430_000))}
    write_geopackage(tmp_path / "bad.gpkg", {"gemeente": bad})
    (report,) = await imported(country, actor, tmp_path / "bad.gpkg")
    assert report.faults.first == [(2, "there is no outline: a polygon or several")]
    assert (report.changed, await all_of(country, Boundary)) == (0, [])
    write_geopackage(tmp_path / "good.gpkg", {"gemeente": outlines})
    (report,) = await imported(country, actor, tmp_path / "good.gpkg")
    assert report.changed == len(outlines)


async def test_a_changed_outline_takes_the_place_of_the_old_one(country: Store, actor: Actor, tmp_path: Path) -> None:
    for side in (1000, 2000):
        shape = shapely.box(90_000, 430_000, 90_000 + side, 430_000 + side)
        write_geopackage(tmp_path / "one.gpkg", {"gemeente": {"GM0599": ("Rotterdam", shape)}})
        (report,) = await imported(country, actor, tmp_path / "one.gpkg")
        assert report.changed == 1
    (row,) = await all_of(country, Boundary)
    assert shapely.from_wkb(row.shape).area == 4_000_000


async def test_postcodes_tell_the_region_exactly_where_it_was_drawn_by_hand(
    country: Store, actor: Actor, made_up: Path
) -> None:
    desk = Desk(country)
    before = await desk.postcodes()
    assert regions_of("1117", before) == ("noord-holland", "amsterdam")
    postcodes = json.loads((made_up / POSTCODES).read_text())
    # On the maps made up here Haarlem's postcode is where a postcode was drawn by hand, and one that no range knew.
    haarlem = next(one for one in postcodes["features"] if one["properties"]["postcode"] == 2011)
    postcodes["features"] += [{**haarlem, "properties": {"postcode": code}} for code in (1117, 9999)]
    (made_up / POSTCODES).write_text(json.dumps(postcodes))
    await imported(country, actor, made_up / BOUNDARIES, made_up / POSTCODES)
    after = await desk.postcodes()
    assert regions_of("1117", after) == ("noord-holland",)
    assert regions_of("9999", after) == ("noord-holland",)
    for code in ("1116", "1118", "1119", "2800", "6000"):
        assert regions_of(code, after) == regions_of(code, before)
    async with country.reading() as session:
        held = {row.first: row for row in await session.exec(select(PostcodeRange))}
    assert not held[1117].approximate
    assert held[1118].approximate
    place = next(row for row in await all_of(country, PostcodePlace) if row.postcode == "2011")
    assert place.municipality == "GM0392"
    assert Area(municipality_outlines()["GM0392"][1]).holds(place.x, place.y)


async def test_seeding_again_draws_nothing_over_exact_postcodes(country: Store, actor: Actor, made_up: Path) -> None:
    await imported(country, actor, made_up / BOUNDARIES, made_up / POSTCODES)
    before = await everything(country)
    assert await seed(country, actor, 2) == 0
    assert await everything(country) == before


async def test_postcodes_without_safety_regions_have_places_and_say_what_lacks(
    country: Store, actor: Actor, made_up: Path
) -> None:
    before = await all_of(country, PostcodeRange)
    (report,) = await imported(country, actor, made_up / POSTCODES)
    assert (report.changed, report.regions_told) == (15, False)
    assert [row.model_dump() for row in await all_of(country, PostcodeRange)] == [row.model_dump() for row in before]
    assert {row.municipality for row in await all_of(country, PostcodePlace)} == {None}


def bag(
    file: Path, rows: list[list[str]], *, header: str = "postcode;huisnummer;huisletter;toevoeging;lon;lat"
) -> Path:
    with file.open("w", newline="") as lines:
        csv.writer(lines, delimiter=";").writerows([header.split(";"), *rows])
    return file


async def test_addresses_come_in_but_for_the_bad_rows_and_are_found_however_written(
    store: Store, actor: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addresses, "A_TRANSACTION", 3)
    rows = [
        ["3011AB", "12", "A", "bis", "4,47917", "51.9225"],
        ["", "13", "", "", "4.47917", "51.9225"],
        ["3011AB", "14", "", "", "", ""],
        ["3011AB", "x", "", "", "4.47917", "51.9225"],
        ["3011AB", "15", "", "", "51.9225", "4.47917"],
        ["3011AB", "16", "", "", "4.48", "51.92"],
        ["3011 ab", "16", "", "", "4.48", "51.92"],
        ["3011AC"],
    ]
    (report,) = await imported(store, actor, bag(tmp_path / "adressen.csv", rows))
    assert (report.changed, report.passed_over, report.faults.count) == (2, 3, 2)
    assert [number for number, _ in report.faults.first] == [5, 6]
    found = await places_of(store, [("3011AB", "12 ABIS"), ("3011AB", "16"), ("3011AB", "14"), ("3011AC", "16")])
    assert set(found) == {("3011AB", "12 ABIS"), ("3011AB", "16")}
    assert found["3011AB", "12 ABIS"] == pytest.approx(to_rd(51.9225, 4.47917), abs=0.1)


async def test_addresses_of_a_geopackage_stand_where_their_points_are(
    store: Store, actor: Actor, tmp_path: Path
) -> None:
    file = tmp_path / "bag-light.gpkg"
    # A berth for a boat is an outline; a home is a point.
    berth, home = shapely.box(92_000, 437_000, 92_010, 437_020), shapely.Point(92_500, 437_500)
    write_geopackage(file, {"ligplaats": {"1": ("berth", berth)}, "verblijfsobject": {"2": ("home", home)}})
    with sqlite3.connect(file) as database:
        for table, number in (("ligplaats", 1), ("verblijfsobject", 2)):
            for column in ("postcode", "huisnummer", "huisletter", "toevoeging"):
                database.execute(f"ALTER TABLE {table} ADD COLUMN {column}")
            database.execute(f"UPDATE {table} SET postcode = '3011AB', huisnummer = {number}, huisletter = 'b'")
        database.execute("INSERT INTO verblijfsobject (postcode, huisnummer) VALUES ('3011AB', 3)")
    database.close()
    reports = await imported(store, actor, file)
    assert sum(report.passed_over for report in reports) == 1
    found = await places_of(store, [("3011AB", "1 B"), ("3011AB", "2 B"), ("3011AB", "3")])
    assert found == {("3011AB", "1 B"): (92_005.0, 437_010.0), ("3011AB", "2 B"): (92_500.0, 437_500.0)}


async def test_an_import_that_broke_off_is_begun_again(
    store: Store, actor: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addresses, "A_TRANSACTION", 10)
    rows = [["3011AB", str(number), "", "", "4.47917", "51.9225"] for number in range(1, 26)]
    (job,) = jobs_in([bag(tmp_path / "adressen.csv", rows)])
    read = job.table.rows

    def until_the_disk_is_gone(wanted: list[str]):  # type: ignore[no-untyped-def]
        for row in read(wanted):
            if row.number == 18:
                raise OSError("the disk is gone")
            yield row

    object.__setattr__(job.table, "rows", until_the_disk_is_gone)
    with pytest.raises(OSError, match="gone"):
        await job.run(store, actor, lambda _: None)
    assert len(await all_of(store, AddressPlace)) == 10
    (report,) = await imported(store, actor, tmp_path / "adressen.csv")
    assert (report.found, report.changed, len(await all_of(store, AddressPlace))) == (25, 15, 25)
