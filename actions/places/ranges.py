"""Which region a four-digit postcode lies in: what is known exactly goes over what was drawn by hand. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

FIRST, LAST = 1000, 9999


@dataclass(frozen=True)
class Lies:
    """`region`: where most of a postcode lies. `also`: other regions, the likeliest first."""

    region: str
    also: tuple[str, ...] = ()
    approximate: bool = False


@dataclass(frozen=True)
class Range:
    """Postcodes from `first` to `last` that lie alike."""

    first: int
    last: int
    lies: Lies


def laid_over(ranges: Iterable[Range], exact: Mapping[int, Lies]) -> list[Range]:
    """The ranges with the exact postcodes in them, as few as there can be, in order. Postcodes without streets (boxes
    at the post office) are on no map: for them the ranges by hand go on."""
    lies = {code: one.lies for one in ranges for code in range(one.first, one.last + 1)} | dict(exact)
    # Numbers that follow each other keep the same distance from their place in the row.
    codes = enumerate(sorted(lies))
    runs = groupby(codes, key=lambda place: (place[1] - place[0], lies[place[1]]))
    return [_range([code for _, code in run], key[1]) for key, run in runs]


def shares_of(shares: Mapping[str, float], least: float) -> Lies | None:
    """Where a postcode lies, by how much of it lies in each region; shares below `least` of the whole are the
    unevenness of two maps, not people. None when it lies in no region."""
    whole = sum(shares.values())
    likeliest = sorted(shares, key=lambda region: (-shares[region], region))
    regions = [region for region in likeliest if whole and shares[region] >= least * whole]
    return Lies(regions[0], tuple(regions[1:])) if regions else None


def _range(codes: Sequence[int], lies: Lies) -> Range:
    return Range(codes[0], codes[-1], lies)
