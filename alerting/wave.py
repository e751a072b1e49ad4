"""How many calls of a wave may begin now: by the operators who are free, by what people answered so far, by the trunk.
Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

# Before anything is known of an action: so many of those called answer, and so many of these press 1. Each weighs as
# much as so many calls.
ANSWERS, ANSWERS_WEIGHT = 0.6, 20
PRESSES, PRESSES_WEIGHT = 0.05, 40
# Nobody is asked for less often: with a share of nothing one free operator would let everybody be called at once.
LEAST_SHARE = 0.002


class Holds(StrEnum):
    """What keeps a wave from going faster."""

    NOTHING = ""
    OPERATORS = "operators"  # waits until operators are free
    TRUNK = "trunk"  # all outbound channels are in use
    RATE = "rate"  # calls a second


@dataclass(frozen=True)
class Room:
    """Who takes the callers of an action at this moment: `on_duty` operators, of whom `free` are idle; `waiting`
    callers stand in line."""

    on_duty: int
    free: int
    waiting: int


@dataclass(frozen=True)
class Answers:
    """What a wave came to so far. `under_way`: they ring, or listen and have pressed nothing yet. Of `tried` calls that
    are over or went further `answered` were taken by somebody, and of these `pressed` asked for the room."""

    under_way: int = 0
    tried: int = 0
    answered: int = 0
    pressed: int = 0

    @property
    def share(self) -> float:
        """The share of calls that is expected to ask for an operator."""
        answer = (self.answered + ANSWERS * ANSWERS_WEIGHT) / (self.tried + ANSWERS_WEIGHT)
        press = (self.pressed + PRESSES * PRESSES_WEIGHT) / (self.answered + PRESSES_WEIGHT)
        return max(answer * press, LEAST_SHARE)


def by_operators(room: Room | None, so_far: Answers) -> int | None:
    """How many more calls those who are free can bear: as many as are expected to bring them one caller each. None: as
    many as you like, as nobody is on duty, and key 1 leads elsewhere. `room`: None while nobody can tell."""
    if room is None:
        return 0
    if not room.on_duty:
        return None
    free = max(room.free - room.waiting, 0)
    return max(math.floor(free / so_far.share) - so_far.under_way, 0)


@dataclass(frozen=True)
class Pace:
    """How many calls of a message may begin until it is judged again, and what holds it."""

    calls: int
    holds: Holds


def judged(room: Room | None, so_far: Answers, *, at_most: int, at_least: int, paced: bool = True) -> Pace:
    """`at_most`: what the rate gives; `at_least`: what goes in any case, so that no wave stands still. `paced`: False
    for what goes out whoever is free."""
    bears = by_operators(room, so_far) if paced else None
    if bears is None or bears >= at_most:
        return Pace(at_most, Holds.NOTHING)
    return Pace(min(max(bears, at_least), at_most), Holds.OPERATORS)


class Bucket:
    """So many a second, and at once never more than `burst`. Moments are seconds of any clock that only goes on."""

    def __init__(self, a_second: float, burst: float = 1.0) -> None:
        self._a_second, self._burst = a_second, max(burst, 1.0)
        self._full, self._at = self._burst, -math.inf

    def holds(self, moment: float) -> int:
        """How many may go now."""
        self._fill(moment)
        return int(self._full)

    def take(self, count: int, moment: float) -> None:
        self._fill(moment)
        self._full -= count

    def until_next(self, moment: float) -> float:
        """Seconds until at least one may go."""
        self._fill(moment)
        return max(1 - self._full, 0) / self._a_second

    def _fill(self, moment: float) -> None:
        if moment > self._at:
            self._full = min(self._full + (moment - self._at) * self._a_second, self._burst)
            self._at = moment
