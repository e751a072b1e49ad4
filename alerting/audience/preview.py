"""Looking ahead: whom a message would reach, when, how fast and for how much. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from actions.desk import LIFETIME, NewAction, as_action, checked
from actions.models import Kind, Message, MessageKind, Region, now
from actions.store import Store
from alerting.audience.awaited import Awaited
from alerting.audience.look import Look, One, look
from alerting.audience.quiet import ASLEEP, CHOSE, FOR_A_REASON
from alerting.renditions import Notice, text

# An alert is told in less than a minute.
CALL_MINUTES = 1
# Where nobody said how fast a channel is.
UNBOUNDED_A_SECOND = 50.0


@dataclass(frozen=True)
class Carrier:
    """What takes the messages of one channel: so many a second (0: nobody said), at so many millionths of a euro a part
    (a part of a text, a minute of a call)."""

    a_second: float = 0.0
    price: int = 0


@dataclass
class Ring:
    """`metres`: how far its farthest address is; `deliveries` to those who live in it."""

    number: int
    metres: int = 0
    deliveries: float = 0


@dataclass
class Channel:
    """Deliveries `now`, and `later`, when quiet hours end; how many seconds those of now take; what all of them cost,
    in millionths of a euro."""

    now: float = 0
    later: float = 0
    seconds: float = 0
    micro_euros: float = 0


@dataclass
class Preview:
    """`exact`: everybody was looked at; else the numbers are reckoned from a part. `woken_by_choice`,
    `woken_for_reason`: deliveries in quiet hours to those who chose to be woken, and to those whom the operator
    wakes; `left_asleep`: those that wait for the end of quiet hours. `area`: as the action would have it."""

    kind: Kind
    area: Mapping[str, Any]
    at: datetime
    exact: bool
    people: float
    contact_points: float
    woken_by_choice: float
    woken_for_reason: float
    left_asleep: float
    channels: dict[str, Channel] = field(default_factory=dict)
    rings: list[Ring] = field(default_factory=list)


async def preview(store: Store, new: NewAction, carriers: Mapping[str, Carrier], free_number: str) -> Preview:
    """What the start of this action would do now. `carriers` by channel; `free_number` as people read it. Raises
    Refused with every fault of the action."""
    awaited, at = await _unwritten(store, new), now()
    found = await look(store, awaited, at)
    deliveries = found.deliveries
    return Preview(
        kind=awaited.kind,
        area=awaited.action.area,
        at=at,
        exact=found.exact,
        people=sum(found.people.values()),
        contact_points=sum({point: one.weight for (point, _), one in deliveries.items()}.values()),
        woken_by_choice=_found(deliveries.values(), CHOSE),
        woken_for_reason=_found(deliveries.values(), FOR_A_REASON),
        left_asleep=_found(deliveries.values(), ASLEEP),
        channels=_channels(found, carriers, _parts(new, free_number)),
        rings=_rings(deliveries.values()),
    )


async def _unwritten(store: Store, new: NewAction) -> Awaited:
    """The action and its alert as they would be, in no database."""
    new, area = await checked(store, new)
    async with store.reading() as session:
        action = as_action(new, area, await session.get_one(Region, new.region_id))
    message = Message(action_id=0, kind=MessageKind.ALERT, deadline=now() + LIFETIME[Kind(action.kind)])
    return Awaited(message, action, set(new.texts))


def _found(ones: Iterable[One], state: int) -> float:
    return sum(one.weight for one in ones if one.found == state)


def _rings(ones: Iterable[One]) -> list[Ring]:
    rings: dict[int, Ring] = {}
    for one in ones:
        ring = rings.setdefault(one.ring, Ring(one.ring))
        ring.metres, ring.deliveries = max(ring.metres, one.metres), ring.deliveries + one.weight
    return [rings[number] for number in sorted(rings)]


def _channels(found: Look, carriers: Mapping[str, Carrier], parts: Mapping[str, int]) -> dict[str, Channel]:
    channels: dict[str, Channel] = {}
    for (_, name), one in found.deliveries.items():
        channel, carrier = channels.setdefault(name, Channel()), carriers.get(name, Carrier())
        if one.wait:
            channel.later += one.weight
        else:
            channel.now += one.weight
            channel.seconds += one.weight / (carrier.a_second or UNBOUNDED_A_SECOND)
        units = parts[one.language] if name == "sms" else CALL_MINUTES
        channel.micro_euros += one.weight * units * carrier.price
    return channels


def _parts(new: NewAction, free_number: str) -> Mapping[str, int]:
    """How many parts a text takes, by language. Every code has three digits."""
    notices = (
        Notice(MessageKind.ALERT, "427", language, title, body, new.exercise)
        for language, (title, body) in new.texts.items()
    )
    return {notice.language: text(notice, free_number).segments for notice in notices}
