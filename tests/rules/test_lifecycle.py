"""Which step of an action may follow which."""

import pytest

from actions.lifecycle import fault_in_step, fault_in_update
from actions.models import Outcome, Status

POSSIBLE = {
    (Status.DRAFT, Status.OPEN),
    (Status.DRAFT, Status.ENDED),
    (Status.OPEN, Status.ENDED),
}


@pytest.mark.parametrize("now", Status)
@pytest.mark.parametrize("then", Status)
def test_a_step_is_possible_or_refused_with_a_reason(now: Status, then: Status) -> None:
    fault = fault_in_step(now, then, Outcome.DIRECT)
    if (now, then) in POSSIBLE:
        assert fault is None
    else:
        assert fault == f"the action is {now}: it cannot become {then}"


@pytest.mark.parametrize("outcome", Outcome)
def test_an_action_ends_with_each_known_outcome(outcome: Outcome) -> None:
    assert fault_in_step("open", Status.ENDED, outcome.value) is None


@pytest.mark.parametrize("outcome", [None, "", "arrest", "Direct", " direct"])
def test_an_end_without_a_known_outcome_is_refused(outcome: str | None) -> None:
    assert fault_in_step("open", Status.ENDED, outcome) == "say how it ended: direct, indirect, none"


def test_an_action_opens_without_an_outcome() -> None:
    assert fault_in_step("draft", Status.OPEN) is None


@pytest.mark.parametrize(("now", "possible"), [("draft", False), ("open", True), ("ended", False)])
def test_only_an_open_action_takes_an_update(now: str, possible: bool) -> None:
    fault = fault_in_update(now)
    assert (fault is None) is possible
    assert possible or fault == f"the action is {now}: only an open action can be updated"
