"""What a participant wants to hear of, and when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.models import Kind, bits
from actions.wishes import NIGHT, names_of, read_kinds, read_quiet


@given(st.sets(st.sampled_from(Kind), min_size=1))
def test_kinds_come_back_as_they_were_named(kinds: set[Kind]) -> None:
    assert set(names_of(read_kinds("  ".join(kinds)))) == kinds


def test_a_kind_named_twice_counts_once() -> None:
    assert read_kinds("amber amber") == bits([Kind.AMBER])


@pytest.mark.parametrize("given", ["", " ", "burglary", "amber burglary", "none"])
def test_kinds_that_are_none_are_refused_with_those_that_are(given: str) -> None:
    with pytest.raises(ValueError, match="look_out missing_child amber investigation information"):
        read_kinds(given)


def test_nothing_may_wake_where_that_is_a_choice() -> None:
    assert read_kinds(" none ", none=True) == 0


@given(st.integers(0, 1439), st.integers(0, 1439))
def test_quiet_hours_come_back_in_minutes(start: int, end: int) -> None:
    written = f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"
    if start == end:
        with pytest.raises(ValueError, match="or none"):
            read_quiet(written)
    else:
        assert read_quiet(written) == (start, end)


def test_the_night_is_from_eleven_to_seven() -> None:
    assert read_quiet(" 23:00-07:00 ") == NIGHT


def test_who_has_no_quiet_hours_says_none() -> None:
    assert read_quiet("none") == (0, 0)


@pytest.mark.parametrize(
    "given", ["", "23-7", "23:00", "24:00-07:00", "23:60-07:00", "23:00-07:00-08:00", "٢٣:00-07:00"]
)
def test_hours_that_are_none_are_refused_with_an_example(given: str) -> None:
    with pytest.raises(ValueError, match="23:00-07:00"):
        read_quiet(given)
