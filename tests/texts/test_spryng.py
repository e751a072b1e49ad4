"""Spryng: what its answers and reports mean, over its real protocol."""

from __future__ import annotations

from itertools import permutations

import pytest
from aiohttp import ClientSession

from actions.models import Attempt, DeliveryState, MessageKind, now
from alerting.channels import Sending
from alerting.channels.spryng import FAULTY, REASONS, REFUSED, SpryngSms, fault_of, receipt_of
from alerting.errors import Fault, SendError, TooMany, Unanswered, Whose
from alerting.renditions import Notice
from stand_ins.spryng import SILENT, Behaviour, Spryng
from tests.texts.conftest import SECRET
from tests.texts.wave import Wave, number
from web.hooks.spryng import STATUS

GOLF = Notice(MessageKind.ALERT, "427", "nl", "de blauwe Golf", "Gezien op de Coolsingel.")
ATTEMPT = "a" * 32


def sending(to: str = number(0), notice: Notice = GOLF, attempt: str = ATTEMPT) -> Sending:
    return Sending(attempt, to, notice, now(), frozenset())


async def refused(channel: SpryngSms, to: str = number(0)) -> SendError:
    with pytest.raises(SendError) as refusal:
        await channel.send(sending(to))
    return refusal.value


@pytest.mark.parametrize(
    ("body", "encoding"),
    [("Gezien op de Coolsingel.", "plain"), ("Café, 100 € beloning?", "plain"), ("Gezien bij Škoda.", "unicode")],
)
async def test_it_is_asked_in_its_own_words(by_spryng: SpryngSms, spryng: Spryng, body: str, encoding: str) -> None:
    receipt = await by_spryng.send(sending(notice=Notice(MessageKind.ALERT, "427", "nl", "de Golf", body)))
    (asked,) = spryng.requests
    assert body in asked.pop("body")
    assert asked == {
        "encoding": encoding,
        "route": "business",
        "originator": "Burgernet",
        "recipients": [number(0).lstrip("+")],
        "reference": ATTEMPT,
    }
    assert (receipt.state, receipt.provider_id) == (DeliveryState.SENT, spryng.messages[0]["id"])


@pytest.mark.parametrize(
    ("status", "whose", "retryable", "pauses"),
    [
        (401, Whose.US, True, True),
        (402, Whose.US, True, True),
        (404, Whose.US, True, True),
        (429, Whose.PROVIDER, True, True),
    ],
)
async def test_a_refusal_tells_whose_fault_it_is_and_how_long_to_wait(
    by_spryng: SpryngSms, spryng: Spryng, status: int, whose: Whose, retryable: bool, pauses: bool
) -> None:
    spryng.usual = Behaviour(refuse=status, retry_after_s=7)
    refusal = await refused(by_spryng)
    assert (refusal.fault.whose_fault, refusal.fault.retryable, refusal.pause_s > 0) == (whose, retryable, pauses)
    assert isinstance(refusal, TooMany) is (status == 429)
    assert status != 429 or refusal.pause_s == 7


async def test_a_wrong_key_is_ours_to_repair(spryng: Spryng) -> None:
    stranger = SpryngSms("another key", "Burgernet", "0800-0011", spryng.url)
    refusal = await refused(stranger)
    assert "BURGERNET_SPRYNG_API_KEY" in refusal.fault.operator_message
    await stranger.close()


@pytest.mark.parametrize(
    ("to", "sender", "fault"),
    [("+0", "Burgernet", FAULTY["recipients"]), (number(0), "Burger-net", FAULTY["originator"])],
)
async def test_a_field_that_it_finds_faulty_tells_whose_fault_it_is(
    spryng: Spryng, to: str, sender: str, fault: Fault
) -> None:
    channel = SpryngSms(spryng.key, sender, "0800-0011", spryng.url)
    refusal = await refused(channel, to=to)
    assert (refusal.fault, refusal.pause_s > 0) == (fault, fault.whose_fault is Whose.US)
    await channel.close()


@pytest.mark.parametrize(
    "behaviour",
    [Behaviour(refuse=500), Behaviour(refuse=503), Behaviour(lose_answer=True, reports=()), Behaviour(garble=True)],
)
async def test_without_a_clear_answer_it_is_asked_and_finds_what_it_took(
    by_spryng: SpryngSms, spryng: Spryng, behaviour: Behaviour
) -> None:
    spryng.next(behaviour)
    with pytest.raises(Unanswered):
        await by_spryng.send(sending())
    found = await by_spryng.find(sending())
    taken = spryng.messages[0]["id"] if spryng.messages else None
    assert (found.provider_id if found else None) == taken


async def test_a_list_that_ignores_what_it_was_asked_for_shows_no_text_of_others(
    by_spryng: SpryngSms, spryng: Spryng
) -> None:
    await by_spryng.send(sending(attempt="b" * 32))
    spryng.messages[0]["reference"] = ATTEMPT.upper()
    assert await by_spryng.find(sending()) is None


