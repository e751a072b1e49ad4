"""Which open action a caller is calling about: sure when one fits, a question when several do, never a guess."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.matching import (
    Alerted,
    AskCode,
    Choose,
    Finding,
    Match,
    NothingOpen,
    OpenAction,
    Over,
    Postcodes,
    Sure,
    by_code,
    find,
    in_sight,
    regions_of,
)
from actions.numbers import CallerKind, Number

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
MOBILE = Number(CallerKind.MOBILE, "+31612345678")
LANDLINE = Number(CallerKind.LANDLINE, "+31101234567", "010")
WITHHELD = Number(CallerKind.WITHHELD)


def action(key: int, *, region: str = "rotterdam", minutes_old: int = 0) -> OpenAction:
    return OpenAction(
        id=key,
        code=str(100 + key),
        kind="look_out",
        room_id=region,
        region_id=region,
        started_by=None,
        started_at=NOON - timedelta(minutes=minutes_old),
        titles={"nl": f"actie {key}"},
        bodies={"nl": "Kijk uit."},
        x=100_000,
        y=400_000,
    )


NEW, OLD = action(1, minutes_old=1), action(2, minutes_old=90)
AMSTERDAM = action(3, region="amsterdam", minutes_old=5)
HAAGS = action(4, region="den-haag", minutes_old=2)


@pytest.mark.parametrize(
    ("alerted", "still_open", "regions", "expected"),
    [
        pytest.param([], [], [], NothingOpen(), id="nothing is open"),
        pytest.param([], [], ["rotterdam"], NothingOpen(), id="nothing is open, area code known"),
        pytest.param([], [OLD, NEW], [], AskCode((NEW, OLD)), id="unknown caller: the code, newest first"),
        pytest.param([], [NEW], [], AskCode((NEW,)), id="unknown caller is never put through to the only action"),
        pytest.param([], [NEW, AMSTERDAM], ["limburg"], AskCode((NEW, AMSTERDAM)), id="nothing open near"),
        pytest.param([], [NEW, AMSTERDAM], ["rotterdam"], Choose((NEW,), "area_code"), id="one near: still asks"),
        pytest.param(
            [],
            [OLD, HAAGS, NEW, AMSTERDAM],
            ["den-haag", "rotterdam"],
            Choose((HAAGS, NEW, OLD), "area_code"),
            id="the area code's own region first, then newest",
        ),
        pytest.param(
            [Alerted(OLD, 300), Alerted(NEW, 1200)],
            [NEW, OLD],
            [],
            Choose((OLD, NEW), "alerted"),
            id="alerted in two: the nearer first",
        ),
        pytest.param(
            [Alerted(OLD, 10), Alerted(NEW, 490)],
            [NEW, OLD],
            [],
            Choose((NEW, OLD), "alerted"),
            id="alerted in two, as near: the newer first",
        ),
    ],
)
def test_what_to_do_with_a_caller(
    alerted: list[Alerted], still_open: list[OpenAction], regions: list[str], expected: Finding
) -> None:
    assert find(MOBILE, alerted, still_open, regions) == expected


def test_a_number_alerted_in_one_open_action_is_matched_with_the_reason() -> None:
    found = find(MOBILE, [Alerted(OLD, 400)], [NEW, OLD], [])
    assert found == Sure(Match(OLD, "number", 0.95, ("this number was alerted in one open action",)))


def test_an_alerted_number_goes_before_its_area_code() -> None:
    found = find(LANDLINE, [Alerted(AMSTERDAM, 400)], [NEW, AMSTERDAM], ["rotterdam"])
    assert isinstance(found, Sure)
    assert found.match.action is AMSTERDAM


def test_the_code_finds_the_open_action_with_exactly_that_code() -> None:
    assert by_code("102", [NEW, OLD]) is OLD


@pytest.mark.parametrize("code", ["", "10", "1021", "999", " 102", "102\n", "١٠٢", "*", "10#"])
def test_another_code_finds_nothing(code: str) -> None:
    assert by_code(code, [NEW, OLD]) is None


REGIONS = ["rotterdam", "amsterdam", "den-haag", "limburg"]
some_actions = st.lists(
    st.builds(
        action,
        st.integers(1, 99),
        region=st.sampled_from(REGIONS),
        minutes_old=st.integers(0, 300),
    ),
    unique_by=lambda one: one.id,
    max_size=8,
)


@st.composite
def callers(draw: st.DrawFn) -> tuple[list[Alerted], list[OpenAction], list[str]]:
    still_open = draw(some_actions)
    reached = draw(st.lists(st.sampled_from(still_open), unique_by=lambda one: one.id)) if still_open else []
    alerted = [Alerted(one, draw(st.integers(0, 50_000))) for one in reached]
    return alerted, still_open, draw(st.lists(st.sampled_from(REGIONS), unique=True, max_size=3))


@given(callers())
def test_it_is_sure_only_when_exactly_one_open_action_alerted_the_number(
    case: tuple[list[Alerted], list[OpenAction], list[str]],
) -> None:
    alerted, still_open, regions = case
    assert isinstance(find(MOBILE, alerted, still_open, regions), Sure) == (len(alerted) == 1)


@given(callers())
def test_every_action_that_alerted_the_caller_is_offered_once_nearest_then_newest(
    case: tuple[list[Alerted], list[OpenAction], list[str]],
) -> None:
    alerted, still_open, regions = case
    found = find(MOBILE, alerted, still_open, regions)
    if len(alerted) < 2:
        return
    assert isinstance(found, Choose)
    assert sorted(one.id for one in found.options) == sorted(known.action.id for known in alerted)
    metres = {known.action.id: known.distance // 500 for known in alerted}
    order = [(metres[one.id], -one.started_at.timestamp()) for one in found.options]
    assert order == sorted(order)


def test_somebody_alerted_only_in_an_action_that_just_ended_is_told_so() -> None:
    assert find(MOBILE, [Alerted(OLD, 10, over=True), Alerted(NEW, 900, over=True)], [AMSTERDAM], []) == Over(NEW)


def test_an_open_action_goes_before_one_that_ended() -> None:
    found = find(MOBILE, [Alerted(OLD, 10, over=True), Alerted(NEW, 900)], [NEW], [])
    assert isinstance(found, Sure)
    assert found.match.action is NEW


RANGES = [Postcodes(2640, 2999, ("den-haag", "rotterdam")), Postcodes(3000, 3099, ("rotterdam",))]


@pytest.mark.parametrize(
    ("postcode", "regions"),
    [
        ("2640", ("den-haag", "rotterdam")),
        ("2999", ("den-haag", "rotterdam")),
        ("3000", ("rotterdam",)),
        ("3100", ()),
        ("300", ()),
        ("30000", ()),
        ("30#", ()),
        ("٣٠٠٠", ()),
        ("", ()),
    ],
)
def test_the_regions_of_a_postcode(postcode: str, regions: tuple[str, ...]) -> None:
    assert regions_of(postcode, RANGES) == regions


@given(callers())
def test_a_caller_who_was_not_alerted_is_offered_only_open_actions_and_always_all_near_ones(
    case: tuple[list[Alerted], list[OpenAction], list[str]],
) -> None:
    _, still_open, regions = case
    near = {one.id for one in still_open if one.region_id in regions}
    match find(WITHHELD, [], still_open, regions):
        case NothingOpen():
            assert not still_open
        case Choose(options, why):
            assert why == "area_code"
            assert {one.id for one in options} == near
        case AskCode(options):
            assert not near
            assert {one.id for one in options} == {one.id for one in still_open}
        case guess:
            raise AssertionError(f"guessed {guess}")


@given(st.lists(st.booleans(), max_size=6))
def test_nobody_is_offered_exercises_and_what_is_for_real_together(kinds: list[bool]) -> None:
    actions = [replace(action(key), exercise=exercise) for key, exercise in enumerate(kinds)]
    for_real, exercises = in_sight(actions, practising=False), in_sight(actions, practising=True)
    assert {one.exercise for one in for_real} <= {False}
    assert {one.exercise for one in exercises} <= {True}
    assert sorted((*for_real, *exercises), key=lambda one: one.id) == actions
