"""A message of an action in one language, before it is dressed for a channel."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from actions.models import Kind, MessageKind

EXERCISE = {"nl": "OEFENING", "en": "EXERCISE"}


@dataclass(frozen=True)
class Notice:
    """`exercise`: marked as one, first and last, by whatever way it goes. `action_kind` says how urgent it is; nobody
    needs it after `deadline` (None: unknown). `picture`: the key of the picture that goes with it."""

    kind: MessageKind
    code: str
    language: str
    title: str
    body: str
    exercise: bool = False
    action_kind: Kind = Kind.LOOK_OUT
    action_id: int = 0
    deadline: datetime | None = None
    picture: str | None = None

    @property
    def mark(self) -> str:
        """The word that says that this is an exercise; empty when it is none."""
        return EXERCISE[self.language] if self.exercise else ""


def marked(notice: Notice, words: str) -> str:
    """A text of this notice, with the mark of an exercise first and last."""
    return f"{notice.mark}. {words} {notice.mark}." if notice.exercise else words


def sentence(words: str) -> str:
    """Words as a sentence: they end with a stop."""
    words = words.strip()
    return words if words.endswith((".", "!", "?")) else f"{words}."
