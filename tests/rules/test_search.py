"""Where somebody may be who was last seen somewhere: growing with time, nowhere too far."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import atan2, degrees, hypot

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.geography import Area, to_wgs
from actions.models import Action, Kind
from actions.options import Options
from actions.search import LEAST_M, PACES, REACH, Means, Search

SEEN = datetime(2026, 11, 28, 14, 5, tzinfo=UTC)
X, Y = 155_000.0, 463_000.0
LAT, LON = to_wgs(X, Y)


def seen(means: Means = Means.WALK, heading: int | None = None) -> Search:
    return Search(LAT, LON, SEEN, means, heading)


def shape(search: Search, minutes: float, kind: Kind = Kind.AMBER) -> Area:
    return Area.parse(search.area(kind, SEEN + timedelta(minutes=minutes)))


@settings(deadline=None, max_examples=50)
@given(
    means=st.sampled_from(Means),
    heading=st.one_of(st.none(), st.integers(0, 359)),
    first=st.floats(0, 600),
    more=st.floats(0, 600),
    kind=st.sampled_from(Kind),
)
def test_an_area_holds_every_earlier_one(
    means: Means, heading: int | None, first: float, more: float, kind: Kind
) -> None:
    search = seen(means, heading)
    before, after = shape(search, first, kind), shape(search, first + more, kind)
    assert after.shape.buffer(0.5).contains(before.shape)
    assert before.holds(X, Y)


@pytest.mark.parametrize("means", Means)
def test_whoever_goes_straight_on_at_that_pace_is_in_the_area_all_the_time(means: Means) -> None:
    search, speed = seen(means, 90), PACES[means].speed
    for minutes in range(0, 60, 3):
        if speed * 60 * minutes < PACES[means].farthest:
            assert shape(search, minutes).holds(X + speed * 60 * minutes, Y)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("means", Means)
def test_no_search_goes_farther_than_its_kind_and_means_allow(kind: Kind, means: Means) -> None:
    at = SEEN + timedelta(days=6)
    farthest = min(PACES[means].farthest, REACH[kind])
    assert seen(means).radius(kind, at) == farthest
    assert seen(means).grows_at(kind, at) is None
    west, south, east, north = Area.parse(seen(means).area(kind, at)).shape.bounds
    assert max(east - X, X - west, north - Y, Y - south) <= farthest + 1


def test_a_search_that_just_began_is_no_smaller_than_what_people_can_tell_apart() -> None:
    assert seen(Means.CHILD).radius(Kind.LOOK_OUT, SEEN - timedelta(minutes=4)) >= LEAST_M


@pytest.mark.parametrize("heading", [0, 90, 200, 359])
def test_with_a_heading_the_area_reaches_farther_ahead_than_behind(heading: int) -> None:
    points = shape(seen(Means.CYCLE, heading), 20).shape.exterior.coords  # type: ignore[attr-defined]
    far = {round(degrees(atan2(x - X, y - Y))) % 360: hypot(x - X, y - Y) for x, y in points}
    ahead = max(far, key=far.__getitem__)
    assert min((ahead - heading) % 360, (heading - ahead) % 360) <= 5
    assert min(far.values()) / max(far.values()) == pytest.approx(0.35, abs=0.01)


def test_what_lies_abroad_is_left_out() -> None:
    lat, lon = to_wgs(8_000, 380_000)
    assert Area.parse(Search(lat, lon, SEEN, Means.CAR).area(Kind.AMBER, SEEN + timedelta(hours=2))).holds(
        8_001, 380_000
    )


def test_a_search_is_kept_and_read_back() -> None:
    assert Search.of(seen(Means.CAR, 12).kept()) == seen(Means.CAR, 12)


@pytest.mark.parametrize(
    ("search", "said"),
    [
        (Search(LON, LAT, SEEN, Means.WALK), "outside the Netherlands"),
        (Search(1e9, 5.0, SEEN, Means.WALK), "outside the Netherlands"),
        (Search(LAT, LON, SEEN, Means.WALK, 360), "0 to 359"),
        (Search(LAT, LON, SEEN + timedelta(hours=1), Means.WALK), "ahead of now"),
        (Search(LAT, LON, SEEN - timedelta(days=8), Means.WALK), "draw an area"),
    ],
)
def test_a_search_that_makes_no_sense_says_what_to_mend(search: Search, said: str) -> None:
    (fault,) = search.faults(SEEN)
    assert said in fault


def test_a_good_search_has_no_faults() -> None:
    assert seen().faults(SEEN + timedelta(minutes=1)) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (Options(wake_reason="x" * 201), "say it shorter"),
        (Options(wake_reason=" "), "say in words why"),
        (Options(languages=("de",)), "use nl or en"),
        (Options(min_age=15), "choose ages from 16"),
        (Options(min_age=40, max_age=30), "nobody would be told"),
    ],
)
def test_a_choice_that_makes_no_sense_says_what_to_mend(options: Options, said: str) -> None:
    assert [fault for fault in options.faults() if said in fault]


def test_a_choice_becomes_columns_of_the_action() -> None:
    action = Action(code="", kind="amber", organisation_id="o", room_id="r", region_id="r", area={}, x=0, y=0)
    options = Options("a child of four, it freezes", ("nl",), min_age=18)
    assert options.faults() == []
    options.put_on(action)
    assert (action.quiet_reason, action.audience) == (
        "a child of four, it freezes",
        {"languages": ["nl"], "min_age": 18},
    )
    Options().put_on(action)
    assert (action.quiet_reason, action.audience) == (None, None)
