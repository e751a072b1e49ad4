"""When a message goes by another channel as well."""

from __future__ import annotations

from datetime import timedelta

import pytest

from actions.models import DeliveryState, MessageKind
from alerting.fall_backs import CALLS, FALL_BACKS, NOT_SHOWN, NOTICES, QUIET, FallBack

S = DeliveryState
A_MOMENT = timedelta(seconds=1)


@pytest.mark.parametrize("kind", MessageKind)
@pytest.mark.parametrize("rule", FALL_BACKS)
def test_what_was_taken_for_certain_is_never_followed(rule: FallBack, kind: MessageKind) -> None:
    for state in (S.PENDING, S.SENDING, S.DELIVERED, S.CONFIRMED, S.CANCELLED):
        assert not rule.due(kind, state, timedelta(days=1))


@pytest.mark.parametrize(
    ("rule", "kind", "state", "silent_for", "due"),
    [
        (CALLS, "alert", S.BUSY, A_MOMENT, True),
        (CALLS, "alert", S.ANSWERED, A_MOMENT, True),
        (CALLS, "result", S.ANSWERED, A_MOMENT, False),
        (CALLS, "result", S.MACHINE, A_MOMENT, True),
        (CALLS, "alert", S.SENT, QUIET - A_MOMENT, False),
        (CALLS, "alert", S.SENT, QUIET + A_MOMENT, True),
        (NOTICES, "alert", S.FAILED, A_MOMENT, True),
        (NOTICES, "update", S.FAILED, A_MOMENT, True),
        (NOTICES, "result", S.FAILED, A_MOMENT, False),
        (NOTICES, "alert", S.SENT, NOT_SHOWN - A_MOMENT, False),
        (NOTICES, "alert", S.SENT, NOT_SHOWN + A_MOMENT, True),
        (NOTICES, "result", S.SENT, NOT_SHOWN + A_MOMENT, False),
    ],
)
def test_each_is_followed_at_its_time(
    rule: FallBack, kind: str, state: DeliveryState, silent_for: timedelta, due: bool
) -> None:
    assert rule.due(kind, state, silent_for) is due


def test_a_call_that_was_broken_off_is_followed_at_once() -> None:
    assert CALLS.due("alert", S.SENT, A_MOMENT, broken_off=True)


def test_texts_and_mails_are_followed_by_nothing() -> None:
    assert {rule.by for rule in FALL_BACKS} == {"voice", "push"}
    assert {rule.to for rule in FALL_BACKS} == {"sms"}
