"""What is said around a message, whatever an operator wrote: who speaks, what to do, the number and the code."""

from __future__ import annotations

from actions.models import MessageKind
from alerting.renditions.notice import Notice

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


def opening(notice: Notice) -> str:
    return OPENING[notice.language][notice.kind].format(code=notice.code)


def closing(notice: Notice, free_number: str) -> str:
    """What to do. `free_number` as people read it: 0800-0011."""
    return CLOSING[notice.language][notice.kind].format(code=notice.code, number=free_number)
