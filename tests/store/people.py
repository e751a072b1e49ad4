"""Participants for tests."""

import base64
import json

from actions.numbers import CallerKind
from actions.register import Entry

JAN, PIET = "+31612345678", "+31687654321"


def entry(
    e164: str | None = JAN,
    *,
    x: float = 92_000.0,
    channels: tuple[str, ...] = ("sms",),
    language: str = "nl",
    mail: str | None = None,
    browser: str | None = None,
) -> Entry:
    """Somebody in Rotterdam."""
    return Entry(language, "3011", x, 437_000.0, e164, CallerKind.MOBILE, frozenset(channels), mail, browser)


def browser(name: str = "abc") -> str:
    """A push subscription as it is kept; its keys are no real ones."""
    keys = {"auth": bytes(16), "p256dh": b"\x04" + bytes(64)}
    written = {key: base64.urlsafe_b64encode(value).decode().rstrip("=") for key, value in keys.items()}
    given = {"endpoint": f"https://push.example.nl/{name}", "keys": written}
    return json.dumps(given, sort_keys=True, separators=(",", ":"))
