"""What the doctor says of a message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    ADVICE = "advice"
    BLOCKS = "blocks"  # it cannot be sent like this


@dataclass(frozen=True)
class Where:
    """A piece of one field (title, text) of a message in one language, from sign `start` up to `end`."""

    field: str
    start: int
    end: int


@dataclass(frozen=True)
class Advice:
    """`rule` names it for programs; `words` say what is wrong, `suggestion` what to write instead. `where`: None when
    it is about something that is not there."""

    rule: str
    language: str
    words: str
    suggestion: str = ""
    where: Where | None = None
    severity: Severity = Severity.ADVICE


@dataclass(frozen=True)
class Findings:
    """`segments`: how many text messages it takes, by language."""

    advice: tuple[Advice, ...]
    segments: Mapping[str, int]

    @property
    def blocked(self) -> bool:
        return any(one.severity is Severity.BLOCKS for one in self.advice)
