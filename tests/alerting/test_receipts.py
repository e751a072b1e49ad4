"""Reports come late, twice and out of order: a state only moves forward, whatever the order."""

from __future__ import annotations

from functools import reduce
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.models import DeliveryState
from alerting.receipts import NOT_REACHED, ORDER, REACHED, delivery_after, forward

S = DeliveryState
states = st.sampled_from(S)


def test_every_state_has_its_place() -> None:
    assert sorted(ORDER) == sorted(S)


@given(known=states, reports=st.lists(states, max_size=4))
def test_the_same_reports_lead_to_the_same_state_in_whatever_order_they_come(
    known: DeliveryState, reports: list[DeliveryState]
) -> None:
    assert len({reduce(forward, order, known) for order in permutations(reports)}) == 1


@given(known=states, reported=states)
def test_a_report_twice_is_a_report_once_and_nothing_goes_back(known: DeliveryState, reported: DeliveryState) -> None:
    once = forward(known, reported)
    assert forward(once, reported) == once
    assert ORDER.index(once) >= ORDER.index(known)


@pytest.mark.parametrize("reached", sorted(REACHED))
@pytest.mark.parametrize("missed", sorted(NOT_REACHED))
def test_somebody_reached_stays_reached_whatever_is_said_before_or_after(
    reached: DeliveryState, missed: DeliveryState
) -> None:
    assert forward(reached, missed) == forward(missed, reached) == reached


@pytest.mark.parametrize(
    ("known", "attempt", "newest", "again", "then"),
    [
        pytest.param(S.SENDING, S.SENT, True, False, S.SENT, id="taken"),
        pytest.param(S.SENT, S.DELIVERED, True, False, S.DELIVERED, id="arrived"),
        pytest.param(S.SENT, S.FAILED, True, True, S.SENDING, id="failed, tried again"),
        pytest.param(S.SENT, S.FAILED, True, False, S.FAILED, id="failed for good"),
        pytest.param(
            S.SENDING, S.FAILED, False, False, S.SENDING, id="an earlier attempt failed late: decides nothing"
        ),
        pytest.param(S.SENT, S.FAILED, False, False, S.SENT, id="nor when the newest is under way"),
        pytest.param(S.DELIVERED, S.FAILED, False, False, S.DELIVERED, id="nor when the newest arrived"),
        pytest.param(S.DELIVERED, S.FAILED, True, True, S.DELIVERED, id="an earlier one arrived: no further try"),
        pytest.param(S.FAILED, S.DELIVERED, False, False, S.DELIVERED, id="an earlier attempt arrived after all"),
        pytest.param(S.SENDING, S.DELIVERED, False, False, S.DELIVERED, id="and before the next try"),
        pytest.param(S.SENDING, S.BUSY, True, False, S.BUSY, id="busy, three times"),
        pytest.param(S.SENDING, S.NO_ANSWER, True, True, S.SENDING, id="no answer, tried again"),
        pytest.param(S.SENT, S.MACHINE, True, False, S.MACHINE, id="a machine"),
        pytest.param(S.MACHINE, S.CONFIRMED, True, False, S.CONFIRMED, id="a key after all: a human"),
    ],
)
def test_what_an_attempt_makes_of_its_delivery(
    known: DeliveryState, attempt: DeliveryState, newest: bool, again: bool, then: DeliveryState
) -> None:
    assert delivery_after(known, attempt, newest=newest, again=again) == then


@given(known=st.sampled_from(sorted(REACHED)), attempt=states, newest=st.booleans(), again=st.booleans())
def test_no_attempt_makes_somebody_reached_unreached(
    known: DeliveryState, attempt: DeliveryState, *, newest: bool, again: bool
) -> None:
    assert delivery_after(known, attempt, newest=newest, again=again) in REACHED
