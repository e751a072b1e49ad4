"""Reports that are none: forged, malformed, absurd. None of them changes anything; the database plays no part in it."""

from __future__ import annotations

import pytest
from aiohttp import ClientSession

from actions.models import DeliveryState
from actions.store import Store
from stand_ins.twilio import Behaviour, signature
from tests.texts.conftest import TOKEN
from tests.texts.reports import SID, one_sent, post, tells
from tests.texts.wave import Wave
from web.hooks import twilio as hooks
from web.hooks.twilio import STATUS


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database is enough: what is refused here never comes near it."""
    return sqlite_url


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
