"""A message as a text message. Full sentences, no abbreviations, and always how to answer and how to stop."""

from __future__ import annotations

from dataclasses import dataclass

from alerting.renditions.notice import Notice, marked, sentence
from alerting.renditions.wording import closing, opening

GSM_7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_7_TWO_PLACES = frozenset("\f^{}\\[~]|€")
STOP = {"nl": "Geen berichten meer? Antwoord STOP.", "en": "No more messages? Answer STOP."}


@dataclass(frozen=True)
class Text:
    """A text message; `segments` is what it costs."""

    body: str
    segments: int


def text(notice: Notice, free_number: str) -> Text:
    """The notice as a text message. `free_number` as people read it: 0800-0011."""
    parts = (
        f"{opening(notice)}{sentence(notice.title)}",
        sentence(notice.body),
        closing(notice, free_number),
        STOP[notice.language],
    )
    body = marked(notice, " ".join(parts))
    return Text(body, segments(body))


def segments(body: str) -> int:
    """How many text messages a body takes: 160 places of GSM-7 (153 each when more than one is needed), or, with any
    sign outside that alphabet, 70 of UCS-2 (67 each). A sign of two places is never cut in half."""
    if is_plain(body):
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


def is_plain(body: str) -> bool:
    """Whether GSM-7 holds all of it."""
    return all(sign in GSM_7 or sign in GSM_7_TWO_PLACES for sign in body)
