"""The order of service."""

from itertools import pairwise

from actions.models import Kind
from actions.urgency import Triage, urgency

FIRST_COME_FIRST = (Kind.AMBER, Kind.MISSING_CHILD, Kind.LOOK_OUT, Kind.INFORMATION, Kind.INVESTIGATION)


def test_the_kind_of_the_action_counts_first_and_then_what_the_caller_says() -> None:
    order = [urgency(kind, said) for kind in FIRST_COME_FIRST for said in (Triage.NOW, None, *list(Triage)[1:])]
    assert all(before < after for before, after in pairwise(order))
    assert order[0] == 0
    assert order[-1] <= 80
