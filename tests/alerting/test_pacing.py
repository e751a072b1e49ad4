"""When to try again: later each time, spread, three attempts at most, never past the deadline."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.pacing import retry_at

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
TONIGHT = NOON + timedelta(hours=10)


@pytest.mark.parametrize(
    ("attempts", "chance", "seconds"),
    [
        pytest.param(1, 0.0, 5.0, id="after the first attempt, at the earliest"),
        pytest.param(1, 1.0, 7.5, id="after the first attempt, at the latest"),
        pytest.param(2, 0.0, 40.0, id="after the second, at the earliest"),
        pytest.param(2, 1.0, 60.0, id="after the second, at the latest"),
        pytest.param(3, 0.5, None, id="after the third never"),
        pytest.param(30, 0.5, None, id="nor after many"),
    ],
)
def test_the_wait_before_the_next_attempt(attempts: int, chance: float, seconds: float | None) -> None:
    expected = None if seconds is None else NOON + timedelta(seconds=seconds)
    assert retry_at(attempts, NOON, TONIGHT, chance) == expected


@pytest.mark.parametrize(
    ("left_s", "tried_again"), [(5.1, True), (5.0, False), (4.9, False), (0.0, False), (-60.0, False)]
)
def test_nothing_is_tried_again_at_or_after_the_deadline(left_s: float, *, tried_again: bool) -> None:
    assert (retry_at(1, NOON, NOON + timedelta(seconds=left_s), 0.0) is not None) is tried_again


@given(attempts=st.integers(1, 10), chance=st.floats(0, 1), left_s=st.floats(-100, 10_000))
def test_whatever_happens_it_is_later_and_inside_the_life_of_the_message(
    attempts: int, chance: float, left_s: float
) -> None:
    deadline = NOON + timedelta(seconds=left_s)
    at = retry_at(attempts, NOON, deadline, chance)
    assert at is None or NOON < at < deadline
