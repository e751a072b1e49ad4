"""A message on a board along a road or at a stop: 90 signs at most, what and where always among them."""

from __future__ import annotations

from dataclasses import dataclass

from actions.models import MessageKind
from alerting.renditions.fitting import shorter_and_shorter
from alerting.renditions.notice import Notice
from alerting.renditions.place import place_in, what_and_where

MOST = 90
CALL = {"nl": "Bel {number}", "en": "Call {number}"}
WITH_CODE = {"nl": "Bel {number}, code {code}", "en": "Call {number}, code {code}"}
OVER = {"nl": "Voorbij", "en": "Over"}


@dataclass(frozen=True)
class Board:
    """`lacks`: what the board cannot say, in English for an operator; empty when all is well."""

    text: str
    lacks: tuple[str, ...]


def on_board(notice: Notice, free_number: str) -> Board:
    """The notice on a board: with the number, and the code where that fits as well; words, never letters, go."""
    what, where = what_and_where(" ".join(notice.title.split()), notice.language)
    where = where or place_in(notice.body, notice.language) or ""
    calls = _calls(notice, free_number)
    for call in calls:
        if len(text := _put(notice, what, where, call)) <= MOST:
            return Board(text, _lacks(where, whole=True))
    for call in (calls[-1], ""):
        for shorter in shorter_and_shorter(what)[:-1]:
            if len(text := _put(notice, shorter, where, call)) <= MOST:
                return Board(text, _lacks(where, whole=False))
    return Board("", (f"no board can show it: the title is too long for {MOST} signs; write a shorter one",))


def _calls(notice: Notice, free_number: str) -> list[str]:
    if notice.kind == MessageKind.RESULT:
        return [""]
    return [words[notice.language].format(number=free_number, code=notice.code).strip() for words in (WITH_CODE, CALL)]


def _put(notice: Notice, what: str, where: str, call: str) -> str:
    said = f"{what} {where}".strip().rstrip(".")
    if notice.kind == MessageKind.RESULT:
        said = f"{OVER[notice.language]}: {said}"
    words = ". ".join(filter(None, (said, call)))
    return f"{notice.mark} {words} {notice.mark}".strip()


def _lacks(where: str, *, whole: bool) -> tuple[str, ...]:
    faults = []
    if not whole:
        faults.append(f"the title is too long for a board of {MOST} signs: words were left out")
    if not where:
        faults.append("a board would not say where: name the place in the title")
    return tuple(faults)
