"""Placing a call by Twilio, and what becomes of it: every end, every error, and answers that are lost."""

from __future__ import annotations

import pytest
from aiohttp import ClientSession
from yarl import URL

from actions.models import DeliveryState
from alerting.channels import Sending
from alerting.channels.twilio_voice import receipt_of
from alerting.errors import NEVER_ARRIVED, Unanswered
from stand_ins.twilio import BROKEN, TOO_BUSY, Behaviour
from stand_ins.twilio_voice import Callee
from tests.texts.wave import number
from tests.twilio_voice.round import CALLER_ID, Round


async def test_a_call_shows_our_number_rings_for_half_a_minute_and_is_led_from_our_public_address(
    calls: Round,
) -> None:
    await calls.calls_one(Callee())
    (form,) = calls.lines.call_requests
    (attempt,) = await calls.attempts()
    assert (form["To"], form["From"], form["Timeout"], form["TimeLimit"]) == (number(0), CALLER_ID, "30", "3600")
    assert form["Url"] == f"{calls.public_url}/hooks/twilio/voice/{attempt.id}"
    assert form["StatusCallback"] == f"{calls.public_url}/hooks/twilio/voice-status/{attempt.id}"
    assert (form["MachineDetection"], form["AsyncAmd"]) == ("Enable", "true")
    assert attempt.provider_id == calls.lines.calls[0].sid


@pytest.mark.parametrize(
    ("ends", "first", "reason"),
    [
        ("busy", DeliveryState.BUSY, "the line was busy"),
        ("no-answer", DeliveryState.NO_ANSWER, "nobody answered"),
        ("failed", DeliveryState.FAILED, "Twilio could not put the call through (it did not say why)"),
    ],
)
async def test_whom_it_did_not_reach_is_tried_again(calls: Round, ends: str, first: DeliveryState, reason: str) -> None:
    await calls.calls_one(Callee(ends=ends))
    assert await calls.state() == DeliveryState.SENDING
    (attempt,) = await calls.attempts()
    assert (attempt.state, attempt.error) == (first, reason)
    calls.lines.callees[number(0)] = Callee(keys=["2"])
    await calls.time_passes()
    await calls.sends()
    assert await calls.state() == DeliveryState.CONFIRMED


@pytest.mark.parametrize(
    ("status", "answered_by", "state"),
    [
        ("queued", "", DeliveryState.SENT),
        ("initiated", "", DeliveryState.SENT),
        ("ringing", "", DeliveryState.SENT),
        ("in-progress", "", DeliveryState.SENT),
        ("in-progress", "human", DeliveryState.SENT),
        ("completed", "", DeliveryState.ANSWERED),
        ("completed", "human", DeliveryState.ANSWERED),
        ("completed", "unknown", DeliveryState.ANSWERED),
        ("completed", "machine_start", DeliveryState.MACHINE),
        ("completed", "machine_end_beep", DeliveryState.MACHINE),
        ("completed", "machine_end_silence", DeliveryState.MACHINE),
        ("completed", "fax", DeliveryState.MACHINE),
        ("busy", "", DeliveryState.BUSY),
        ("no-answer", "", DeliveryState.NO_ANSWER),
        ("failed", "", DeliveryState.FAILED),
        ("canceled", "", DeliveryState.FAILED),
    ],
)
def test_every_status_of_twilio_has_one_meaning(status: str, answered_by: str, state: DeliveryState) -> None:
    receipt = receipt_of(status, "CA1", answered_by, None)
    assert receipt
    assert (receipt.state, receipt.provider_id, receipt.provider_status) == (state, "CA1", status)


def test_a_status_that_does_not_exist_means_nothing() -> None:
    assert receipt_of("answered-by-mars", "CA1", "", None) is None


def test_a_call_that_we_ended_is_not_tried_again() -> None:
    ended = receipt_of("canceled", "CA1", "", None)
    assert ended
    assert ended.fault
    assert not ended.fault.retryable


