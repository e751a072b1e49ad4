"""How many calls may begin: never more than who is free can bear, never nothing for ever."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.wave import Answers, Bucket, Holds, Pace, Room, by_operators, judged

NOTHING_KNOWN = Answers()
COUNTS = st.integers(0, 10_000)


def room(free: int, waiting: int = 0, on_duty: int = 10) -> Room:
    return Room(on_duty, free, waiting)


@pytest.mark.parametrize(
    ("at", "so_far", "bears"),
    [
        pytest.param(room(1), NOTHING_KNOWN, 33, id="one is free: of 33 calls one is expected to press 1"),
        pytest.param(room(4), NOTHING_KNOWN, 133, id="four are free"),
        pytest.param(room(4), Answers(under_way=100), 33, id="a hundred already ring or listen"),
        pytest.param(room(4), Answers(under_way=500), 0, id="more ring than can be borne"),
        pytest.param(room(3, waiting=3), NOTHING_KNOWN, 0, id="as many wait as are free"),
        pytest.param(room(0), NOTHING_KNOWN, 0, id="nobody is free"),
        pytest.param(room(2, waiting=9), NOTHING_KNOWN, 0, id="more wait than are free"),
        pytest.param(room(2), Answers(tried=1000, answered=600, pressed=300), 7, id="many press 1"),
        pytest.param(room(1), Answers(tried=10_000, answered=9_000, pressed=0), 500, id="nobody presses 1"),
        pytest.param(Room(0, 0, 0), NOTHING_KNOWN, None, id="nobody on duty: key 1 leads elsewhere"),
        pytest.param(None, NOTHING_KNOWN, 0, id="nobody can tell"),
    ],
)
def test_how_many_calls_those_who_are_free_can_bear(at: Room | None, so_far: Answers, bears: int | None) -> None:
    assert by_operators(at, so_far) == bears


@pytest.mark.parametrize(
    ("at", "paced", "at_least", "pace"),
    [
        pytest.param(room(9), True, 1, Pace(20, Holds.NOTHING), id="enough are free"),
        pytest.param(room(0), True, 1, Pace(1, Holds.OPERATORS), id="nobody is free: the floor"),
        pytest.param(room(0), True, 0, Pace(0, Holds.OPERATORS), id="nobody is free, and the floor was used"),
        pytest.param(room(0), False, 0, Pace(20, Holds.NOTHING), id="AMBER and results wait for nobody"),
        pytest.param(None, True, 1, Pace(1, Holds.OPERATORS), id="Redis is away: the floor"),
        pytest.param(Room(0, 0, 0), True, 0, Pace(20, Holds.NOTHING), id="nobody on duty"),
    ],
)
def test_what_holds_a_wave(at: Room | None, at_least: int, pace: Pace, *, paced: bool) -> None:
    assert judged(at, NOTHING_KNOWN, at_most=20, at_least=at_least, paced=paced) == pace


@given(
    on_duty=COUNTS,
    free=COUNTS,
    waiting=COUNTS,
    under_way=COUNTS,
    tried=COUNTS,
    at_most=COUNTS,
    at_least=COUNTS,
    data=st.data(),
)
def test_a_pace_lies_between_its_bounds_and_never_grows_with_those_who_wait(
    on_duty: int, free: int, waiting: int, under_way: int, tried: int, at_most: int, at_least: int, data: st.DataObject
) -> None:
    answered = data.draw(st.integers(0, tried))
    so_far = Answers(under_way, tried, answered, data.draw(st.integers(0, answered)))
    calls = judged(Room(on_duty, free, waiting), so_far, at_most=at_most, at_least=at_least).calls
    assert min(at_least, at_most) <= calls <= at_most
    assert judged(Room(on_duty, free, waiting + 1), so_far, at_most=at_most, at_least=at_least).calls <= calls
    assert judged(Room(on_duty, free + 1, waiting), so_far, at_most=at_most, at_least=at_least).calls >= calls


@given(st.lists(st.floats(0, 3), min_size=1, max_size=50))
def test_a_bucket_never_gives_more_than_its_rate(pauses: list[float]) -> None:
    bucket, moment, given_away = Bucket(20, burst=4), 0.0, 0
    for pause in pauses:
        moment += pause
        count = bucket.holds(moment)
        bucket.take(count, moment)
        given_away += count
        assert given_away <= 4 + 20 * moment
        assert bucket.holds(moment) == 0
        assert 0 < bucket.until_next(moment) <= 1 / 20


def test_a_slow_bucket_gives_one_after_the_other() -> None:
    bucket = Bucket(0.5)
    taken = []
    for second in range(9):
        if bucket.holds(second):
            bucket.take(1, second)
            taken.append(second)
    assert taken == [0, 2, 4, 6, 8]
