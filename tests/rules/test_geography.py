"""Areas on the map and the cells that cover them."""

import json
import math
from typing import Any

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from actions.geography import (
    CELL_M,
    CELLS_A_ROW,
    MOST_POINTS,
    Area,
    BadArea,
    cell_of,
    in_the_netherlands,
    packed,
    to_rd,
    to_wgs,
)

OF_PROJ = Transformer.from_crs("EPSG:4326", "EPSG:28992", always_xy=True)
ROTTERDAM = {"type": "circle", "lat": 51.9225, "lon": 4.47917, "radius": 2000}


def ring(*points: tuple[float, float]) -> list[list[float]]:
    """A closed ring of RD places, as GeoJSON wants it: [longitude, latitude]."""
    placed = [to_wgs(x, y) for x, y in points]
    return [[lon, lat] for lat, lon in [*placed, placed[0]]]


def box(x: float, y: float, side: float) -> list[list[float]]:
    return ring((x, y), (x + side, y), (x + side, y + side), (x, y + side))


def polygon(*rings: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


def faults(given: object) -> str:
    with pytest.raises(BadArea) as refused:
        Area.parse(given)
    return "; ".join(refused.value.faults)


# The published approximation of RD New by a polynomial, good to a metre: exponents of latitude and longitude.
TO_X = {(0, 1): 190094.945, (1, 1): -11832.228, (2, 1): -114.221, (0, 3): -32.391, (1, 0): -0.705, (3, 1): -2.340}
TO_X |= {(1, 3): -0.608, (0, 2): -0.008, (2, 3): 0.148}
TO_Y = {(1, 0): 309056.544, (0, 2): 3638.893, (2, 0): 73.077, (1, 2): -157.984, (3, 0): 59.788, (0, 1): 0.433}
TO_Y |= {(2, 2): -6.439, (1, 1): -0.032, (0, 4): 0.092, (1, 4): -0.054}


@given(st.floats(50.8, 53.5), st.floats(3.5, 7.1))
def test_a_place_lies_where_the_published_approximation_puts_it(lat: float, lon: float) -> None:
    north, east = 0.36 * (lat - 52.15517440), 0.36 * (lon - 5.38720621)
    x = 155_000 + sum(factor * north**p * east**q for (p, q), factor in TO_X.items())
    y = 463_000 + sum(factor * north**p * east**q for (p, q), factor in TO_Y.items())
    assert to_rd(lat, lon) == pytest.approx((x, y), abs=1.5)


def test_the_origin_of_rd_is_right_to_the_metre() -> None:
    assert to_rd(52.15517440, 5.38720621) == pytest.approx((155_000, 463_000), abs=1)


@pytest.mark.parametrize(
    ("lat", "lon", "inside"),
    [(52.37, 4.89, True), (50.85, 5.69, True), (53.22, 6.57, True), (51.44, 3.57, True), (48.85, 2.35, False)],
)
def test_the_netherlands_are_told_from_abroad(lat: float, lon: float, inside: bool) -> None:
    assert in_the_netherlands(*to_rd(lat, lon)) is inside


@given(st.floats(7_000, 300_000), st.floats(289_000, 629_000))
def test_a_place_keeps_its_metre_there_and_back(x: float, y: float) -> None:
    assert to_rd(*to_wgs(x, y)) == pytest.approx((x, y), abs=0.01)


@given(st.floats(0, 300_000), st.floats(0, 629_000))
def test_a_cell_holds_its_place(x: float, y: float) -> None:
    row, column = divmod(cell_of(x, y), CELLS_A_ROW)
    assert column * CELL_M <= x < (column + 1) * CELL_M
    assert row * CELL_M <= y < (row + 1) * CELL_M


def test_a_circle_holds_what_is_nearer_than_its_radius() -> None:
    area = Area.parse(ROTTERDAM)
    x, y = to_rd(51.9225, 4.47917)
    assert area.centre == pytest.approx((x, y), abs=1)
    assert area.holds_many([x, x + 1999.9, x, x + 2000.1, x - 2001], [y, y, y - 1999.9, y, y]).tolist() == [
        True,
        True,
        True,
        False,
        False,
    ]


def test_a_hole_is_not_part_of_the_area_but_its_edge_is() -> None:
    area = Area.parse(polygon(box(100_000, 400_000, 3000), box(101_000, 401_000, 1000)))
    assert area.holds(100_500, 400_500)
    assert not area.holds(101_500, 401_500)
    assert 200_000 < area.shape.area < 8_100_000


def test_two_polygons_are_one_area() -> None:
    area = Area.parse(
        {"type": "MultiPolygon", "coordinates": [[box(100_000, 400_000, 1000)], [box(110_000, 400_000, 1000)]]}
    )
    assert area.holds_many([100_500, 110_500, 105_000], [400_500] * 3).tolist() == [True, True, False]


def test_a_point_may_have_a_height() -> None:
    with_height = [[*point, 3.5] for point in box(100_000, 400_000, 1000)]
    assert Area.parse(polygon(with_height)).holds(100_500, 400_500)


CORNER = [4.5, 52.0]
BOX = box(100_000, 400_000, 1000)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param(None, "an area is a circle or", id="nothing"),
        pytest.param([], "an area is a circle or", id="a list"),
        pytest.param("circle", "an area is a circle or", id="a text"),
        pytest.param({}, "type None is not known", id="no type"),
        pytest.param({"type": "Point", "coordinates": CORNER}, "type 'Point' is not known", id="a point"),
        pytest.param({"type": ["circle"]}, "is not known", id="a list as type"),
        pytest.param({"type": "circle"}, "a circle needs lat, lon", id="circle of nothing"),
        pytest.param({**ROTTERDAM, "lat": "51.9"}, "each a number", id="text as latitude"),
        pytest.param({**ROTTERDAM, "radius": True}, "each a number", id="true as radius"),
        pytest.param({**ROTTERDAM, "radius": math.nan}, "each a number", id="NaN as radius"),
        pytest.param({**ROTTERDAM, "lat": math.inf}, "each a number", id="infinite latitude"),
        pytest.param({**ROTTERDAM, "lat": 10**400}, "each a number", id="a number beyond all numbers"),
        pytest.param({**ROTTERDAM, "radius": 0}, "radius must be at least 1", id="no radius"),
        pytest.param({**ROTTERDAM, "radius": 5e-324}, "radius must be at least 1", id="a radius without surface"),
        pytest.param({**ROTTERDAM, "radius": -5}, "radius must be at least 1", id="negative radius"),
        pytest.param({**ROTTERDAM, "radius": 150_001}, "at most 150000 metres", id="radius too long"),
        pytest.param({**ROTTERDAM, "lat": 4.47917, "lon": 51.9225}, "latitude (50-54) before", id="swapped circle"),
        pytest.param({**ROTTERDAM, "lat": 91}, "outside the Netherlands", id="latitude off the globe"),
        pytest.param({**ROTTERDAM, "lat": 48.85, "lon": 2.35}, "outside the Netherlands", id="Paris"),
        pytest.param(polygon(), "the area is empty", id="no ring"),
        pytest.param({"type": "Polygon"}, "the area is empty", id="no coordinates"),
        pytest.param({"type": "MultiPolygon", "coordinates": []}, "the area is empty", id="no polygon"),
        pytest.param({"type": "MultiPolygon", "coordinates": {"a": 1}}, "the area is empty", id="polygons not listed"),
        pytest.param({"type": "MultiPolygon", "coordinates": [[]]}, "the area is empty", id="polygon of nothing"),
        pytest.param(polygon([]), "at least four points", id="empty ring"),
        pytest.param(polygon([CORNER, CORNER]), "at least four points", id="two points"),
        pytest.param(polygon(BOX[:-1]), "the ring is open", id="open"),
        pytest.param(polygon([CORNER] * 4), "", id="one point four times"),
        pytest.param(polygon([[4.5, 52.0], [4.6, 52.1], [4.5, 52.0], [4.5, 52.0]]), "", id="a line"),
        pytest.param(polygon([BOX[0], BOX[2], BOX[1], BOX[3], BOX[0]]), "crosses or touches itself", id="a bow tie"),
        pytest.param(polygon(BOX, box(200_000, 400_000, 500)), "crosses or touches", id="a hole elsewhere"),
        pytest.param(
            {"type": "MultiPolygon", "coordinates": [[BOX], [box(100_500, 400_500, 1000)]]},
            "crosses or touches",
            id="polygons over each other",
        ),
        pytest.param(polygon([[lat, lon] for lon, lat in BOX]), "longitude (3-8) before", id="swapped polygon"),
        pytest.param(polygon([[point[0] + 20, point[1]] for point in BOX]), "outside the Nether", id="far away"),
        pytest.param(polygon([[500, 52]] * 4), "[longitude, latitude]", id="longitude off the globe"),
        pytest.param(polygon([["4.5", "52.0"]] * 4), "[longitude, latitude]", id="texts as a point"),
        pytest.param(polygon([[True, False]] * 4), "[longitude, latitude]", id="truths as a point"),
        pytest.param(polygon([[math.nan, 52]] * 4), "[longitude, latitude]", id="NaN in a point"),
        pytest.param(polygon([[10**400, 52]] * 4), "[longitude, latitude]", id="a point beyond all numbers"),
        pytest.param(polygon([[4.5]] * 4), "[longitude, latitude]", id="half a point"),
        pytest.param(polygon([4.5, 52.0, 4.6, 52.1]), "[longitude, latitude]", id="numbers instead of points"),
        pytest.param(polygon("abcd"), "at least four points", id="a text as ring"),
        pytest.param(polygon([CORNER] * (MOST_POINTS + 1)), "more than 10000 points", id="too many points"),
        pytest.param(
            polygon(BOX, *[[CORNER] * 5] * (MOST_POINTS // 5)), "more than 10000 points", id="too many points in holes"
        ),
        pytest.param(
            {"type": "MultiPolygon", "coordinates": [[BOX]] * (MOST_POINTS // 5 + 1)},
            "more than 10000 points",
            id="too many polygons",
        ),
    ],
)
def test_an_area_that_cannot_be_used_is_refused_in_words(given: object, said: str) -> None:
    assert said in faults(given)


def test_a_circle_names_both_faults_at_once() -> None:
    assert faults({"type": "circle", "lat": 0, "lon": 0, "radius": 0}).count(";") == 2


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=30,
)


@settings(max_examples=100)
@given(st.sampled_from(["Polygon", "MultiPolygon", "circle"]), json_like, json_like)
def test_no_json_makes_it_raise_anything_else(kind: str, coordinates: Any, radius: Any) -> None:
    with pytest.raises(BadArea):
        Area.parse({"type": kind, "coordinates": coordinates, "lat": coordinates, "lon": 5, "radius": radius})


coordinates = st.tuples(st.floats(120_000, 200_000), st.floats(400_000, 500_000))


@st.composite
def areas(draw: st.DrawFn) -> Area:
    """A circle, or a star-shaped polygon with a square hole in its middle."""
    x, y = draw(coordinates)
    lat, lon = to_wgs(x, y)
    if draw(st.booleans()):
        return Area.parse({"type": "circle", "lat": lat, "lon": lon, "radius": draw(st.floats(10, 6000))})
    reach = draw(st.lists(st.floats(900, 6000), min_size=3, max_size=12))
    turn = 2 * math.pi / len(reach)
    corners = [(x + r * math.cos(i * turn), y + r * math.sin(i * turn)) for i, r in enumerate(reach)]
    return Area.parse(polygon(ring(*corners), box(x - 50, y - 50, 100)))


@settings(max_examples=60, deadline=None)
@given(areas(), st.data())
def test_every_place_in_an_area_lies_in_one_of_its_cells(area: Area, data: st.DataObject) -> None:
    cells = area.cells()
    west, south, east, north = area.shape.bounds
    some = st.tuples(st.floats(west, east), st.floats(south, north))
    for x, y in data.draw(st.lists(some, min_size=20, max_size=20)):
        in_cells = cell_of(x, y) in {*cells.interior, *cells.edge}
        assert in_cells or not area.holds(x, y)


@settings(max_examples=60, deadline=None)
@given(areas(), st.data())
def test_every_place_of_an_inner_cell_lies_in_the_area(area: Area, data: st.DataObject) -> None:
    cells = area.cells()
    assert not {*cells.interior} & {*cells.edge}
    assert cells.edge
    within = st.floats(0, CELL_M, exclude_max=True)
    for cell in cells.interior[:50]:
        row, column = divmod(cell, CELLS_A_ROW)
        corners = [(0.0, 0.0), (0.0, CELL_M), (CELL_M, 0.0), (CELL_M, CELL_M), data.draw(st.tuples(within, within))]
        x, y = zip(*((column * CELL_M + dx, row * CELL_M + dy) for dx, dy in corners), strict=True)
        assert area.holds_many(x, y).all()


@settings(max_examples=60, deadline=None)
@given(areas())
def test_cells_come_nearest_to_the_centre_first(area: Area) -> None:
    x, y = area.centre
    for numbers in (area.cells().interior, area.cells().edge):
        middles = [divmod(cell, CELLS_A_ROW) for cell in numbers]
        away = [math.hypot((column + 0.5) * CELL_M - x, (row + 0.5) * CELL_M - y) for row, column in middles]
        assert away == pytest.approx(sorted(away), abs=0.01)


def test_an_area_that_came_through_json_is_the_same() -> None:
    given = polygon(box(100_000, 400_000, 3000))
    assert Area.parse(json.loads(json.dumps(given))).shape.equals(Area.parse(given).shape)


@given(st.lists(st.tuples(st.floats(7_000, 300_000), st.floats(289_000, 629_000)), min_size=1))
def test_the_nation_holds_everybody_without_a_test(places: list[tuple[float, float]]) -> None:
    nation = Area.parse({"type": "nation"})
    x, y = zip(*places, strict=True)
    assert nation.everywhere
    assert nation.holds_many(x, y).all()
    assert in_the_netherlands(*nation.centre)


@given(st.lists(st.floats(100_000, 200_000), min_size=2, max_size=2, unique=True), st.integers(1, 50_000))
def test_a_looked_up_outline_comes_back_as_it_was_kept(corner: list[float], side: int) -> None:
    shape = shapely.box(corner[0], corner[1], corner[0] + side, corner[1] + side)
    area = Area.parse({"type": "municipalities", "codes": ["GM0599"], "shape": packed(shape)})
    assert area.shape.equals(shape)
    assert not area.everywhere


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"type": "municipalities", "codes": ["GM0599"]}, "was not looked up"),
        (
            {"type": "village"},
            "use one of circle, Polygon, MultiPolygon, municipalities, safety-regions, regions, nation",
        ),
        ("nation", "its type is one of circle"),
    ],
)
def test_an_area_known_by_name_needs_its_outline(given: object, said: str) -> None:
    assert said in faults(given)


@given(st.floats(50.6, 53.7), st.floats(3.2, 7.3))
def test_a_place_lies_where_proj_itself_puts_it(lat: float, lon: float) -> None:
    assert to_rd(lat, lon) == pytest.approx(OF_PROJ.transform(lon, lat), abs=0.001)
    assert to_wgs(*to_rd(lat, lon)) == pytest.approx((lat, lon), abs=1e-8)
