"""What reports make of an attempt and its delivery, in whatever order they come."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.models import DeliveryState as State
from alerting.receipts import NOT_REACHED, ORDER, REACHED, delivery_after, forward

states = st.sampled_from(list(State))


def test_every_state_has_its_place() -> None:
    assert set(ORDER) == set(State)
    assert len(ORDER) == len(State)


@pytest.mark.parametrize(
    ("known", "reported", "then"),
    [
        (State.SENDING, State.SENT, State.SENT),
        (State.SENT, State.SENDING, State.SENT),
        (State.SENT, State.DELIVERED, State.DELIVERED),
        (State.DELIVERED, State.SENT, State.DELIVERED),
        (State.DELIVERED, State.FAILED, State.DELIVERED),
        (State.FAILED, State.DELIVERED, State.DELIVERED),
        (State.FAILED, State.SENT, State.FAILED),
        (State.SENDING, State.CANCELLED, State.CANCELLED),
        (State.CANCELLED, State.DELIVERED, State.DELIVERED),
        (State.BUSY, State.ANSWERED, State.ANSWERED),
        (State.ANSWERED, State.CONFIRMED, State.CONFIRMED),
        (State.CONFIRMED, State.MACHINE, State.CONFIRMED),
    ],
)
def test_a_state_only_moves_forward(known: State, reported: State, then: State) -> None:
    assert forward(known, reported) == then


@given(states, states, states)
def test_the_order_of_reports_does_not_matter(first: State, second: State, third: State) -> None:
    ends = {forward(forward(forward(State.SENDING, a), b), c) for a, b, c in permutations((first, second, third))}
    assert len(ends) == 1


@given(states, states)
def test_the_same_report_twice_is_as_good_as_once(known: State, reported: State) -> None:
    once = forward(known, reported)
    assert forward(once, reported) == once


@pytest.mark.parametrize("missed", sorted(NOT_REACHED))
@pytest.mark.parametrize(
    ("known", "newest", "again", "then"),
    [
        (State.SENDING, True, True, State.SENDING),  # it will be tried again
        (State.SENT, True, True, State.SENDING),
        (State.SENDING, False, False, State.SENDING),  # a later attempt decides
        (State.SENT, False, True, State.SENT),
        (State.DELIVERED, True, False, State.DELIVERED),  # an earlier attempt got through after all
        (State.CONFIRMED, True, True, State.CONFIRMED),
    ],
)
def test_an_attempt_that_reached_nobody_does_not_always_decide(
    missed: State, known: State, newest: bool, again: bool, then: State
) -> None:
    assert delivery_after(known, missed, newest=newest, again=again) == then


@pytest.mark.parametrize("missed", sorted(NOT_REACHED))
def test_the_last_attempt_that_reached_nobody_ends_the_delivery(missed: State) -> None:
    assert delivery_after(State.SENDING, missed, newest=True, again=False) == missed


@given(states, st.sampled_from(sorted(REACHED)), st.booleans(), st.booleans())
def test_an_attempt_that_reached_somebody_is_never_lost(
    known: State, reached: State, newest: bool, again: bool
) -> None:
    then = delivery_after(known, reached, newest=newest, again=again)
    assert then in REACHED
    assert ORDER.index(then) >= ORDER.index(reached)


@given(st.sampled_from(sorted(REACHED)), states, st.booleans(), st.booleans())
def test_whoever_was_reached_stays_reached(known: State, attempt: State, newest: bool, again: bool) -> None:
    assert delivery_after(known, attempt, newest=newest, again=again) in REACHED