@pytest.mark.parametrize(
    ("code", "state", "reason"),
    [
        (21211, DeliveryState.FAILED, "this is no telephone number"),
        (21214, DeliveryState.FAILED, "this number cannot be called"),
        (21215, DeliveryState.FAILED, "our Twilio account may not call this country: allow it in the account"),
    ],
)
async def test_a_refusal_for_good_ends_the_delivery_with_its_reason(
    calls: Round, code: int, state: DeliveryState, reason: str
) -> None:
    calls.lines.usual = Behaviour(refuse=code)
    await calls.alerts(1)
    await calls.sends()
    (delivery,) = (await calls.deliveries()).values()
    assert (delivery.state, delivery.reason) == (state, reason)


async def test_when_twilio_is_too_busy_it_gets_its_pause_and_the_call_is_placed(calls: Round) -> None:
    calls.lines.next(TOO_BUSY)
    await calls.alerts(2)
    await calls.sends()
    assert set((await calls.states()).values()) == {DeliveryState.ANSWERED}
    assert len(await calls.attempts()) == 2


async def test_an_error_of_twilio_is_asked_after_before_anybody_is_called_again(calls: Round) -> None:
    calls.lines.next(BROKEN)
    await calls.alerts(1)
    await calls.sends()
    assert await calls.state() == DeliveryState.SENDING
    await calls.time_passes()
    await calls.sends()
    first, *_ = await calls.attempts()
    assert first.error == NEVER_ARRIVED.operator_message
    await calls.time_passes()
    await calls.sends()
    assert [await calls.state(), len(calls.lines.calls)] == [DeliveryState.ANSWERED, 1]


async def test_a_lost_answer_is_found_again_and_nobody_is_called_twice(calls: Round) -> None:
    calls.lines.next(Behaviour(lose_answer=True))
    await calls.alerts(1)
    await calls.sends()
    await calls.answer_is_lost()
    await calls.time_passes()
    await calls.sends()
    assert await calls.state() == DeliveryState.ANSWERED
    assert len(calls.lines.calls) == len(await calls.attempts()) == 1


async def test_what_became_of_a_lost_answer_is_told_by_the_callbacks_too(calls: Round) -> None:
    calls.lines.next(Behaviour(lose_answer=True))
    await calls.alerts(1)
    await calls.sends()
    assert await calls.state() == DeliveryState.ANSWERED


async def test_another_call_to_the_same_number_is_not_taken_for_the_lost_one(calls: Round) -> None:
    call = await calls.calls_one(Callee())
    (attempt,) = await calls.attempts()
    notice = (await calls.worker().step()) or None
    assert notice is None
    sending = Sending("0" * 32, number(0), None, attempt.started_at, frozenset({call.sid}))  # type: ignore[arg-type]
    assert await calls.channel().find(sending) is None


async def test_while_twilio_tells_nothing_nobody_knows(calls: Round) -> None:
    await calls.calls_one(Callee())
    (attempt,) = await calls.attempts()
    calls.lines.auth_token = "changed"
    sending = Sending(attempt.id, number(0), None, attempt.started_at, frozenset())  # type: ignore[arg-type]
    with pytest.raises(Unanswered):
        await calls.channel().find(sending)


async def test_reports_that_come_twice_change_nothing(calls: Round) -> None:
    calls.lines.usual = Behaviour(callback_copies=3)
    await calls.calls_one(Callee(ends="busy"))
    await calls.time_passes()
    await calls.sends()
    assert [attempt.number for attempt in await calls.attempts()] == [1, 2]


async def test_forged_reports_change_nothing(calls: Round) -> None:
    calls.lines.usual = Behaviour(forged=True)
    await calls.calls_one(Callee(ends="busy"))
    assert await calls.state() == DeliveryState.SENT
    assert calls.lines.callbacks[-1].answer == 403


async def test_nobody_outside_the_allowed_ranges_is_called(calls: Round) -> None:
    await calls.lives("+31900123456")
    await calls.starts()
    await calls.sends()
    assert calls.lines.call_requests == []
    assert await calls.state() == DeliveryState.FAILED


async def test_no_number_is_in_an_address_that_is_fetched(calls: Round) -> None:
    await calls.calls_one(Callee(keys=["*", "1"]))
    addresses = [URL(callback.url) for callback in calls.lines.callbacks]
    assert addresses
    assert not any(number(0)[3:] in str(address) for address in addresses)
    async with ClientSession() as session, session.get(f"{calls.public_url}/hooks/twilio/voice") as answer:
        assert answer.status == 404
