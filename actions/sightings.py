"""Sightings: where and when somebody was seen. An operator who believes one confirms it, and the search moves there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.books import Actor, record, tell
from actions.desk import LIFETIME, Refused, held, refuse_step
from actions.geography import to_rd, to_wgs
from actions.growing import current_message, follow
from actions.models import Action, Kind, Message, MessageKind, MessageText, Sighting, Status, now
from actions.search import Means, Search
from actions.store import Store
from actions.texts import LONGEST_BODY

MOST = 200
# What those who follow a search hear, before what was said of the one we look for.
ELSEWHERE = {
    "nl": "Iemand heeft iets gezien. We zoeken nu ook op een andere plaats.",
    "en": "Somebody saw something. We now look in another place too.",
}


@dataclass(frozen=True)
class Seen:
    """WGS84 degrees; `heading` in degrees from north, None: not known."""

    lat: float
    lon: float
    seen_at: datetime
    heading: int | None = None


class Sightings:
    """The transactions on sightings. Each checks first, then changes all or nothing, with its audit row."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(self, which: str | int, seen: Seen, actor: Actor) -> Sighting:
        """Keeps a sighting that the operator believes, and moves the search. `which`: the spoken code of an open
        action, or its id. Raises Refused."""
        faults = Search(seen.lat, seen.lon, seen.seen_at, Means.WALK, seen.heading).faults(now())
        if faults:
            raise Refused(faults)
        async with self._store.writing() as session:
            action = await _open(session, which)
            x, y = to_rd(seen.lat, seen.lon)
            sighting = Sighting(action_id=action.id or 0, x=x, y=y, heading=seen.heading, seen_at=seen.seen_at)
            session.add(sighting)
            await _confirm(session, action, sighting, actor)
        return sighting

    async def confirm(self, sighting_id: str, actor: Actor, action_id: int | None = None) -> Sighting:
        """Believes a sighting that a citizen sent, and moves the search; a second time changes nothing. `action_id`:
        whose it must be. Raises Refused."""
        async with self._store.writing() as session:
            known = await session.get(Sighting, sighting_id)
            if known is None or action_id not in (None, known.action_id):
                raise Refused([f"there is no sighting {sighting_id!r}; `burgernet sightings CODE` shows them"])
            action = await _open(session, known.action_id)
            # Read anew: the action is held only now, and another may have confirmed it meanwhile.
            await session.refresh(known)
            if known.confirmed_at is None:
                await _confirm(session, action, known, actor)
        return known

    async def known(self, sighting_id: str, action_id: int) -> bool:
        """Whether there is such a sighting of this action."""
        async with self._store.reading() as session:
            found = await session.get(Sighting, sighting_id)
            return found is not None and found.action_id == action_id

    async def of_action(self, which: str | int, actor: Actor) -> Sequence[Sighting]:
        """The newest sightings of an action, at most 200; that they were consulted is written down. Raises Refused."""
        async with self._store.writing() as session:
            action = await held(session, which)
            record(session, actor, "consult", "sightings of action", action.id)
            query = select(Sighting).where(Sighting.action_id == action.id).order_by(col(Sighting.seen_at).desc())
            return list(await session.exec(query.limit(MOST)))


def place_of(sighting: Sighting) -> tuple[float, float]:
    """Latitude and longitude in WGS84 degrees."""
    return to_wgs(sighting.x, sighting.y)


async def _open(session: AsyncSession, which: str | int) -> Action:
    action = await held(session, which)
    refuse_step(None if action.status == Status.OPEN else f"the action is {action.status}: its search is over")
    return action


async def _confirm(session: AsyncSession, action: Action, sighting: Sighting, actor: Actor) -> None:
    sighting.confirmed_at, sighting.confirmed_by = now(), actor.who[:80]
    await session.flush()
    record(session, actor, "confirm", "sighting", sighting.id)
    tell(session, "sighting.confirmed", action.id, sighting=sighting.id, exercise=action.exercise)
    search = Search.of(action.search) if action.search else None
    if search is None or sighting.seen_at <= search.seen_at:
        return  # there is nothing that moves, or it was known to be elsewhere since
    lat, lon = place_of(sighting)
    await _tell_followers(session, action)
    await follow(session, action, search.moved(lat, lon, sighting.seen_at, sighting.heading), now())


async def _tell_followers(session: AsyncSession, action: Action) -> None:
    """An update beside the alert, which goes on; an earlier one of these is out of date."""
    current = await current_message(session, action)
    if current is None:
        return
    earlier = select(Message).where(
        Message.action_id == action.id, col(Message.followers), col(Message.stopped_at).is_(None)
    )
    for message in await session.exec(earlier):
        message.stopped_at = now()
    assert action.id is not None
    update = Message(
        action_id=action.id, kind=MessageKind.UPDATE, followers=True, deadline=now() + LIFETIME[Kind(action.kind)]
    )
    session.add(update)
    await session.flush()
    assert update.id is not None
    for text in await session.exec(select(MessageText).where(MessageText.message_id == current.id)):
        body = f"{ELSEWHERE[text.language]} {text.body}"
        short = body if len(body) <= LONGEST_BODY else ELSEWHERE[text.language]
        session.add(MessageText(message_id=update.id, language=text.language, title=text.title, body=short))
