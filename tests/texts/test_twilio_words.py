"""What Twilio's statuses, error codes and headers mean, and how its client behaves towards us."""

from __future__ import annotations

import logging

import pytest

from actions.models import DeliveryState
from alerting.channels.sms import FAULTS, NOBODY_GETS_THROUGH, STATES, fault_of, receipt_of
from alerting.channels.twilio_client import LONGEST_PAUSE_S, PAUSE_S, SHORTEST_PAUSE_S, _pause
from alerting.errors import NEVER_ARRIVED, NEVER_KNOWN, SendError, Whose
from stand_ins.twilio import TOO_BUSY
from tests.texts.wave import Wave, number


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


def test_an_unknown_code_is_named() -> None:
    assert "63038" in fault_of(63038).operator_message


def test_a_lost_attempt_is_tried_again_only_when_it_is_certain_that_it_never_arrived() -> None:
    assert NEVER_ARRIVED.retryable
    assert not NEVER_KNOWN.retryable


@pytest.mark.parametrize("status", sorted(STATES))
def test_a_fault_comes_with_a_failure_and_only_then(status: str) -> None:
    receipt = receipt_of(status, "SM1", 30005)
    assert receipt is not None
    assert (receipt.fault is not None) == (receipt.state is DeliveryState.FAILED)
    assert (receipt.provider_id, receipt.provider_status) == ("SM1", status)


@pytest.mark.parametrize("status", ["", "Delivered", "exploded", "received"])
def test_a_status_that_does_not_exist_means_nothing(status: str) -> None:
    assert receipt_of(status, "SM1", None) is None


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("1", 1.0),
        ("30", 30.0),
        ("0", SHORTEST_PAUSE_S),
        ("3600", LONGEST_PAUSE_S),
        ("9" * 400, PAUSE_S),
        ("", PAUSE_S),
        ("-1", PAUSE_S),
        ("1.5", PAUSE_S),
        ("²", PAUSE_S),
        ("Wed, 21 Oct 2026 07:28:00 GMT", PAUSE_S),
    ],
)
def test_a_pause_is_as_long_as_said_within_bounds(said: str, seconds: float) -> None:
    assert _pause(said) == seconds


def test_a_refusal_tells_the_operator_why() -> None:
    assert str(SendError(FAULTS[21211])) == "this is no telephone number"


async def test_no_number_and_no_word_of_a_message_stands_in_the_log(
    wave: Wave, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        await wave.alerts(2)
        wave.twilio.next(TOO_BUSY)
        await wave.sends()
    assert len(wave.twilio.messages) == 2
    ours = [record.getMessage() for record in caplog.records if record.name.startswith(("alerting", "web", "twilio"))]
    assert ours
    assert not [line for line in ours if number(0)[3:] in line or number(1)[3:] in line or "Golf" in line]
