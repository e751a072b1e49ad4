"""A bucket lets out no more than its rate, whenever and however often it is asked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alerting.rate import Bucket, most_at_once

RATES = st.floats(min_value=0.01, max_value=1000)
ASKED = st.lists(st.tuples(st.floats(min_value=0, max_value=5), st.integers(min_value=1, max_value=200)), max_size=60)


@given(RATES, ASKED)
def test_never_more_leave_than_the_rate_and_what_was_saved_up(rate: float, asked: list[tuple[float, int]]) -> None:
    bucket, moment, left = Bucket(rate, most_at_once(rate)), 0.0, 0
    for pause, many in asked:
        moment += pause
        left += bucket.take(many, moment)[0]
        assert left <= rate * moment + most_at_once(rate) + 1e-6


@given(RATES, ASKED)
def test_whoever_waits_as_long_as_was_said_gets_a_turn(rate: float, asked: list[tuple[float, int]]) -> None:
    bucket, moment = Bucket(rate, most_at_once(rate)), 0.0
    for pause, many in asked:
        moment += pause
        given_now, wait_s = bucket.take(many, moment)
        if not given_now:
            moment += wait_s + 1e-6
            assert bucket.take(1, moment)[0] == 1


@given(RATES, st.integers(min_value=1, max_value=50))
def test_what_is_given_back_can_leave_at_once(rate: float, many: int) -> None:
    bucket = Bucket(rate, most_at_once(rate))
    taken, _ = bucket.take(many, 0.0)
    bucket.take(-taken, 0.0)
    assert bucket.take(taken, 0.0)[0] == taken
