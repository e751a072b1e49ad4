"""Where a text says that something is: the words of place in it, as far as they can be recognised."""

from __future__ import annotations

import re

_WORD = r"['’]?[A-ZÀ-Þ][\w'’-]*"
_BETWEEN = r"aan|van|op|in|bij|de|den|der|of|upon|het"
_NAME = rf"(?:(?:de|het|den|the) )?(?:['’]s-)?{_WORD}(?: (?:(?:{_BETWEEN}) )?{_WORD})*"
_PREPOSITIONS = {
    "nl": r"in|bij|op|nabij|te|uit|naast|achter|voor|langs|rond|tussen|richting|vlakbij|omgeving|centrum|wijk|buurt",
    "en": r"in|near|at|on|by|around|behind|along|between|opposite|outside|from|towards",
}
_PLACE = {language: re.compile(rf"(?<!\w)(?i:{words}) {_NAME}") for language, words in _PREPOSITIONS.items()}
_AT_THE_END = {
    language: re.compile(rf"^(?P<what>.+?)\s+(?P<place>(?i:{words}) {_NAME})[.!?]?$", re.DOTALL)
    for language, words in _PREPOSITIONS.items()
}
# "A street, a station": places that need no preposition to be one.
_STREET = re.compile(
    r"\b[A-ZÀ-Þ][\w'’-]*(?:straat|laan|weg|plein|kade|gracht|singel|dijk|steeg|hof|park|brug|station|markt)\b"
)


def place_in(text: str, language: str) -> str | None:
    """The first words of place: "in Rotterdam", "Coolsingel"; None when none are recognised."""
    found = _PLACE[language].search(text) or _STREET.search(text)
    return found[0] if found else None


def what_and_where(title: str, language: str) -> tuple[str, str]:
    """A title as what is looked for and where: ("the blue Golf", "in Rotterdam"); without a place that is empty."""
    found = _AT_THE_END[language].match(title.strip())
    return (found["what"], found["place"]) if found else (title.strip(), "")
