"""What a participant can be reached by: mail addresses and push subscriptions as strangers write them."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.contacts import LONGEST_MAIL, read_browser, read_mail
from actions.entry import Entry
from actions.numbers import CallerKind
from tests.store.people import browser


def subscription(**changes: Any) -> str:
    return json.dumps(json.loads(browser()) | changes)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("jan@example.nl", "jan@example.nl"),
        (" Jan.de.Vries+burgernet@Mail.Example.NL ", "jan.de.vries+burgernet@mail.example.nl"),
        ("o'neil@example.co.uk", "o'neil@example.co.uk"),
    ],
)
def test_a_mail_address_is_kept_in_lower_case(given: str, kept: str) -> None:
    assert read_mail(given) == kept


@pytest.mark.parametrize(
    "given",
    [
        "",
        "jan",
        "jan@",
        "@example.nl",
        "jan@localhost",
        "jan@127.0.0.1",
        "jan..de@example.nl",
        ".jan@example.nl",
        "jan@-example.nl",
        "jan@example..nl",
        "jan@example.nl\r\nBcc: all@example.nl",
        "jan@example.nl,piet@example.nl",
        "jan piet@example.nl",
        "jän@example.nl",
        "Jan <jan@example.nl>",
        "j" * 65 + "@example.nl",
        "jan@" + "a.nl" * LONGEST_MAIL,
    ],
)
def test_what_is_no_mail_address_is_none(given: str) -> None:
    assert read_mail(given) is None


@given(st.text(max_size=60))
def test_no_text_makes_a_mail_address_that_could_break_a_header(given: str) -> None:
    read = read_mail(given)
    assert read is None or (read.isascii() and read.isprintable() and " " not in read and "," not in read)


def test_a_push_subscription_is_kept_the_same_however_it_was_written() -> None:
    given = json.loads(browser())
    turned = {"keys": dict(reversed(given["keys"].items())), "expirationTime": None, "endpoint": given["endpoint"]}
    assert read_browser(json.dumps(turned, indent=4)) == read_browser(browser())
    assert json.loads(read_browser(json.dumps(turned))) == given


@pytest.mark.parametrize(
    ("endpoint", "trial"),
    [
        ("https://push.example.nl/send/abc", False),
        ("https://push.example.nl:443/send/abc", False),
        ("http://127.0.0.1:8080/push/abc", True),
        ("http://localhost/push/abc", True),
    ],
)
def test_a_push_service_is_an_https_address_or_for_a_trial_this_machine(endpoint: str, trial: bool) -> None:
    assert json.loads(read_browser(subscription(endpoint=endpoint), trial=trial))["endpoint"] == endpoint


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example.nl/abc",
        "https://127.0.0.1/abc",
        "https://localhost/abc",
        "https://[::1]/abc",
        "https://10.0.0.1/abc",
        "https://push.example.nl:6379/abc",
        "https://push.example.nl:abc/",
        "https://user:password@push.example.nl/abc",
        "https://push.example.nl/a b",
        "https://push.example.nl/\nabc",
        "https://[push/abc",
        "https://push.example.nl/" + "a" * 1000,
        "ftp://push.example.nl/abc",
        "",
        None,
        7,
    ],
)
def test_no_endpoint_leads_anywhere_but_to_a_push_service(endpoint: Any) -> None:
    with pytest.raises(ValueError, match="the endpoint of a push subscription is an https address"):
        read_browser(subscription(endpoint=endpoint))


@pytest.mark.parametrize(
    "keys",
    [
        {"auth": base64.urlsafe_b64encode(bytes(16)).decode(), "p256dh": "AAAA"},
        {"auth": "AAAA", "p256dh": base64.urlsafe_b64encode(bytes(65)).decode()},
        {"auth": "é" * 22, "p256dh": base64.urlsafe_b64encode(bytes(65)).decode()},
        {"auth": 7, "p256dh": base64.urlsafe_b64encode(bytes(65)).decode()},
    ],
)
def test_keys_of_another_size_are_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="p256dh must be 65 bytes"):
        read_browser(subscription(keys=keys))


@pytest.mark.parametrize(
    "given", ["", "{", "[]", "null", "7", '"x"', "{}", '{"endpoint": "x"}', "[" * 3000, " " * 5000]
)
def test_what_is_no_push_subscription_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="not a push subscription"):
        read_browser(given)


@given(
    st.recursive(
        st.none() | st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_nothing_but_a_fault_comes_of_strangers_json(given: Any) -> None:
    with pytest.raises(ValueError, match="push subscription"):
        read_browser(json.dumps(given))


@pytest.mark.parametrize(
    ("kind", "channels"),
    [
        (CallerKind.LANDLINE, {"sms"}),
        (CallerKind.MOBILE, {"sms", "email"}),
        (CallerKind.MOBILE, {"push"}),
        (CallerKind.MOBILE, set()),
    ],
)
def test_no_entry_has_a_channel_without_a_contact_for_it(kind: CallerKind, channels: set[str]) -> None:
    with pytest.raises(ValueError, match="nothing to reach this participant by"):
        Entry("nl", "3011", 0, 0, "+31612345678", kind, frozenset(channels))
