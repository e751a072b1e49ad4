"""Which open action a caller is calling about. Proposes with reasons; between two actions it never guesses, it asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from actions.numbers import Number


@dataclass(frozen=True)
class OpenAction:
    """What a conversation needs to know of an open action. `titles` and `bodies` by language; `x`, `y` in RD metres."""

    id: int
    code: str
    kind: str
    room_id: str
    region_id: str
    started_by: str | None
    started_at: datetime
    titles: Mapping[str, str]
    bodies: Mapping[str, str]
    x: float
    y: float


@dataclass(frozen=True)
class Alerted:
    """An open action that alerted this caller, and how far (metres) the caller's address lies from its centre."""

    action: OpenAction
    distance: int


@dataclass(frozen=True)
class Match:
    """`how`: number, code, menu. `confidence` 0 to 1. `reasons`: for the operator and the books."""

    action: OpenAction
    how: str
    confidence: float
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Sure:
    match: Match


@dataclass(frozen=True)
class Choose:
    """The caller chooses, best candidate first. `why`: alerted (in each of these) or area_code (lives near these)."""

    options: tuple[OpenAction, ...]
    why: str


@dataclass(frozen=True)
class AskCode:
    """Nothing is known of this caller: ask for the code, else let choose from these."""

    options: tuple[OpenAction, ...]


@dataclass(frozen=True)
class NothingOpen:
    pass


Finding = Sure | Choose | AskCode | NothingOpen


def find(
    number: Number, alerted: Sequence[Alerted], open_actions: Sequence[OpenAction], regions: Sequence[str]
) -> Finding:
    """What to do with a caller. `alerted`: open actions that alerted the number; `regions`: those its area code
    reaches into, its own first."""
    if len(alerted) == 1:
        return Sure(Match(alerted[0].action, "number", 0.95, ("this number was alerted in one open action",)))
    if alerted:
        return Choose(tuple(known.action for known in sorted(alerted, key=_nearest_then_newest)), "alerted")
    if not open_actions:
        return NothingOpen()
    if nearby := [action for action in open_actions if action.region_id in regions]:
        return Choose(
            tuple(sorted(nearby, key=lambda action: (regions.index(action.region_id), _age(action)))), "area_code"
        )
    return AskCode(tuple(sorted(open_actions, key=_age)))


def by_code(code: str, open_actions: Sequence[OpenAction]) -> OpenAction | None:
    """The open action with this spoken code."""
    return next((action for action in open_actions if action.code == code), None)


def _nearest_then_newest(known: Alerted) -> tuple[int, float]:
    # Places are known to the cell: within half a kilometre the newer action goes first.
    return known.distance // 500, _age(known.action)


def _age(action: OpenAction) -> float:
    return -action.started_at.timestamp()
