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
    exercise: bool = False


@dataclass(frozen=True)
class Alerted:
    """An action that alerted this caller, and how far (metres) the caller's address lies from its centre. `over`: it
    ended a short while ago."""

    action: OpenAction
    distance: int
    over: bool = False


@dataclass(frozen=True)
class Postcodes:
    """The four-digit postcodes from `first` to `last`, and the regions they may lie in, the likeliest first."""

    first: int
    last: int
    regions: tuple[str, ...]


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
class Over:
    """The caller was alerted in no open action, but in this one, which ended a short while ago."""

    action: OpenAction


@dataclass(frozen=True)
class NothingOpen:
    pass


Finding = Sure | Choose | AskCode | Over | NothingOpen


def find(
    number: Number, alerted: Sequence[Alerted], open_actions: Sequence[OpenAction], regions: Sequence[str]
) -> Finding:
    """What to do with a caller. `alerted`: actions that alerted the number; `regions`: those its area code reaches
    into, its own first."""
    still_open = [known for known in alerted if not known.over]
    if len(still_open) == 1:
        return Sure(Match(still_open[0].action, "number", 0.95, ("this number was alerted in one open action",)))
    if still_open:
        return Choose(tuple(known.action for known in sorted(still_open, key=_nearest_then_newest)), "alerted")
    if alerted:
        return Over(min(alerted, key=lambda known: _age(known.action)).action)
    return what_to_ask(open_actions, regions)


def what_to_ask(open_actions: Sequence[OpenAction], regions: Sequence[str]) -> Choose | AskCode | NothingOpen:
    """What to ask a caller of whom no alert is known."""
    if not open_actions:
        return NothingOpen()
    if nearby := in_regions(open_actions, regions):
        return Choose(nearby, "area_code")
    return AskCode(tuple(sorted(open_actions, key=_age)))


def in_regions(actions: Sequence[OpenAction], regions: Sequence[str]) -> tuple[OpenAction, ...]:
    """Those in one of the regions: by the order of the regions, then the newest first."""
    nearby = [action for action in actions if action.region_id in regions]
    return tuple(sorted(nearby, key=lambda action: (regions.index(action.region_id), _age(action))))


def regions_of(postcode: str, ranges: Sequence[Postcodes]) -> tuple[str, ...]:
    """The regions a four-digit postcode may lie in, the likeliest first; none when there is no such postcode."""
    if len(postcode) != 4 or not (postcode.isascii() and postcode.isdigit()):
        return ()
    found = (one.regions for one in ranges if one.first <= int(postcode) <= one.last)
    return next(found, ())


def in_sight(actions: Sequence[OpenAction], *, practising: bool) -> tuple[OpenAction, ...]:
    """Those that may be offered to somebody: exercises to nobody but who takes part in them, and to those nothing
    else."""
    return tuple(action for action in actions if action.exercise == practising)


def by_code(code: str, open_actions: Sequence[OpenAction]) -> OpenAction | None:
    """The open action with this spoken code."""
    return next((action for action in open_actions if action.code == code), None)


def _nearest_then_newest(known: Alerted) -> tuple[int, float]:
    # Places are known to the cell: within half a kilometre the newer action goes first.
    return known.distance // 500, _age(known.action)


def _age(action: OpenAction) -> float:
    return -action.started_at.timestamp()