@pytest.mark.parametrize("key", ["wrong", ""])
async def test_one_that_does_not_tell_is_asked_again(spryng: Spryng, key: str) -> None:
    stranger = SpryngSms(key, "Burgernet", "0800-0011", spryng.url)
    with pytest.raises(Unanswered):
        await stranger.find(sending())
    await stranger.close()


async def test_one_that_cannot_be_reached_took_nothing() -> None:
    channel = SpryngSms("key", "Burgernet", "0800-0011", "http://127.0.0.1:1/v1")
    refusal = await refused(channel)
    assert (refusal.fault.whose_fault, refusal.pause_s > 0) == (Whose.PROVIDER, True)
    await channel.close()


# --- its words -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "retryable", "whose"),
    [
        ("20", True, Whose.RECIPIENT),
        ("21", False, Whose.RECIPIENT),
        ("22", True, Whose.PROVIDER),
        ("31", False, Whose.RECIPIENT),
        ("32", False, Whose.US),
        ("99", True, Whose.PROVIDER),
        ("", True, Whose.PROVIDER),
    ],
)
def test_a_reason_tells_whether_to_try_again_and_whose_fault_it_is(reason: str, retryable: bool, whose: Whose) -> None:
    receipt = receipt_of("20", reason)
    assert receipt.state == DeliveryState.FAILED
    assert receipt.fault == fault_of(reason)
    assert (fault_of(reason).retryable, fault_of(reason).whose_fault) == (retryable, whose)


@pytest.mark.parametrize(
    ("status", "state"), [("10", DeliveryState.DELIVERED), ("0", DeliveryState.SENT), ("30", DeliveryState.SENT)]
)
def test_a_status_tells_how_far_it_is(status: str, state: DeliveryState) -> None:
    assert (receipt_of(status, "0").state, receipt_of(status, "0").fault) == (state, None)


@pytest.mark.parametrize("fault", [*REASONS.values(), *REFUSED.values(), *FAULTY.values()])
def test_every_fault_is_told_in_words_that_fit_the_books(fault: Fault) -> None:
    assert 10 < len(fault.operator_message) <= 200


# --- its reports -----------------------------------------------------------------------------------------------------


async def one_sent(wave: Wave, by_spryng: SpryngSms, spryng: Spryng) -> Attempt:
    """An attempt of which nothing is reported but that it was taken."""
    spryng.usual = SILENT
    await wave.alerts(1)
    await wave.sends(wave.worker(by_spryng))
    (attempt,) = await wave.attempts()
    return attempt


async def tells(wave: Wave, *, secret: str = SECRET, **report: str) -> int:
    url = f"{wave.public_url}{STATUS}/{secret}"
    async with ClientSession() as session, session.get(url, params=report) as response:
        return response.status


@pytest.mark.parametrize("order", list(permutations([("0", ""), ("20", "20"), ("10", "0")])))
async def test_in_whatever_order_the_reports_come_the_end_is_delivered(
    wave: Wave, by_spryng: SpryngSms, spryng: Spryng, order: tuple[tuple[str, str], ...]
) -> None:
    attempt = await one_sent(wave, by_spryng, spryng)
    for status, reason in order:
        assert await tells(wave, REFERENCE=attempt.id, STATUS=status, REASONCODE=reason) == 200
    assert await wave.state() == DeliveryState.DELIVERED


@pytest.mark.parametrize(
    "behaviour",
    [
        Behaviour(reports_first=True),
        Behaviour(copies=3),
        Behaviour(reports=(("10", "0"), ("0", ""))),
        Behaviour(lose_answer=True),
    ],
)
async def test_reports_before_the_answer_twice_backwards_or_without_one_make_it_delivered_once(
    wave: Wave, by_spryng: SpryngSms, spryng: Spryng, behaviour: Behaviour
) -> None:
    spryng.usual = behaviour
    await wave.alerts(1)
    await wave.sends(wave.worker(by_spryng))
    await spryng.settled()
    assert {answer for _, answer in spryng.reports} == {200}
    assert (await wave.state(), len(spryng.messages)) == (DeliveryState.DELIVERED, 1)


async def test_a_report_with_another_secret_changes_nothing(wave: Wave, by_spryng: SpryngSms, spryng: Spryng) -> None:
    spryng.usual = Behaviour(forged=True)
    await wave.alerts(1)
    await wave.sends(wave.worker(by_spryng))
    await spryng.settled()
    assert [answer for _, answer in spryng.reports] == [403]
    assert await wave.state() == DeliveryState.SENT


@pytest.mark.parametrize(
    ("report", "status"),
    [
        ({"REFERENCE": "f" * 32, "STATUS": "10"}, 404),
        ({"REFERENCE": "x", "STATUS": "10"}, 400),
        ({"STATUS": "10"}, 400),
        ({"REFERENCE": "f" * 32}, 400),
        ({"REFERENCE": "f" * 32, "STATUS": "delivered"}, 400),
    ],
)
async def test_what_is_no_report_of_ours_is_refused(wave: Wave, report: dict[str, str], status: int) -> None:
    assert await tells(wave, **report) == status


async def test_without_a_secret_nobody_can_report(wave: Wave) -> None:
    assert await tells(wave, secret="", REFERENCE="f" * 32, STATUS="10") == 404
