"""Whether anything arrives at a contact point: what faults make of it, and what makes it reachable again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.books import Actor, record
from actions.models import ContactPoint, now

# A fault that is not certain must come on so many days before anybody believes it.
DAYS = 3
ZONE = ZoneInfo("Europe/Amsterdam")
PROVIDERS = Actor("burgernet", "alerting role", "providers say that nothing arrives there")
REACHED = Actor("burgernet", "alerting role", "something arrived there")
LONGEST_WHY = 200


class Gone(StrEnum):
    """What a fault says about a contact point itself."""

    NO = "no"  # it is about this one try
    PERHAPS = "perhaps"  # it does not exist, as far as this provider knows
    CERTAIN = "certain"  # it does not exist any more


@dataclass(frozen=True)
class Doubt:
    """On how many days faults spoke against a contact point, the last of them, and whether that is believed."""

    times: int = 0
    day: str | None = None
    believed: bool = False


def after_fault(known: Doubt, gone: Gone, day: str) -> Doubt:
    """What one more fault makes of it; several on one day count once. `day`: local date, ISO."""
    if gone is Gone.NO:
        return known
    times = known.times if known.day == day else known.times + 1
    return Doubt(times, day, known.believed or gone is Gone.CERTAIN or times >= DAYS)


def local_day(moment: datetime) -> str:
    return moment.astimezone(ZONE).date().isoformat()


async def doubt(session: AsyncSession, faults: Mapping[int, tuple[Gone, str]]) -> None:
    """Writes down what faults (contact point -> what it says, and in which words) make of contact points."""
    against = {contact: fault for contact, fault in faults.items() if fault[0] is not Gone.NO}
    if not against:
        return
    moment = now()
    query = select(ContactPoint).where(col(ContactPoint.id).in_(against)).order_by(col(ContactPoint.id))
    for contact in await session.exec(query.with_for_update()):
        gone, why = against[contact.id or 0]
        known = Doubt(contact.unreachable_times, contact.unreachable_on, contact.unreachable_since is not None)
        then = after_fault(known, gone, local_day(moment))
        contact.unreachable_times, contact.unreachable_on = then.times, then.day
        if then.believed and not known.believed:
            contact.unreachable_since, contact.unreachable_why = moment, why[:LONGEST_WHY]
            record(session, PROVIDERS, "find unreachable", "contact point", contact.id)


def spoken_against() -> ColumnElement[bool]:
    """Contact points of which a provider said something."""
    return or_(col(ContactPoint.unreachable_times) > 0, col(ContactPoint.unreachable_since).is_not(None))


async def believe_again(session: AsyncSession, which: ColumnElement[bool], actor: Actor) -> int:
    """The contact points under this condition are reachable again, and nothing speaks against them; how many of them
    were taken for unreachable."""
    query = select(ContactPoint).where(which, spoken_against()).order_by(col(ContactPoint.id)).with_for_update()
    back = 0
    for contact in await session.exec(query):
        if contact.unreachable_since is not None:
            record(session, actor, "find reachable", "contact point", contact.id)
            back += 1
        contact.unreachable_since, contact.unreachable_why = None, None
        contact.unreachable_times, contact.unreachable_on = 0, None
    return back
