"""Participants for tests."""

from actions.numbers import CallerKind
from actions.register import Entry

JAN, PIET = "+31612345678", "+31687654321"


def entry(e164: str = JAN, *, x: float = 92_000.0, channels: tuple[str, ...] = ("sms",), language: str = "nl") -> Entry:
    """Somebody in Rotterdam."""
    return Entry(language, "3011", x, 437_000.0, e164, CallerKind.MOBILE, frozenset(channels))
