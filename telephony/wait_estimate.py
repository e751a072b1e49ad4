"""How long a caller will wait, from how long this room's latest talks took. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# Fewer talks than these, and of the last hours only, tell nothing.
ENOUGH = 3


@dataclass(frozen=True)
class InLine:
    """A place in one room's line: how many callers are before it, how many operators are on duty, and how long each of
    the latest talks kept an operator, wrap-up included (seconds)."""

    room: str
    before: int
    on_duty: int
    handled: Sequence[float]


@dataclass(frozen=True)
class Standing:
    """`place`: 1 is the next. `wait_s`: about how many seconds until an operator; None when that is not known."""

    place: int
    wait_s: float | None


def standing(lines: Sequence[InLine]) -> Standing:
    """Where a caller stands who is in all these lines, the own room's first: in the line that moves fastest. A caller
    who stands in none is being served."""
    if not lines:
        return Standing(0, 0.0)
    known = [(wait, line.before) for line in lines if (wait := _wait_s(line)) is not None]
    if known:
        wait, before = min(known)
        return Standing(before + 1, wait)
    staffed = [line.before for line in lines if line.on_duty]
    return Standing((min(staffed) if staffed else lines[0].before) + 1, None)


def _wait_s(line: InLine) -> float | None:
    """Each operator becomes free once in the time of a talk: the callers before this one and this one itself wait for
    that many of them."""
    if not line.on_duty or len(line.handled) < ENOUGH:
        return None
    talk = sum(line.handled) / len(line.handled)
    return (line.before + 1) * talk / line.on_duty
