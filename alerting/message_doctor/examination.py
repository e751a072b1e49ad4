"""The whole examination of a message in all its languages."""

from __future__ import annotations

import re
from collections.abc import Iterator

from actions.models import Kind, MessageKind
from actions.texts import LANGUAGES, Texts, faults_in_texts
from alerting.message_doctor.advice import Advice, Findings, Severity, Where
from alerting.message_doctor.lexicon import DIRECTION, TIME
from alerting.message_doctor.rules import RULES
from alerting.renditions import Notice, on_board, text
from alerting.renditions.place import place_in

# A code is given only at the start: any three digits take the same room.
SOME_CODE = "427"
MANY_SEGMENTS = 3
# Who or what is looked for moves; what is only told of does not.
SEARCHES = {Kind.LOOK_OUT, Kind.MISSING_CHILD, Kind.AMBER}
# Only missing persons come on boards along the road.
ON_BOARDS = {Kind.MISSING_CHILD, Kind.AMBER}
LACKS = {
    "place": ("the message does not say where", "name the street, the neighbourhood or the town"),
    "time": ("the message does not say since when", "say when it was seen last: 'om 14.30 uur', 'at 14:30'"),
    "direction": ("the message does not say which way", "say which way it went, or that nobody knows: 'richting ...'"),
}
_TIME = {language: re.compile(said, re.IGNORECASE) for language, said in TIME.items()}
_DIRECTION = {language: re.compile(said, re.IGNORECASE) for language, said in DIRECTION.items()}


def examine(
    texts: Texts,
    kind: Kind,
    free_number: str,
    message: MessageKind = MessageKind.ALERT,
    *,
    exercise: bool = False,
) -> Findings:
    """All that is to be said of a message before it goes out. `free_number` as people read it. Pure, and quick."""
    blocks = [
        Advice("cannot-be-sent", _language_in(fault), fault, severity=Severity.BLOCKS)
        for fault in faults_in_texts(texts)
    ]
    notices = {
        language: Notice(message, SOME_CODE, language, title, body, exercise, kind)
        for language, (title, body) in texts.items()
        if language in LANGUAGES
    }
    advice = [one for notice in notices.values() for one in _of_one(notice, free_number)]
    if "en" not in texts:
        words = "there is no English text: who asked for English gets the Dutch one"
        advice.append(Advice("no-english", "en", words, "add a title and a text in English"))
    segments = {language: text(notice, free_number).segments for language, notice in notices.items()}
    return Findings((*blocks, *advice), segments)


def _of_one(notice: Notice, free_number: str) -> Iterator[Advice]:
    yield from _lacking(notice)
    for field, words in (("title", notice.title), ("text", notice.body)):
        for rule in RULES:
            yield from rule(notice.language, field, words)
    if notice.action_kind in ON_BOARDS:
        for lack in on_board(notice, free_number).lacks:
            yield Advice("board", notice.language, lack, "", Where("title", 0, len(notice.title)))
    if (count := text(notice, free_number).segments) > MANY_SEGMENTS:
        words = f"it takes {count} text messages for each telephone, and each is paid for"
        yield Advice("many-segments", notice.language, words, "say it in fewer words")


def _lacking(notice: Notice) -> Iterator[Advice]:
    """What should be in it and is not. The number, the code and "do not approach" are added to every rendition."""
    if notice.kind == MessageKind.RESULT:
        return
    said, language = f"{notice.title}. {notice.body}", notice.language
    known = {"place": place_in(said, language), "time": _TIME[language].search(said)}
    if notice.action_kind in SEARCHES:
        known["direction"] = _DIRECTION[language].search(said)
    for what, found in known.items():
        if not found:
            words, suggestion = LACKS[what]
            yield Advice(f"no-{what}", language, words, suggestion)


def _language_in(fault: str) -> str:
    """The language that a fault begins with ("en: the title is empty"); Dutch for the others."""
    return next((language for language in LANGUAGES if fault.startswith(f"{language}:")), "nl")
