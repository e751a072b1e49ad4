"""What a provider reports afterwards: signed, late, early, twice and in any order, always with the right end."""

from __future__ import annotations

from itertools import permutations
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import ClientSession, web

from actions.models import Attempt, DeliveryState
from actions.store import Store
from burgernet.embedded import free_port
from stand_ins.twilio import BACKWARDS, SILENT, Behaviour, signature
from tests.texts.conftest import TOKEN
from tests.texts.wave import Unsteady, Wave
from web.hooks import twilio as hooks
from web.hooks.twilio import STATUS
from web.server import application

SID = "SM00000000000000000000000000000001"
FORM = "application/x-www-form-urlencoded"


async def one_sent(wave: Wave) -> Attempt:
    """An attempt of which the provider said nothing but that it took it."""
    wave.twilio.usual = SILENT
    await wave.alerts(1)
    await wave.sends()
    (attempt,) = await wave.attempts()
    return attempt


async def post(
    url: str, form: dict[str, str], *, token: str = TOKEN, signed_url: str | None = None, **more: Any
) -> int:
    """The HTTP status that a callback gets."""
    headers = {"X-Twilio-Signature": signature(token, signed_url or url, form), "Content-Type": FORM, **more}
    async with ClientSession() as session, session.post(url, data=urlencode(form), headers=headers) as response:
        return response.status


async def tells(wave: Wave, attempt: Attempt, status: str, code: str = "", **more: Any) -> int:
    form = {"MessageSid": SID, "MessageStatus": status} | ({"ErrorCode": code} if code else {})
    return await post(f"{wave.public_url}{STATUS}/{attempt.id}", form, **more)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("accepted", DeliveryState.SENT),
        ("queued", DeliveryState.SENT),
        ("sending", DeliveryState.SENT),
        ("sent", DeliveryState.SENT),
        ("delivered", DeliveryState.DELIVERED),
        ("read", DeliveryState.DELIVERED),
    ],
)
async def test_a_status_moves_the_delivery(wave: Wave, status: str, state: DeliveryState) -> None:
    attempt = await one_sent(wave)
    assert await tells(wave, attempt, status) == 204
    assert await wave.state() == state


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        ("undelivered", "30005", "this number is not in use"),
        ("undelivered", "30006", "this is a land line, or its carrier takes no texts"),
        ("failed", "30007", "the carrier took the message for unwanted mail"),
        ("undelivered", "21610", "this number answered STOP"),
    ],
)
async def test_a_failure_for_good_ends_the_delivery_with_its_reason(
    wave: Wave, status: str, code: str, reason: str
) -> None:
    attempt = await one_sent(wave)
    assert await tells(wave, attempt, status, code) == 204
    (delivery,) = (await wave.deliveries()).values()
    assert (delivery.state, delivery.reason) == (DeliveryState.FAILED, reason)


@pytest.mark.parametrize("code", ["30003", "30008", "99999", ""])
async def test_a_failure_for_now_leaves_a_second_try(wave: Wave, code: str) -> None:
    attempt = await one_sent(wave)
    assert await tells(wave, attempt, "undelivered", code) == 204
    assert await wave.state() == DeliveryState.SENDING
    await wave.time_passes()
    await wave.sends()
    assert [attempt.number for attempt in await wave.attempts()] == [1, 2]


# --- late, double, early, in any order -------------------------------------------------------------------------------


@pytest.mark.parametrize("order", list(permutations(["queued", "sent", "delivered"])))
async def test_in_whatever_order_the_reports_come_the_end_is_delivered(wave: Wave, order: tuple[str, ...]) -> None:
    attempt = await one_sent(wave)
    for status in order:
        assert await tells(wave, attempt, status) == 204
    assert await wave.state() == DeliveryState.DELIVERED


async def test_reports_told_backwards_by_the_provider_end_in_delivered(wave: Wave) -> None:
    wave.twilio.usual = BACKWARDS
    await wave.alerts(2)
    await wave.sends()
    assert set((await wave.states()).values()) == {DeliveryState.DELIVERED}
    assert {callback.answer for callback in wave.twilio.callbacks} == {204}


