"""Which places are there, and which are lacking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import col, func, select

from actions.areas import MUNICIPALITY, SAFETY_REGION, safety_regions
from actions.models import AddressPlace, Boundary, PostcodePlace, PostcodeRange
from actions.store import Store


@dataclass(frozen=True)
class Held:
    """`counts` by what is counted; `lacks`: what cannot be done yet, in words that say what to import."""

    counts: Mapping[str, int]
    lacks: Sequence[str]


async def what_is_there(store: Store) -> Held:
    """Counts what is there."""
    async with store.reading() as session:
        boundaries = list(await session.exec(select(Boundary.kind, Boundary.code, Boundary.region_id)))
        postcodes = (await session.exec(select(func.count()).select_from(PostcodePlace))).one()
        addresses = (await session.exec(select(func.count()).select_from(AddressPlace))).one()
        by_hand = list(await session.exec(select(PostcodeRange).where(col(PostcodeRange.approximate))))
    municipalities = [region for kind, _, region in boundaries if kind == MUNICIPALITY]
    regions = {code for kind, code, _ in boundaries if kind == SAFETY_REGION}
    lacking = sorted(set(safety_regions()) - regions)
    nowhere = sum(region is None for region in municipalities)
    unsure = sum(one.last - one.first + 1 for one in by_hand)
    told = {
        f"boundaries of {len(lacking)} safety regions are lacking: no action can be for a whole region there": lacking,
        f"{nowhere} municipalities lie in no police unit: import safety regions": nowhere,
        "no addresses are there: a list of participants needs lat and lon": not addresses,
        f"{unsure} postcodes have a region drawn by hand: import safety regions, then postcodes": unsure,
    }
    counts = {
        "municipalities": len(municipalities),
        "safety regions": len(regions),
        "postcodes": postcodes,
        "addresses": addresses,
    }
    return Held(counts, [words for words, so in told.items() if so])
