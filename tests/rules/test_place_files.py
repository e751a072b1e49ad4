"""Reading files of places: GeoPackage, GeoJSON and CSV as they are published, and as they are broken."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from actions.geography import to_rd, to_wgs
from actions.places.boundaries import read, sources_in
from actions.places.files import WGS84, BadPlaces, tables_in
from actions.places.made_up import BOUNDARIES, geopackage_geometry, municipality_outlines, write_files, write_geopackage
from actions.places.report import Faults
from actions.places.taking_in import jobs_in

SQUARE = shapely.box(90_000, 430_000, 100_000, 440_000)


def degrees(shape: Any) -> Any:
    return shapely.transform(shape, lambda points: np.array([to_wgs(x, y)[::-1] for x, y in points]))


def geojson(file: Path, properties: dict[str, Any], shape: Any, **more: Any) -> Path:
    feature = {"type": "Feature", "properties": properties, "geometry": json.loads(shapely.to_geojson(shape))}
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [feature], **more}))
    return file


def boundaries(file: Path) -> dict[str, Any]:
    """Outlines by code, of all kinds; no row may be bad."""
    faults = Faults()
    found: dict[str, Any] = {}
    for source in sources_in(tables_in(file)):
        found |= {code: shape for code, (_, shape) in read(source.table, source.kind, faults).items()}
    assert faults == Faults()
    return found


@pytest.mark.parametrize(
    "properties",
    [
        {"statcode": "GM0599", "statnaam": "Rotterdam", "rubriek": "gemeente"},
        {"gemeentecode": "GM0599", "gemeentenaam": "Rotterdam", "water": "NEE"},
        {"identificatie": "GM0599", "naam": "Rotterdam", "code": "0599"},
        {"Statcode": "GM0599", "STATNAAM": "Rotterdam"},
    ],
)
def test_a_municipality_is_known_by_the_names_of_each_publisher(tmp_path: Path, properties: dict[str, str]) -> None:
    file = geojson(tmp_path / "one.geojson", properties, degrees(SQUARE))
    (job,) = jobs_in([file])
    faults = Faults()
    ((code, (name, shape)),) = read(job.table, job.report.what, faults).items()
    assert (code, name, faults.count) == ("GM0599", "Rotterdam", 0)
    assert shape.symmetric_difference(SQUARE).area < 50  # a millimetre all round


@pytest.mark.parametrize(
    ("shape", "more"),
    [
        (degrees(SQUARE), {}),
        (SQUARE, {}),
        (SQUARE, {"crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::28992"}}}),
        (degrees(SQUARE), {"crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}}),
        (shapely.force_3d(SQUARE, 4.5), {"crs": {"type": "name", "properties": {"name": "EPSG:7415"}}}),
    ],
)
def test_metres_and_degrees_come_to_the_same_place(tmp_path: Path, shape: Any, more: dict[str, Any]) -> None:
    file = geojson(tmp_path / "one.json", {"statcode": "GM0599", "statnaam": "Rotterdam"}, shape, **more)
    assert boundaries(file)["GM0599"].symmetric_difference(SQUARE).area < 50  # a millimetre all round


@pytest.mark.parametrize("frame", [28992, WGS84])
def test_a_geopackage_gives_the_outlines_it_was_made_with(tmp_path: Path, frame: int) -> None:
    shape = SQUARE if frame == 28992 else degrees(SQUARE)
    write_geopackage(tmp_path / "one.gpkg", {"gemeente": {"GM0599": ("Rotterdam", shape)}}, frame)
    assert boundaries(tmp_path / "one.gpkg")["GM0599"].symmetric_difference(SQUARE).area < 50  # a millimetre all round


def test_of_a_municipality_drawn_twice_the_exact_outline_is_taken(tmp_path: Path) -> None:
    rough = {"GM0599": ("Rotterdam", shapely.box(90_000, 430_000, 91_000, 431_000))}
    layers = {"gemeente_gegeneraliseerd": rough, "gemeente_niet_gegeneraliseerd": {"GM0599": ("Rotterdam", SQUARE)}}
    write_geopackage(tmp_path / "one.gpkg", layers)
    assert boundaries(tmp_path / "one.gpkg") == {"GM0599": SQUARE}


def test_land_and_water_of_a_municipality_are_one(tmp_path: Path) -> None:
    file = tmp_path / "one.gpkg"
    write_geopackage(file, {"gemeenten": {"GM0599": ("Rotterdam", SQUARE)}})
    water = shapely.box(100_000, 430_000, 105_000, 440_000)
    with sqlite3.connect(file) as database:
        database.execute(
            "INSERT INTO gemeenten (statcode, statnaam, geom) VALUES ('GM0599', 'Rotterdam', ?)",
            (geopackage_geometry(water),),
        )
    database.close()
    assert boundaries(file)["GM0599"].equals(SQUARE | water)


def test_neighbourhoods_and_labels_are_no_municipalities(tmp_path: Path) -> None:
    place = {"gemeentecode": "GM0599", "gemeentenaam": "Rotterdam", "buurtcode": "BU05990110"}
    with pytest.raises(BadPlaces, match="holds nothing that is known here: municipalities"):
        jobs_in([geojson(tmp_path / "buurten.geojson", place, degrees(SQUARE))])
    write_files(tmp_path)
    assert set(boundaries(tmp_path / BOUNDARIES)) > set(municipality_outlines())


def test_an_outline_that_crosses_itself_is_mended(tmp_path: Path) -> None:
    bow = shapely.Polygon([(90_000, 430_000), (100_000, 440_000), (100_000, 430_000), (90_000, 440_000)])
    file = geojson(tmp_path / "one.json", {"statcode": "GM0599", "statnaam": "Rotterdam"}, bow)
    mended = boundaries(file)["GM0599"]
    assert mended.is_valid
    assert mended.area == pytest.approx(50_000_000)


@pytest.mark.parametrize(
    ("properties", "shape", "said"),
    [
        ({"statcode": "GM0599"}, shapely.Point(90_000, 430_000), "there is no outline"),
        ({"statcode": "GM0599"}, None, "there is no outline"),
        ({"statcode": "GM599"}, SQUARE, "'GM599' is no code of a municipality"),
        ({"statcode": None}, SQUARE, "'' is no code of a municipality"),
        ({"statcode": "GM0599"}, shapely.box(0, 0, 10, 10), "outside the Netherlands"),
    ],
)
def test_each_bad_row_is_named_with_its_reason(tmp_path: Path, properties: Any, shape: Any, said: str) -> None:
    good = {"type": "Feature", "properties": {"statcode": "GM0606", "statnaam": "Schiedam"}}
    good["geometry"] = json.loads(shapely.to_geojson(SQUARE))
    bad = {"type": "Feature", "properties": properties, "geometry": shape and json.loads(shapely.to_geojson(shape))}
    file = tmp_path / "two.json"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [good, bad]}))
    (job,) = jobs_in([file])
    faults = Faults()
    read(job.table, job.report.what, faults)
    ((number, reason),) = faults.first
    assert number == 2
    assert said in reason


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.zip", b"PK\x03\x04", "is packed: unpack it first"),
        ("x.gpkg", b"SQLite format 3\0" + b"rubbish" * 100, "is no whole GeoPackage"),
        ("x.json", b"{", "is no GeoJSON FeatureCollection"),
        ("x.json", b'{"features": 7}', "is no GeoJSON FeatureCollection"),
        ("x.json", b'{"features": [7]}', "is no GeoJSON FeatureCollection"),
        ("x.csv", b"", "is no GeoPackage, no GeoJSON and no CSV"),
        ("x.bin", b"\xff\xfe\x00", "is no GeoPackage, no GeoJSON and no CSV"),
        ("x.csv", b"name,colour\nGolf,blue\n", "holds nothing that is known here"),
        ("x.csv", b"name;colour\n", "holds nothing that is known here"),
    ],
)
def test_a_file_of_which_nothing_can_be_taken_says_what_to_do(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadPlaces, match=said):
        jobs_in([tmp_path / name])


def test_a_file_that_is_not_there_and_coordinates_nobody_knows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadPlaces, match="cannot be read"):
        jobs_in([tmp_path / "none.gpkg"])
    write_geopackage(tmp_path / "sea.gpkg", {"gemeente": {"GM0599": ("Rotterdam", SQUARE)}}, 25831)
    with pytest.raises(BadPlaces, match="EPSG:25831, which is not known: take the one in RD"):
        jobs_in([tmp_path / "sea.gpkg"])


def test_the_middle_of_rotterdam_lies_in_its_made_up_outline() -> None:
    assert municipality_outlines()["GM0599"][1].contains(shapely.Point(to_rd(51.9225, 4.4792)))
