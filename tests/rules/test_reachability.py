"""When nobody believes any more that something arrives at a contact point."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.reachability import DAYS, Doubt, Gone, after_fault
from alerting.channels.ringing import NOT_ANSWERED
from alerting.channels.sms import FAULTS
from alerting.errors import Whose
from telephony.ringing import why_not

Days = st.lists(st.tuples(st.sampled_from(Gone), st.integers(1, 9)), max_size=20)


def after(*faults: tuple[Gone, int]) -> Doubt:
    known = Doubt()
    for gone, day in faults:
        known = after_fault(known, gone, f"2026-11-0{day}")
    return known


def test_a_certain_fault_is_believed_at_once() -> None:
    assert after((Gone.CERTAIN, 1)).believed


@pytest.mark.parametrize(
    ("days", "believed"), [((1,), False), ((1, 1, 1, 1), False), ((1, 2, 2), False), ((1, 2, 3), True)]
)
def test_a_fault_that_is_not_certain_is_believed_after_three_days(days: tuple[int, ...], *, believed: bool) -> None:
    assert after(*((Gone.PERHAPS, day) for day in days)).believed is believed


@given(Days)
def test_faults_of_one_try_say_nothing_and_what_is_believed_stays_so(faults: list[tuple[Gone, int]]) -> None:
    faults = sorted(faults, key=lambda fault: fault[1])
    spoken = [(gone, day) for gone, day in faults if gone is not Gone.NO]
    assert after(*faults) == after(*spoken)
    days = {day for _, day in spoken}
    assert after(*faults).believed == (len(days) >= DAYS or any(gone is Gone.CERTAIN for gone, _ in spoken))
    assert after(*faults).times == len(days)


def test_only_faults_of_the_recipient_that_no_retry_mends_speak_against_a_number() -> None:
    against = {code for code, fault in FAULTS.items() if fault.gone is not Gone.NO}
    assert against == {21211, 30005}
    for code in against:
        assert (FAULTS[code].whose_fault, FAULTS[code].retryable) == (Whose.RECIPIENT, False)


def test_a_carrier_that_knows_no_such_number_speaks_against_it_and_others_do_not() -> None:
    assert why_not(1) == "not_in_use"
    against = {why for why, receipt in NOT_ANSWERED.items() if receipt.fault and receipt.fault.gone is not Gone.NO}
    assert against == {"not_in_use"}
