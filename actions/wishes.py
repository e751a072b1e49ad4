"""What a participant wants to hear of, and when: kinds of action, what may wake, quiet hours."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from actions.models import Kind, bits
from actions.models.words import WAKES_UNLESS_SAID, WANTED_UNLESS_SAID

NIGHT = (23 * 60, 7 * 60)
NONE = "none"
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True)
class Wishes:
    """`kinds` and `wakes` are sets of kinds (words.bits); quiet hours in minutes of the local day, the same twice for
    none."""

    kinds: int = WANTED_UNLESS_SAID
    wakes: int = WAKES_UNLESS_SAID
    quiet_from: int = 0
    quiet_until: int = 0


def read_kinds(given: str, *, none: bool = False) -> int:
    """A set of kinds from their names ("look_out missing_child amber"); `none`: it may be "none". Raises ValueError."""
    if none and given.strip() == NONE:
        return 0
    names = given.split()
    if not names or not set(names) <= set(Kind):
        raise ValueError(f"one or more of {' '.join(Kind)}{' or none' if none else ''}")
    return bits({Kind(name) for name in names})


def read_quiet(given: str) -> tuple[int, int]:
    """Quiet hours from "23:00-07:00", or "none". Raises ValueError."""
    if given.strip() == NONE:
        return 0, 0
    found = _HOURS.fullmatch(given.strip())
    if not found:
        raise ValueError("hours like 23:00-07:00, or none")
    hour, minute, until_hour, until_minute = map(int, found.groups())
    if (hour, minute) == (until_hour, until_minute):
        raise ValueError("hours that differ, or none: from a time until that same time says nothing")
    return hour * 60 + minute, until_hour * 60 + until_minute


def names_of(kinds: int) -> Collection[Kind]:
    """The kinds in a set."""
    return [kind for kind in Kind if kind.bit & kinds]