async def test_every_report_twice_changes_nothing(wave: Wave) -> None:
    wave.twilio.usual = Behaviour(callback_copies=2)
    await wave.alerts(2)
    await wave.sends()
    assert len(wave.twilio.callbacks) == 12
    assert set((await wave.states()).values()) == {DeliveryState.DELIVERED}
    assert len(await wave.attempts()) == 2


async def test_a_failure_reported_twice_takes_one_attempt_only(wave: Wave) -> None:
    wave.twilio.usual = Behaviour(statuses=(("undelivered", 30003),), callback_copies=2)
    await wave.alerts(1)
    await wave.sends()
    await wave.time_passes()
    await wave.sends()
    assert [attempt.number for attempt in await wave.attempts()] == [1, 2]


async def test_reports_before_the_answer_to_the_request_count(wave: Wave) -> None:
    wave.twilio.usual = Behaviour(callbacks_first=True)
    await wave.alerts(2)
    await wave.sends()
    assert {callback.answer for callback in wave.twilio.callbacks} == {204}
    assert set((await wave.states()).values()) == {DeliveryState.DELIVERED}


async def test_a_report_makes_an_attempt_known_of_which_the_answer_was_lost(wave: Wave) -> None:
    wave.twilio.usual = Behaviour(lose_answer=True)
    await wave.alerts(1)
    await wave.sends()
    (attempt,) = await wave.attempts()
    assert attempt.provider_id == wave.twilio.messages[0]["sid"]
    assert await wave.state() == DeliveryState.DELIVERED


async def test_delivered_after_failed_is_delivered_and_not_tried_again(wave: Wave) -> None:
    attempt = await one_sent(wave)
    await tells(wave, attempt, "undelivered", "30003")
    await tells(wave, attempt, "delivered")
    await wave.time_passes()
    await wave.sends()
    assert await wave.state() == DeliveryState.DELIVERED
    assert len(await wave.attempts()) == 1


async def test_the_late_failure_of_a_first_try_does_not_undo_the_second(wave: Wave) -> None:
    attempt = await one_sent(wave)
    await tells(wave, attempt, "undelivered", "30003")
    await wave.time_passes()
    await wave.sends()
    first, second = await wave.attempts()
    await tells(wave, second, "delivered")
    await tells(wave, first, "failed", "30005")
    assert await wave.state() == DeliveryState.DELIVERED


async def test_the_late_success_of_a_first_try_counts_while_the_second_is_under_way(wave: Wave) -> None:
    attempt = await one_sent(wave)
    await tells(wave, attempt, "undelivered", "30003")
    await wave.time_passes()
    await wave.sends()
    first, second = await wave.attempts()
    await tells(wave, first, "delivered")
    await tells(wave, second, "undelivered", "30005")
    assert await wave.state() == DeliveryState.DELIVERED


# --- forged and malformed --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["", "of somebody else", TOKEN.upper()])
async def test_a_forged_report_is_refused_and_changes_nothing(wave: Wave, token: str) -> None:
    attempt = await one_sent(wave)
    assert await tells(wave, attempt, "delivered", token=token) == 403
    assert await wave.state() == DeliveryState.SENT


async def test_a_report_without_a_signature_is_refused(wave: Wave) -> None:
    attempt = await one_sent(wave)
    form = {"MessageSid": SID, "MessageStatus": "delivered"}
    url = f"{wave.public_url}{STATUS}/{attempt.id}"
    async with ClientSession() as session, session.post(url, data=form) as response:
        assert response.status == 403
    assert await wave.state() == DeliveryState.SENT


async def test_a_signature_of_one_report_does_not_fit_another(wave: Wave) -> None:
    attempt = await one_sent(wave)
    url = f"{wave.public_url}{STATUS}/{attempt.id}"
    signed = signature(TOKEN, url, {"MessageSid": SID, "MessageStatus": "sent"})
    form = {"MessageSid": SID, "MessageStatus": "delivered"}
    headers = {"X-Twilio-Signature": signed}
    async with ClientSession() as session, session.post(url, data=form, headers=headers) as response:
        assert response.status == 403


async def test_forged_reports_of_the_provider_itself_get_no_hearing(wave: Wave) -> None:
    wave.twilio.usual = Behaviour(forged=True)
    await wave.alerts(1)
    await wave.sends()
    assert {callback.answer for callback in wave.twilio.callbacks} == {403}
    assert await wave.state() == DeliveryState.SENT


