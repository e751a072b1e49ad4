"""Making a message fit where only so much is read: words go from its end, never letters out of a word."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

MORE = "…"


@dataclass(frozen=True)
class Fitted:
    """`whole`: nothing had to go."""

    text: str
    whole: bool


def fitted(dress: Callable[[str, str], str], title: str, body: str, fits: Callable[[str], bool]) -> Fitted:
    """`dress(title, body)` with as much of the two as `fits`: the body goes first, from its end, then the title."""
    text = dress(title, body)
    if fits(text):
        return Fitted(text, True)
    for shorter in shorter_and_shorter(body):
        if fits(text := dress(title, shorter)):
            return Fitted(text, False)
    for shorter in shorter_and_shorter(title):
        if fits(text := dress(shorter, "")):
            return Fitted(text, False)
    return Fitted(text, False)


def shorter_and_shorter(words: str) -> list[str]:
    """A text without its last word, without its last two, and so on; in the end nothing is left of it."""
    kept = words.split()
    return [_ended(" ".join(kept[:count])) for count in range(len(kept) - 1, 0, -1)] + [""]


def _ended(words: str) -> str:
    return words if words.endswith((".", "!", "?")) else f"{words.rstrip(',;:-')}{MORE}"
