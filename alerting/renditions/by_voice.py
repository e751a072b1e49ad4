"""A message as it is told on the telephone. How to sign off there is asked with the keys, after it."""

from __future__ import annotations

import re

from actions.models import MessageKind
from alerting.renditions.notice import Notice, sentence
from alerting.renditions.wording import CLOSING, closing

TOLD_FIRST = {
    "nl": {
        MessageKind.ALERT: "Burgernet.",
        MessageKind.UPDATE: "Burgernet. Nieuw bericht over actie {code}.",
        MessageKind.RESULT: "Burgernet. Actie {code} is voorbij.",
    },
    "en": {
        MessageKind.ALERT: "Burgernet.",
        MessageKind.UPDATE: "Burgernet. New message about action {code}.",
        MessageKind.RESULT: "Burgernet. Action {code} is over.",
    },
}
TOLD_LAST = {
    "nl": {
        MessageKind.ALERT: "Ga er niet zelf op af. De code van deze actie is {code}.",
        MessageKind.UPDATE: "Ga er niet zelf op af. De code van deze actie is {code}.",
        MessageKind.RESULT: CLOSING["nl"][MessageKind.RESULT],
    },
    "en": {
        MessageKind.ALERT: "Do not approach. The code of this action is {code}.",
        MessageKind.UPDATE: "Do not approach. The code of this action is {code}.",
        MessageKind.RESULT: CLOSING["en"][MessageKind.RESULT],
    },
}

_BETWEEN_SENTENCES = re.compile(r"(?<=[.!?])\s+")


def voice(notice: Notice) -> list[str]:
    """The notice as it is told on the telephone, sentence by sentence: what is said first, the message, what is said
    last."""
    first = TOLD_FIRST[notice.language][notice.kind].format(code=notice.code)
    last = TOLD_LAST[notice.language][notice.kind].format(code=notice.code)
    if mark := _said(notice):
        first, last = f"{mark} {first}", f"{last} {mark}"
    sentences = _BETWEEN_SENTENCES.split(notice.body.strip())
    return [first, sentence(notice.title), *map(sentence, sentences), last]


def voice_in_short(notice: Notice, free_number: str) -> str:
    """The notice for somebody's answering machine."""
    parts = ["Burgernet.", sentence(notice.title), closing(notice, free_number)]
    mark = _said(notice)
    return " ".join([mark, *parts, mark] if mark else parts)


def _said(notice: Notice) -> str:
    """The mark of an exercise as a sentence: capitals alone might be spelt out."""
    return f"{notice.mark.capitalize()}." if notice.exercise else ""
