"""One notification by the real protocol: sealed for one browser, signed for its push service, sent nowhere else."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.models import DeliveryState, Kind, MessageKind, now
from actions.vault import Vault
from alerting.channels import Sending
from alerting.channels.aes128gcm import sealed
from alerting.channels.push import (
    BROKEN,
    FAILED,
    GONE,
    NOT_ALLOWED,
    NOT_THERE,
    OUR_KEY,
    TOO_LARGE,
    TOO_MANY,
    Places,
    Push,
    headers_of,
)
from alerting.channels.push_hosts import origin_allowed
from alerting.channels.vapid import RENEWED_S, BadVapidKey, Vapid, new_key
from alerting.errors import Fault, SendError, Unanswered
from alerting.passes import Passes, Use
from alerting.renditions import Notice
from burgernet.channel_settings import PUSH_SERVICES
from burgernet.embedded import free_port
from stand_ins.push_service import Browser, PushService, Refusal, decoded, encoded

PASSES = Passes(Vault({1: bytes(32)}))
PLACES = Places("https://b.example", "https://www.burgernet.example", "0800-0011")
CONTACT = "mailto:beheer@burgernet.example"


@pytest.fixture
async def service() -> AsyncIterator[PushService]:
    async with PushService() as service:
        yield service


@pytest.fixture
def vapid() -> Vapid:
    return Vapid(new_key(), CONTACT)


@pytest.fixture
async def channel(service: PushService, vapid: Vapid) -> AsyncIterator[Push]:
    channel = Push(vapid, PASSES, PLACES, {service.origin})
    yield channel
    await channel.close()


def sending(to: str, attempt: int = 1, **changes: object) -> Sending:
    given = {"kind": MessageKind.ALERT, "action_kind": Kind.AMBER, "action_id": 7, "title": "meisje in Delft"} | changes
    deadline = now() + timedelta(hours=1)
    notice = Notice(code="427", language="nl", body="Kijk uit.", deadline=deadline, **given)  # type: ignore[arg-type]
    return Sending(f"{attempt:032x}", to, notice, now(), frozenset())


async def test_a_notification_is_opened_by_its_browser_alone(service: PushService, channel: Push, vapid: Vapid) -> None:
    browser, other = service.browser(vapid.public), service.browser(vapid.public)
    receipt = await channel.send(sending(browser.subscription()))
    assert (receipt.state, receipt.provider_status) == (DeliveryState.SENT, "201")
    (got,) = browser.got
    assert other.got == []
    notification = got.content["notification"]
    assert notification["title"] == "Burgernet: meisje in Delft."
    assert "Bel 0800-0011, code 427" in notification["body"]
    assert PASSES.read(Use.SHOWN, notification["data"]["shown"].rpartition("/")[2]) == f"{1:032x}"
    assert PASSES.read(Use.SIGN_OFF, notification["data"]["signOff"].rpartition("/")[2]) == f"{1:032x}"
    assert (got.urgency, got.topic) == ("high", "action-7")
    assert 3500 < got.ttl <= 3600
    assert service.refused == []


async def test_an_update_replaces_what_waits_for_a_browser_that_is_away(
    service: PushService, channel: Push, vapid: Vapid
) -> None:
    browser = service.browser(vapid.public)
    await channel.send(sending(browser.subscription()))
    await channel.send(sending(browser.subscription(), 2, kind=MessageKind.UPDATE))
    await channel.send(sending(browser.subscription(), 3, action_id=8))
    assert len(browser.got) == 3
    assert set(browser.waiting) == {"action-7", "action-8"}
    assert "nieuw bericht" in browser.waiting["action-7"].content["notification"]["title"]


@pytest.mark.parametrize(
    ("refusal", "fault", "pause_s"),
    [
        (Refusal(404), GONE, 0),
        (Refusal(410), GONE, 0),
        (Refusal(413), TOO_LARGE, 0),
        (Refusal(401), OUR_KEY, 30),
        (Refusal(403), OUR_KEY, 30),
        (Refusal(429, "1"), TOO_MANY, 0),
        (Refusal(503, "1"), TOO_MANY, 0),
        (Refusal(500), FAILED, 0),
        (Refusal(400), BROKEN, 0),
        (Refusal(302), BROKEN, 0),
    ],
)
async def test_what_the_answers_of_a_push_service_mean(
    service: PushService, channel: Push, vapid: Vapid, refusal: Refusal, fault: Fault, pause_s: float
) -> None:
    service.answers.append(refusal)
    with pytest.raises(SendError) as refused:
        await channel.send(sending(service.browser(vapid.public).subscription()))
    assert (refused.value.fault, refused.value.pause_s) == (fault, pause_s)


async def test_a_pause_is_kept_for_the_service_that_asked_for_it(service: PushService, vapid: Vapid) -> None:
    async with PushService() as second:
        channel = Push(vapid, PASSES, PLACES, {service.origin, second.origin})
        slow, quick = service.browser(vapid.public), second.browser(vapid.public)
        service.answers.append(Refusal(429, "60"))
        with pytest.raises(SendError):
            await channel.send(sending(slow.subscription()))
        await channel.send(sending(quick.subscription()))
        with pytest.raises(SendError) as refused:
            await channel.send(sending(slow.subscription()))
        await channel.close()
    assert refused.value.fault == TOO_MANY
    assert (service.requests, len(quick.got)) == (1, 1)


async def test_a_lost_answer_means_that_nobody_knows(service: PushService, channel: Push, vapid: Vapid) -> None:
    service.answers.append(Refusal(lose_answer=True))
    browser = service.browser(vapid.public)
    with pytest.raises(Unanswered):
        await channel.send(sending(browser.subscription()))
    assert len(browser.got) == 1


async def test_a_service_that_is_not_there_got_nothing(vapid: Vapid) -> None:
    origin = f"http://127.0.0.1:{free_port()}"
    channel = Push(vapid, PASSES, PLACES, {origin})
    with pytest.raises(SendError) as refused:
        await channel.send(sending(Browser(f"{origin}/push/a", "").subscription()))
    await channel.close()
    assert refused.value.fault == NOT_THERE


async def test_somebody_elses_key_is_refused(service: PushService, channel: Push) -> None:
    browser = service.browser(Vapid(new_key(), CONTACT).public)
    with pytest.raises(SendError) as refused:
        await channel.send(sending(browser.subscription()))
    assert refused.value.fault == OUR_KEY
    assert service.refused == ["another sender's key"]


@pytest.mark.parametrize(
    ("subscription", "fault"),
    [
        ("", BROKEN),
        ("[]", BROKEN),
        ('{"endpoint":"https://fcm.googleapis.com/a"}', BROKEN),
        ('{"endpoint":"https://fcm.googleapis.com/a","keys":{"auth":"AAAA","p256dh":7}}', BROKEN),
        ('{"endpoint":"https://169.254.169.254/a","keys":{"auth":"AAAA","p256dh":"AAAA"}}', NOT_ALLOWED),
    ],
)
async def test_what_strangers_may_send_as_a_subscription_leads_nowhere(
    channel: Push, service: PushService, subscription: str, fault: Fault
) -> None:
    with pytest.raises(SendError) as refused:
        await channel.send(sending(subscription))
    assert refused.value.fault == fault
    wrong = Browser(f"{service.origin}/push/a", "").subscription()
    broken = json.dumps(json.loads(wrong) | {"keys": {"auth": "AAAA", "p256dh": encoded(b"\x04" + bytes(64))}})
    with pytest.raises(SendError) as refused:
        await channel.send(sending(broken))
    assert refused.value.fault == BROKEN
    assert service.requests == 0


@pytest.mark.parametrize(
    ("endpoint", "origin"),
    [
        ("https://fcm.googleapis.com/fcm/send/abc", "https://fcm.googleapis.com"),
        ("https://fcm.googleapis.com:443/a", "https://fcm.googleapis.com"),
        ("https://web.push.apple.com/a", "https://web.push.apple.com"),
        ("https://db5p.notify.windows.com/w/?token=a", "https://db5p.notify.windows.com"),
        ("http://fcm.googleapis.com/a", None),
        ("https://fcm.googleapis.com:8443/a", None),
        ("https://user@fcm.googleapis.com/a", None),
        ("https://fcm.googleapis.com@10.0.0.1/a", None),
        ("https://fcm.googleapis.com.evil.example/a", None),
        ("https://evil-push.apple.com.evil.example/", None),
        ("https://evilpush.apple.com/", None),
        ("https://127.0.0.1/", None),
        ("https://[::1]/", None),
        ("https://[/", None),
        ("file:///etc/passwd", None),
        ("https://fcm.googleapis.com:99999/", None),
        ("", None),
    ],
)
def test_only_the_push_services_on_the_list_are_asked(endpoint: str, origin: str | None) -> None:
    assert origin_allowed(endpoint, PUSH_SERVICES) == origin


def test_the_example_of_the_standard_comes_out_to_the_letter() -> None:
    """RFC 8291, appendix A."""
    own = derive_private_key(int.from_bytes(decoded("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big"), SECP256R1())
    browser = decoded("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4")
    made = sealed(
        b"When I grow up, I want to be a watermelon",
        browser,
        decoded("BTBZMqHH6r4Tts7J_aSIgg"),
        decoded("DGv6ra1nlYgDCS1FRnbzlw"),
        own,
    )
    assert encoded(made) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
        "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=3993))
def test_whatever_is_sealed_opens_and_fits(plain: bytes) -> None:
    browser = Browser("https://push.example/a", "")
    body = sealed(plain, browser.point, browser.secret)
    assert len(body) == len(plain) + 103 <= 4096
    assert browser.opened(body) == plain
    with pytest.raises(ValueError, match="not sealed for this browser"):
        Browser("https://push.example/b", "").opened(body)


@pytest.mark.parametrize(
    ("kind", "message", "urgency"),
    [
        (Kind.AMBER, MessageKind.ALERT, "high"),
        (Kind.LOOK_OUT, MessageKind.UPDATE, "high"),
        (Kind.AMBER, MessageKind.RESULT, "normal"),
        (Kind.INFORMATION, MessageKind.ALERT, "normal"),
    ],
)
def test_how_urgent_a_notification_is(kind: Kind, message: MessageKind, urgency: str) -> None:
    assert headers_of(sending("", kind=message, action_kind=kind).notice)["Urgency"] == urgency


def test_what_is_past_its_deadline_is_not_kept_by_the_push_service() -> None:
    late = Notice(MessageKind.ALERT, "427", "nl", "x", "y", deadline=now() - timedelta(hours=1))
    assert headers_of(late)["TTL"] == "0"


def test_one_token_serves_a_service_until_it_grows_old() -> None:
    clock = [1_000_000.0]
    vapid = Vapid(new_key(), CONTACT, lambda: clock[0])
    first = vapid.authorization("https://a.example")
    clock[0] += 3600
    assert vapid.authorization("https://a.example") == first
    assert vapid.authorization("https://b.example") != first
    clock[0] += 12 * 3600 - 3600 - RENEWED_S + 1
    assert vapid.authorization("https://a.example") != first


@pytest.mark.parametrize("key", ["", "abc", encoded(bytes(32)), encoded(b"\xff" * 32), encoded(bytes(31)), "é" * 43])
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(BadVapidKey, match="burgernet keys vapid"):
        Vapid(key, CONTACT)
