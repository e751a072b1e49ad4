"""What Twilio, or somebody who says so, may ask of the hooks: signed over the public address, known, bounded."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import ClientSession

from actions.models import Attempt, DeliveryState
from burgernet.embedded import free_port
from stand_ins.twilio import signature
from stand_ins.twilio_voice import Callee
from tests.texts.wave import Unsteady, number
from tests.twilio_voice.conftest import TOKEN
from tests.twilio_voice.round import NL, Round, hooks, served
from web.hooks.twilio_calls import STATUS
from web.hooks.twilio_voice import CONVERSATION

SID = f"CA{'1' * 32}"
FORM = {"CallSid": SID, "CallStatus": "in-progress", "From": "+31101234567", "To": number(0)}
TURNS = ("", "/pressed", "/withdrawn", "/connected", "/recorded", "/recording", "/answered-by")
UNKNOWN = "0" * 32


async def post(
    url: str, form: dict[str, str], *, token: str = TOKEN, signed_url: str | None = None, **headers: Any
) -> tuple[int, str]:
    """The HTTP status and the body."""
    signed = {"X-Twilio-Signature": signature(token, signed_url or url, form)}
    typed = {"Content-Type": "application/x-www-form-urlencoded"}
    together = {**typed, **signed, **headers}
    async with ClientSession(headers=together) as session, session.post(url, data=urlencode(form)) as answer:
        return answer.status, await answer.text()


async def one_ringing(calls: Round) -> Attempt:
    """An attempt of which Twilio said nothing but that it took it."""
    await calls.calls_one(Callee(ends="failed"))
    await calls.answer_is_lost()
    (attempt,) = await calls.attempts()
    return attempt


def address(calls: Round, attempt: str, turn: str, query: str = "") -> str:
    return f"{calls.public_url}{CONVERSATION}/{attempt}{turn}{query}"


@pytest.mark.parametrize("turn", TURNS)
async def test_a_forged_turn_is_refused(calls: Round, turn: str) -> None:
    attempt = await one_ringing(calls)
    form = {**FORM, "Digits": "9", "AnsweredBy": "machine_start"}
    status, _ = await post(address(calls, attempt.id, turn), form, token="another")
    assert status == 403
    assert (await calls.state(), await calls.withdrawn()) == (DeliveryState.SENDING, 0)


async def test_a_signature_over_another_address_is_refused(calls: Round) -> None:
    attempt = await one_ringing(calls)
    mine, other = address(calls, attempt.id, "/pressed"), address(calls, UNKNOWN, "/pressed")
    assert (await post(mine, {**FORM, "Digits": "9"}, signed_url=other))[0] == 403


async def test_a_signature_covers_what_stands_behind_the_question_mark(calls: Round) -> None:
    attempt = await one_ringing(calls)
    signed = address(calls, attempt.id, "/pressed", "?language=nl&told=4")
    sent = address(calls, attempt.id, "/pressed", "?language=nl&told=1")
    assert (await post(sent, {**FORM, "Digits": "2"}, signed_url=signed))[0] == 403


@pytest.mark.parametrize("turn", TURNS)
async def test_an_attempt_that_does_not_exist_is_not_found(calls: Round, turn: str) -> None:
    form = {**FORM, "Digits": "9", "AnsweredBy": "human", "RecordingDuration": "3"}
    assert (await post(address(calls, UNKNOWN, turn), form))[0] == 404


async def test_a_status_of_an_attempt_that_does_not_exist_is_not_found(calls: Round) -> None:
    assert (await post(f"{calls.public_url}{STATUS}/{UNKNOWN}", {**FORM, "CallStatus": "busy"}))[0] == 404


@pytest.mark.parametrize(
    "form",
    [
        {**FORM, "CallSid": ""},
        {**FORM, "CallSid": "SM" + "1" * 32},
        {**FORM, "CallSid": "CA" + "1" * 500},
        {**FORM, "CallSid": "'; drop table call; --"},
        {name: value for name, value in FORM.items() if name != "CallSid"},
    ],
)
async def test_a_form_without_the_id_of_a_call_is_no_turn(calls: Round, form: dict[str, str]) -> None:
    attempt = await one_ringing(calls)
    assert (await post(address(calls, attempt.id, ""), form))[0] == 400
    assert (await post(f"{calls.public_url}{STATUS}/{attempt.id}", {**form, "CallStatus": "busy"}))[0] == 400


@pytest.mark.parametrize("status", ["", "answered", "COMPLETED", "x" * 1000])
async def test_a_status_that_does_not_exist_is_refused(calls: Round, status: str) -> None:
    attempt = await one_ringing(calls)
    assert (await post(f"{calls.public_url}{STATUS}/{attempt.id}", {**FORM, "CallStatus": status}))[0] == 400
    assert await calls.state() == DeliveryState.SENDING


async def test_a_form_that_is_too_large_is_refused(calls: Round) -> None:
    attempt = await one_ringing(calls)
    assert (await post(address(calls, attempt.id, "/pressed"), {**FORM, "Digits": "1" * 20_000}))[0] == 413


@pytest.mark.parametrize("query", ["?language=kl", "?language=", "?language=../../etc"])
async def test_a_language_that_we_do_not_speak_is_refused(calls: Round, query: str) -> None:
    attempt = await one_ringing(calls)
    assert (await post(address(calls, attempt.id, "/pressed", query), FORM))[0] == 400


@pytest.mark.parametrize("told", ["-1", "1e9", "9" * 400, "four", "²"])
async def test_a_count_that_is_none_ends_the_telling(calls: Round, told: str) -> None:
    attempt = await one_ringing(calls)
    url = address(calls, attempt.id, "/pressed", f"?{urlencode({'language': 'nl', 'told': told})}")
    status, said = await post(url, {**FORM, "Digits": "2"})
    assert status == 200
    assert "<Gather" not in said


@pytest.mark.parametrize("keys", ["12", "1#", "22222222", "2 "])
async def test_of_several_keys_at_once_the_first_counts(calls: Round, keys: str) -> None:
    attempt = await one_ringing(calls)
    url = address(calls, attempt.id, "/pressed", "?language=nl&told=1")
    _, said = await post(url, {**FORM, "Digits": keys})
    assert ("<Dial" in said, "<Gather" in said) == (keys[0] == "1", keys[0] == "2")


@pytest.mark.parametrize("method", ["get", "put", "delete"])
async def test_only_a_post_is_a_turn(calls: Round, method: str) -> None:
    async with ClientSession() as session, session.request(method, address(calls, UNKNOWN, "")) as answer:
        assert answer.status == 405


@pytest.mark.parametrize("path", ["sound/nl", "sound/en", "sound/xx", "sound/../../etc", "sound/"])
async def test_a_recording_that_does_not_exist_is_not_found(calls: Round, path: str) -> None:
    attempt = await one_ringing(calls)
    for known in (attempt.id, UNKNOWN):
        url = address(calls, known, f"/{path}")
        async with ClientSession() as session, session.get(url) as answer:
            assert answer.status == 404


async def test_key_9_twice_by_a_repeated_request_signs_nobody_off(calls: Round) -> None:
    attempt = await one_ringing(calls)
    url = address(calls, attempt.id, "/pressed", "?language=nl&told=1")
    for _ in range(2):
        assert (await post(url, {**FORM, "Digits": "9"}))[0] == 200
    assert (await calls.withdrawn(), await calls.opted_out()) == (1, False)


async def test_a_machine_told_of_before_the_end_stays_a_machine(calls: Round) -> None:
    attempt = await one_ringing(calls)
    machine = {"CallSid": SID, "AnsweredBy": "machine_start"}
    assert (await post(address(calls, attempt.id, "/answered-by"), machine))[0] == 204
    assert (await post(f"{calls.public_url}{STATUS}/{attempt.id}", {**FORM, "CallStatus": "completed"}))[0] == 204
    assert await calls.state() == DeliveryState.MACHINE


async def test_busy_told_after_a_key_was_pressed_changes_nothing(calls: Round) -> None:
    attempt = await one_ringing(calls)
    await post(address(calls, attempt.id, "/pressed", "?language=nl&told=1"), {**FORM, "Digits": "2"})
    assert (await post(f"{calls.public_url}{STATUS}/{attempt.id}", {**FORM, "CallStatus": "busy"}))[0] == 204
    assert await calls.state() == DeliveryState.CONFIRMED


async def test_while_the_database_is_away_who_listens_hears_so_and_reports_are_asked_again(calls: Round) -> None:
    attempt = await one_ringing(calls)
    store = Unsteady(calls.store)
    store.unreadable, store.refuses_writes = True, 1
    port = free_port()
    calls.store, calls.public_url = store, f"http://127.0.0.1:{port}"
    runner = await served(hooks(calls, TOKEN), port)
    try:
        status, said = await post(address(calls, attempt.id, ""), FORM)
        assert (status, NL["not-now"] in said, "<Hangup" in said) == (200, True, True)
        assert (await post(f"{calls.public_url}{STATUS}/{attempt.id}", {**FORM, "CallStatus": "busy"}))[0] == 503
        assert (await post(address(calls, attempt.id, "/recording"), FORM))[0] == 503
    finally:
        await runner.cleanup()


async def test_without_an_address_of_our_exchange_key_1_leads_to_a_tip(calls: Round) -> None:
    attempt = await one_ringing(calls)
    port = free_port()
    calls.public_url = f"http://127.0.0.1:{port}"
    runner = await served(hooks(calls, TOKEN, sip=""), port)
    try:
        url = address(calls, attempt.id, "/pressed", "?language=nl&told=1")
        _, said = await post(url, {**FORM, "Digits": "1"})
    finally:
        await runner.cleanup()
    assert ("<Dial" in said, "<Record" in said, NL["leave-tip"] in said) == (False, True, True)


async def test_without_a_token_there_is_nothing_to_ask(calls: Round) -> None:
    assert len(hooks(calls, "").router.routes()) == 0
