"""What Twilio's error codes mean: whether to try again, whose fault it is, and what an operator reads."""

from __future__ import annotations

import pytest

from alerting.channels.sms import FAULTS, NOBODY_GETS_THROUGH, fault_of
from alerting.errors import NEVER_ARRIVED, NEVER_KNOWN, Whose


@pytest.mark.parametrize(
    ("code", "retryable", "whose"),
    [
        (21211, False, Whose.RECIPIENT),
        (21614, False, Whose.RECIPIENT),
        (21610, False, Whose.RECIPIENT),
        (21408, False, Whose.US),
        (21617, False, Whose.US),
        (20003, True, Whose.US),
        (21606, True, Whose.US),
        (30001, True, Whose.PROVIDER),
        (30003, True, Whose.RECIPIENT),
        (30005, False, Whose.RECIPIENT),
        (30006, False, Whose.RECIPIENT),
        (30007, False, Whose.PROVIDER),
        (30008, True, Whose.PROVIDER),
        (12345, True, Whose.PROVIDER),
        (None, True, Whose.PROVIDER),
    ],
)
def test_a_code_tells_whether_to_try_again_and_whose_fault_it_is(
    code: int | None, retryable: bool, whose: Whose
) -> None:
    fault = fault_of(code)
    assert (fault.retryable, fault.whose_fault) == (retryable, whose)


@pytest.mark.parametrize("code", sorted(FAULTS))
def test_every_fault_is_told_in_words_that_fit_the_books(code: int) -> None:
    words = FAULTS[code].operator_message
    assert 10 < len(words) <= 200
    assert str(code) not in words


@pytest.mark.parametrize("code", sorted(NOBODY_GETS_THROUGH))
def test_what_nobody_gets_through_is_ours_to_repair_and_worth_another_try(code: int) -> None:
    assert FAULTS[code].whose_fault is Whose.US
    assert FAULTS[code].retryable


def test_a_lost_attempt_is_tried_again_only_when_it_is_certain_that_it_never_arrived() -> None:
    assert NEVER_ARRIVED.retryable
    assert not NEVER_KNOWN.retryable
