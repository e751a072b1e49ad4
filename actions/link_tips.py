"""What comes in by a one-time link: a tip with a photo, or with a place. The link is spent with it, or not at all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from actions.books import Actor, record, tell
from actions.geography import in_the_netherlands, to_rd
from actions.links import Usable, spend
from actions.models import AddressPlace, Photo, PostcodePlace, Sighting, Tip, now
from actions.store import Store
from actions.tips import PICTURE, keep_words
from actions.vault import Vault

CITIZEN = Actor("the public", "one-time link", "sent by a link of ours")
LINK, SURE = "link", 1.0
# How far, in metres, what is known of an address or of a postcode may be from where somebody stood.
BY_ADDRESS_M, BY_POSTCODE_M = 50, 1500
_POSTCODE = re.compile(r"\b([1-9][0-9]{3}) ?([A-Z]{2})\b", re.IGNORECASE)
_NUMBER = re.compile(r"\b([0-9]{1,5}) ?-?([A-Z]?)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Position:
    """Where a telephone says it is: WGS84, and to within how many metres."""

    lat: float
    lon: float
    accuracy: int


@dataclass(frozen=True)
class Seen:
    """Where somebody was seen: a position, or a place in words; and how many minutes ago."""

    position: Position | None
    words: str
    minutes_ago: int


class LinkTips:
    """`vault`: of the police data. Each returns False when the link was spent or got too old meanwhile; then nothing
    is kept. Raises what the database raises."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store, self._vault = store, vault

    async def photo(self, link: Usable, jpeg: bytes) -> bool:
        """`jpeg`: as photos.made_safe wrote it."""
        tip, sealed = _tip(link), self._vault.seal(jpeg, PICTURE)
        async with self._store.writing() as session:
            if not await spend(session, link):
                return False
            session.add(tip)
            session.add(Photo(tip_id=tip.id, sealed=sealed.blob, key_version=sealed.version))
            record(session, CITIZEN, "collect", "tip", tip.id)
            tell(session, "tip.received", tip.action_id or "none", tip=tip.id, exercise=link.exercise)
        return True

    async def place(self, link: Usable, seen: Seen) -> bool:
        """Keeps the place as words, and as an unconfirmed sighting where it can be put on the map."""
        tip = _tip(link)
        async with self._store.writing() as session:
            if not await spend(session, link):
                return False
            await keep_words(session, self._vault, tip, _said(seen), CITIZEN)
            if link.about.action_id and (found := await _on_the_map(session, seen)):
                x, y, accuracy = found
                moment = now() - timedelta(minutes=seen.minutes_ago)
                session.add(
                    Sighting(tip_id=tip.id, action_id=link.about.action_id, x=x, y=y, accuracy=accuracy, seen_at=moment)
                )
        return True


def _tip(link: Usable) -> Tip:
    about = link.about
    return Tip(
        action_id=about.action_id,
        room_id=about.room_id,
        call_id=about.call_id,
        source=str(link.purpose),
        confidence=SURE,
        match_how=LINK,
    )


def _said(seen: Seen) -> str:
    when = f", {seen.minutes_ago} minutes before" if seen.minutes_ago else ""
    if seen.position is None:
        return f"{seen.words}{when}"
    here = f"{seen.position.lat:.5f}, {seen.position.lon:.5f} (within {seen.position.accuracy} m){when}"
    return f"{here}. {seen.words}" if seen.words else here


async def _on_the_map(session: AsyncSession, seen: Seen) -> tuple[float, float, int] | None:
    """RD metres, and to within how many; None for words that name no known postcode."""
    if seen.position:
        x, y = to_rd(seen.position.lat, seen.position.lon)
        return (x, y, seen.position.accuracy) if in_the_netherlands(x, y) else None
    if not (postcode := _POSTCODE.search(seen.words)):
        return None
    rest = seen.words[: postcode.start()] + seen.words[postcode.end() :]
    if number := _NUMBER.search(rest):
        house = f"{number[1]} {number[2].upper()}".strip()
        if address := await session.get(AddressPlace, (postcode[1] + postcode[2].upper(), house)):
            return address.x, address.y, BY_ADDRESS_M
    place = await session.get(PostcodePlace, postcode[1])
    return (place.x, place.y, BY_POSTCODE_M) if place else None
