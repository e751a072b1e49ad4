"""What a text from the public means. Pure rules: no text, however odd, makes them fail."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from actions.matching import Alerted, Finding, Match, OpenAction, Sure, by_code, find
from actions.numbers import Number


class Meaning(StrEnum):
    STOP = "stop"
    START = "start"
    TIP = "tip"
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class Keyword:
    """`language`: of the word; None when it is the same in both. `weak`: it says this only to somebody who is signed
    off; to everybody else it is an ordinary answer."""

    meaning: Meaning
    language: str | None
    weak: bool = False


KEYWORDS = {
    **dict.fromkeys(("STOP", "OPTOUT"), Keyword(Meaning.STOP, None)),
    **dict.fromkeys(("AFMELDEN", "UITSCHRIJVEN", "STOPALLES"), Keyword(Meaning.STOP, "nl")),
    **dict.fromkeys(
        ("STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE"),
        Keyword(Meaning.STOP, "en"),
    ),
    "START": Keyword(Meaning.START, None),
    "AANMELDEN": Keyword(Meaning.START, "nl"),
    "UNSTOP": Keyword(Meaning.START, "en"),
    "JA": Keyword(Meaning.START, "nl", weak=True),
    "YES": Keyword(Meaning.START, "en", weak=True),
}
POLITE = {"AUB", "SVP", "ALSTUBLIEFT", "GRAAG", "PLEASE", "BURGERNET"}
LEAST_DIGITS = 5

# "code 427", "actie 427 ...", or the code alone or as a heading: "427: ..."; "427 metres" is none.
_CODE_WORD = re.compile(r"\b(?:code|actie|action)\W{0,3}([0-9]{3,4})\b", re.IGNORECASE | re.ASCII)
_CODE_FIRST = re.compile(r"[^\w+]*([0-9]{3,4})(?:\W*\Z|\s*[:;,.!?)](?![0-9]))", re.ASCII)
_CODE_ANYWHERE = re.compile(r"(?<![\w+-])([0-9]{3,4})(?![\w-])", re.ASCII)
_CODE_ALONE = re.compile(r"\W*(?:(?:code|actie|action)\W{0,3})?[0-9]{3,4}\W*", re.IGNORECASE | re.ASCII)
# "I called 112" names no action.
EMERGENCY = "112"


def keyword(said: str) -> Keyword | None:
    """The keyword that a text consists of, whatever case, accents, spaces, signs and emoji surround it.

    Digits around a word for stopping (STOP 427) do not change it: who wants to be left alone is left alone."""
    words = [word for word in _letters(said) if word not in POLITE]
    repeated = len(set(words)) == 1
    found = KEYWORDS.get(words[0] if repeated else "".join(words))
    if found and found.meaning is not Meaning.STOP and any(sign.isdigit() for sign in said):
        return None
    return found


def says_something(said: str) -> bool:
    """Whether there is anything in it for a control room to read: a letter of any script, or more than a code."""
    letters = any(unicodedata.category(sign).startswith("L") for sign in said)
    return letters or sum(sign.isdigit() for sign in said) >= LEAST_DIGITS


def only_code(said: str) -> bool:
    """Whether a text is nothing but a code: "427", "Code: 427!"."""
    return _CODE_ALONE.fullmatch(said) is not None


def about(said: str, number: Number, alerted: Sequence[Alerted], actions: Sequence[OpenAction]) -> Finding:
    """Which action a text is about: a code said as one, else where its sender was alerted, else any number in it that
    is a code. `actions`: open ones before those just ended."""
    if action := named_by_code(said, actions):
        return Sure(Match(action, "code", 1.0, ("the text says the code",)))
    known = find(number, alerted, actions, ())
    if isinstance(known, Sure):
        return known
    if action := _only(_CODE_ANYWHERE.findall(said), actions):
        among = action.id in {candidate.action.id for candidate in alerted}
        return Sure(Match(action, "code", 0.9 if among else 0.7, ("a number in the text is the code",)))
    return known


def named_by_code(said: str, actions: Sequence[OpenAction]) -> OpenAction | None:
    """The one of these actions whose code a text says as a code."""
    return _only(_said_as_code(said), actions)


def _letters(said: str) -> list[str]:
    """The words of a text in capitals, without accents and without anything that is no letter."""
    plain = (
        sign for sign in unicodedata.normalize("NFKD", said) if not unicodedata.category(sign).startswith(("M", "C"))
    )
    return "".join(sign if sign.isalpha() else " " for sign in plain if sign != ".").upper().split()


def _said_as_code(said: str) -> list[str]:
    first = _CODE_FIRST.match(said)
    return [*_CODE_WORD.findall(said), *([first[1]] if first else [])]


def _only(codes: Sequence[str], actions: Sequence[OpenAction]) -> OpenAction | None:
    """The one action among these codes; None when there is none, or more than one."""
    named = {action.id: action for code in codes if code != EMERGENCY and (action := by_code(code, actions))}
    return next(iter(named.values())) if len(named) == 1 else None