async def test_the_signature_is_over_the_public_address_whatever_host_a_proxy_names(wave: Wave) -> None:
    attempt = await one_sent(wave)
    assert await tells(wave, attempt, "delivered", Host="inside.example") == 204
    assert await tells(wave, attempt, "delivered", signed_url=f"http://inside.example{STATUS}/{attempt.id}") == 403


@pytest.mark.parametrize("unknown", ["0" * 32, "f" * 32])
async def test_an_attempt_that_does_not_exist_is_not_found(wave: Wave, unknown: str) -> None:
    form = {"MessageSid": SID, "MessageStatus": "delivered"}
    assert await post(f"{wave.public_url}{STATUS}/{unknown}", form) == 404


@pytest.mark.parametrize("odd", ["1", "x" * 32, "0" * 31, "0" * 33, "%00", "..%2F..%2Fetc"])
async def test_what_cannot_be_an_attempt_is_not_found(wave: Wave, odd: str) -> None:
    form = {"MessageSid": SID, "MessageStatus": "delivered"}
    assert await post(f"{wave.public_url}{STATUS}/{odd}", form) == 404


@pytest.mark.parametrize(
    "form",
    [
        {"MessageSid": SID},
        {"MessageSid": SID, "MessageStatus": ""},
        {"MessageSid": SID, "MessageStatus": "exploded"},
        {"MessageStatus": "delivered"},
        {"MessageSid": "no id at all!", "MessageStatus": "delivered"},
        {"MessageSid": "S" * 65, "MessageStatus": "delivered"},
    ],
)
async def test_a_signed_form_that_is_no_report_is_refused(wave: Wave, form: dict[str, str]) -> None:
    attempt = await one_sent(wave)
    assert await post(f"{wave.public_url}{STATUS}/{attempt.id}", form) == 400
    assert await wave.state() == DeliveryState.SENT


@pytest.mark.parametrize("code", ["9" * 5000, "-1", "abc", "٣", ""])
async def test_an_absurd_error_code_is_a_failure_without_one(wave: Wave, code: str) -> None:
    attempt = await one_sent(wave)
    form = {"MessageSid": SID, "MessageStatus": "failed", "ErrorCode": code}
    assert await post(f"{wave.public_url}{STATUS}/{attempt.id}", form) == 204
    (known,) = await wave.attempts()
    assert known.error == "Twilio could not deliver it (error unknown)"


async def test_a_body_without_end_is_refused(wave: Wave) -> None:
    attempt = await one_sent(wave)
    form = {"MessageSid": SID, "MessageStatus": "delivered", "More": "x" * 100_000}
    assert await post(f"{wave.public_url}{STATUS}/{attempt.id}", form) == 413
    assert await wave.state() == DeliveryState.SENT


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "text/plain"])
async def test_a_body_that_is_no_form_is_refused(wave: Wave, kind: str) -> None:
    attempt = await one_sent(wave)
    assert await tells(wave, attempt, "delivered", **{"Content-Type": kind}) == 400


async def test_a_report_is_posted_and_nothing_else(wave: Wave) -> None:
    attempt = await one_sent(wave)
    async with ClientSession() as session:
        for method in ("GET", "PUT", "DELETE"):
            async with session.request(method, f"{wave.public_url}{STATUS}/{attempt.id}") as response:
                assert response.status == 405


def test_without_a_token_there_are_no_callbacks_that_anybody_could_sign(sqlite_url: str) -> None:
    assert hooks.routes(Store.open(sqlite_url), "", "https://burgernet.example") == []


async def test_while_the_database_is_away_the_provider_is_asked_to_come_again(wave: Wave) -> None:
    attempt = await one_sent(wave)
    store = Unsteady(wave.store)
    store.refuses_writes = 1
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    runner = web.AppRunner(application(hooks.routes(store, TOKEN, url)), access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    form = {"MessageSid": SID, "MessageStatus": "delivered"}
    try:
        assert await post(f"{url}{STATUS}/{attempt.id}", form) == 503
        assert await post(f"{url}{STATUS}/{attempt.id}", form) == 204
    finally:
        await runner.cleanup()
    assert await wave.state() == DeliveryState.DELIVERED
