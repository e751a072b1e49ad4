"""How a message reads on each channel. Full sentences, no abbreviations, and always how to answer and how to stop."""

from __future__ import annotations

import re
from dataclasses import dataclass

from actions.models import MessageKind

GSM_7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_7_TWO_PLACES = frozenset("\f^{}\\[~]|€")

OPENING = {
    "nl": {
        MessageKind.ALERT: "Burgernet: ",
        MessageKind.UPDATE: "Burgernet, nieuw bericht over actie {code}: ",
        MessageKind.RESULT: "Burgernet, actie {code} is voorbij: ",
    },
    "en": {
        MessageKind.ALERT: "Burgernet: ",
        MessageKind.UPDATE: "Burgernet, new message about action {code}: ",
        MessageKind.RESULT: "Burgernet, action {code} is over: ",
    },
}
LOOKING = {
    "nl": "Gezien? Ga er niet zelf op af. Bel {number}, code {code}.",
    "en": "Seen it? Do not approach. Call {number}, code {code}.",
}
CLOSING = {
    "nl": {
        MessageKind.ALERT: LOOKING["nl"],
        MessageKind.UPDATE: LOOKING["nl"],
        MessageKind.RESULT: "Dank u wel voor het uitkijken.",
    },
    "en": {
        MessageKind.ALERT: LOOKING["en"],
        MessageKind.UPDATE: LOOKING["en"],
        MessageKind.RESULT: "Thank you for looking out.",
    },
}
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
STOP = {"nl": "Geen berichten meer? Antwoord STOP.", "en": "No more messages? Answer STOP."}


_BETWEEN_SENTENCES = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True)
class Notice:
    """A message of an action in one language, before it is dressed for a channel."""

    kind: MessageKind
    code: str
    language: str
    title: str
    body: str


@dataclass(frozen=True)
class Text:
    """A text message; `segments` is what it costs."""

    body: str
    segments: int


def text(notice: Notice, free_number: str) -> Text:
    """The notice as a text message. `free_number` as people read it: 0800-0011."""
    opening = OPENING[notice.language][notice.kind].format(code=notice.code)
    closing = CLOSING[notice.language][notice.kind].format(code=notice.code, number=free_number)
    parts = (f"{opening}{_sentence(notice.title)}", _sentence(notice.body), closing, STOP[notice.language])
    body = " ".join(parts)
    return Text(body, segments(body))


def voice(notice: Notice) -> list[str]:
    """The notice as it is told on the telephone, sentence by sentence."""
    opening = TOLD_FIRST[notice.language][notice.kind].format(code=notice.code)
    closing = TOLD_LAST[notice.language][notice.kind].format(code=notice.code)
    sentences = _BETWEEN_SENTENCES.split(notice.body.strip())
    return [opening, _sentence(notice.title), *map(_sentence, sentences), closing]


def voice_in_short(notice: Notice, free_number: str) -> str:
    """The notice for somebody's answering machine."""
    closing = CLOSING[notice.language][notice.kind].format(code=notice.code, number=free_number)
    return f"Burgernet. {_sentence(notice.title)} {closing}"


def segments(body: str) -> int:
    """How many text messages a body takes: 160 places of GSM-7 (153 each when more than one is needed), or, with any
    sign outside that alphabet, 70 of UCS-2 (67 each). A sign of two places is never cut in half."""
    if all(sign in GSM_7 or sign in GSM_7_TWO_PLACES for sign in body):
        places, one, each = [2 if sign in GSM_7_TWO_PLACES else 1 for sign in body], 160, 153
    else:
        places, one, each = [2 if ord(sign) > 0xFFFF else 1 for sign in body], 70, 67
    if sum(places) <= one:
        return 1
    count, filled = 1, 0
    for place in places:
        if filled + place > each:
            count, filled = count + 1, 0
        filled += place
    return count


def _sentence(words: str) -> str:
    words = words.strip()
    return words if words.endswith((".", "!", "?")) else f"{words}."
