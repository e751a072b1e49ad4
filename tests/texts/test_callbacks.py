"""What a provider reports afterwards: late, early, twice and in any order, always with the right end."""

from __future__ import annotations

from itertools import permutations

import pytest
from aiohttp import ClientSession

from actions.models import DeliveryState
from stand_ins.twilio import Behaviour, signature
from tests.texts.conftest import TOKEN
from tests.texts.reports import SID, one_sent, tells
from tests.texts.wave import Wave
from web.hooks.twilio import STATUS


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


async def test_a_failure_reported_twice_takes_one_attempt_only(wave: Wave) -> None:
    wave.twilio.usual = Behaviour(statuses=(("undelivered", 30003),), callback_copies=2)
    await wave.alerts(1)
    await wave.sends()
    await wave.time_passes()
    await wave.sends()
    assert [attempt.number for attempt in await wave.attempts()] == [1, 2]


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


# --- signatures -------------------------------------------------------------------------------------------------------


async def test_a_signature_of_one_report_does_not_fit_another(wave: Wave) -> None:
    attempt = await one_sent(wave)
    url = f"{wave.public_url}{STATUS}/{attempt.id}"
    signed = signature(TOKEN, url, {"MessageSid": SID, "MessageStatus": "sent"})
    form = {"MessageSid": SID, "MessageStatus": "delivered"}
    headers = {"X-Twilio-Signature": signed}
    async with ClientSession() as session, session.post(url, data=form, headers=headers) as response:
        assert response.status == 403


async def test_the_signature_is_over_the_public_address_whatever_host_a_proxy_names(wave: Wave) -> None:
    attempt = await one_sent(wave)
    assert await tells(wave, attempt, "delivered", Host="inside.example") == 204
    assert await tells(wave, attempt, "delivered", signed_url=f"http://inside.example{STATUS}/{attempt.id}") == 403
