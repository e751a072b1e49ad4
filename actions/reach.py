"""The honest reach of an action: who was reached by whom or what, and who was not, and why.

Deliveries count telephones, mailboxes and browsers. People are counted apart: each once, by the best that became of
any of theirs. A telephone that several people share counts for one of them: nobody knows who took it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.models import Address, Delivery, DeliveryState, Message, Subscription
from actions.store import Store

# What a state of a delivery says, whatever the channel: only a key pressed proves a human.
MEANING = {
    DeliveryState.PENDING: "waiting",
    DeliveryState.SENDING: "waiting",
    DeliveryState.SENT: "unknown",
    DeliveryState.DELIVERED: "text",
    DeliveryState.ANSWERED: "answered",
    DeliveryState.CONFIRMED: "human",
    DeliveryState.MACHINE: "machine",
    DeliveryState.BUSY: "not_reached",
    DeliveryState.NO_ANSWER: "not_reached",
    DeliveryState.FAILED: "not_reached",
    DeliveryState.CANCELLED: "never_tried",
}
# What it says otherwise on one channel. A mail server that took a mail tells nothing more, ever.
ON_A_CHANNEL = {
    ("push", DeliveryState.DELIVERED): "push",
    ("email", DeliveryState.SENT): "mail",
    ("email", DeliveryState.DELIVERED): "mail",
}
# From the best on.
BEST_FIRST = (
    "human",
    "answered",
    "text",
    "push",
    "mail",
    "machine",
    "unknown",
    "waiting",
    "not_reached",
    "never_tried",
)
# A message that certainly was before somebody: a machine or a mail server that took it proves nothing.
REACHED = ("human", "answered", "text", "push")
WITH_REASONS = ("not_reached", "never_tried")


def meaning_of(channel: str, state: str) -> str:
    """What the state of a delivery says about who it was for: one of BEST_FIRST."""
    known = DeliveryState(state)
    return ON_A_CHANNEL.get((channel, known), MEANING[known])


@dataclass
class Counted:
    """How many, by what it means.

    `human`: a key was pressed. `answered`: picked up, nothing pressed. `text`: a text reached the telephone. `push`: a
    notice was shown. `mail`: the mail server took it. `machine`: an answering machine is suspected. `unknown`: given to
    the provider, nothing heard since. `waiting`: still to be sent, or under way. `never_tried`: over before it could be
    sent."""

    human: int = 0
    answered: int = 0
    text: int = 0
    push: int = 0
    mail: int = 0
    machine: int = 0
    unknown: int = 0
    waiting: int = 0
    not_reached: int = 0
    never_tried: int = 0

    @property
    def total(self) -> int:
        return sum(getattr(self, meaning) for meaning in BEST_FIRST)

    @property
    def reached(self) -> int:
        return sum(getattr(self, meaning) for meaning in REACHED)

    def add(self, meaning: str, count: int) -> None:
        setattr(self, meaning, getattr(self, meaning) + count)


@dataclass
class Reach(Counted):
    """Deliveries of one message. `reasons`: why not reached or never tried, counted. `people`: the same for people,
    None where they were not counted."""

    message_id: int = 0
    message_kind: str = ""
    channels: dict[str, dict[str, int]] = field(default_factory=dict)  # channel -> state -> deliveries
    ways: dict[str, Counted] = field(default_factory=dict)  # by channel
    rings: dict[int, Counted] = field(default_factory=dict)  # nearest first; 0 is no part of a wave
    reasons: dict[str, int] = field(default_factory=dict)
    people: Counted | None = None


@dataclass(frozen=True)
class Count:
    """How many deliveries of one message are in one state on one channel in one ring; `reason`: why it failed."""

    message_id: int
    message_kind: str
    ring: int
    channel: str
    state: str
    reason: str | None
    deliveries: int


async def reach_of(store: Store, action_id: int) -> list[Reach]:
    """The reach of each message of an action, oldest first, with its people; none before an audience is written."""
    async with store.reading() as session:
        counts = [Count(*row) for row in (await session.exec(_counted(action_id))).all()]
        people = await _people(session, action_id) if counts else {}
    reaches = summed(counts)
    for reach in reaches:
        reach.people = people.get(reach.message_id)
    return reaches


def summed(counts: Iterable[Count]) -> list[Reach]:
    """The reach of each message, in the order of the counts."""
    found: dict[int, Reach] = {}
    for count in counts:
        reach = found.setdefault(count.message_id, Reach(message_id=count.message_id, message_kind=count.message_kind))
        meaning = meaning_of(count.channel, count.state)
        of_ring, of_way = reach.rings.setdefault(count.ring, Counted()), reach.ways.setdefault(count.channel, Counted())
        for counted in (reach, of_ring, of_way):
            counted.add(meaning, count.deliveries)
        _add(reach.channels.setdefault(count.channel, {}), count.state, count.deliveries)
        if meaning in WITH_REASONS:
            _add(reach.reasons, count.reason or count.state.replace("_", " "), count.deliveries)
    for reach in found.values():
        reach.rings = dict(sorted(reach.rings.items()))
    return list(found.values())


async def all_written(store: Store, action_id: int) -> bool:
    """Whether the audience of every message of an action that may still be sent is written."""
    query = select(Message.id).where(
        Message.action_id == action_id, col(Message.audience_written_at).is_(None), col(Message.stopped_at).is_(None)
    )
    async with store.reading() as session:
        return (await session.exec(query.limit(1))).first() is None


def best_of_each(messages: ColumnElement[bool]) -> Select[Any]:
    """A row for each person and message under a condition on Message: message_id, action_id, person, and `best`, a
    place in BEST_FIRST. Whose contact point it was is not known once its owner was erased: it then stands for a person
    of its own."""
    told = (
        select(Delivery.contact_point_id)
        .join(Message, col(Message.id) == Delivery.message_id)
        .where(messages)
        .distinct()
    )
    owner = (
        select(Subscription.contact_point_id, func.min(Address.participant_id).label("person"))
        .join(Address, col(Address.id) == Subscription.address_id)
        .where(col(Subscription.contact_point_id).in_(told))
        .group_by(col(Subscription.contact_point_id))
        .subquery("owner")
    )
    person = func.coalesce(owner.c.person, -col(Delivery.contact_point_id)).label("person")
    each: Select[Any] = (
        select(Delivery.message_id, Message.action_id, person, func.min(_place()).label("best"))  # type: ignore[assignment]
        .join(Message, col(Message.id) == Delivery.message_id)
        .outerjoin(owner, owner.c.contact_point_id == Delivery.contact_point_id)
        .where(messages)
        .group_by(col(Delivery.message_id), col(Message.action_id), person)
    )
    return each


async def _people(session: AsyncSession, action_id: int) -> Mapping[int, Counted]:
    """By message."""
    each = best_of_each(col(Message.action_id) == action_id).subquery("each")
    query: Any = select(each.c.message_id, each.c.best, func.count()).group_by(each.c.message_id, each.c.best)
    found: dict[int, Counted] = {}
    for message_id, best, count in await session.exec(query):
        found.setdefault(message_id, Counted()).add(BEST_FIRST[best], count)
    return found


def _counted(action_id: int) -> Any:
    apart = (
        col(Message.id),
        col(Message.kind),
        col(Delivery.ring),
        col(Delivery.channel),
        col(Delivery.state),
        col(Delivery.reason),
    )
    return (
        select(*apart, func.count(col(Delivery.id)))  # type: ignore[call-overload]
        .join(Delivery, col(Delivery.message_id) == Message.id)
        .where(Message.action_id == action_id)
        .group_by(*apart)
        .order_by(col(Message.id), col(Delivery.ring), col(Delivery.channel), col(Delivery.state))
    )


def _place() -> ColumnElement[int]:
    """Where the meaning of a delivery stands in BEST_FIRST."""
    special = [
        (and_(col(Delivery.channel) == channel, col(Delivery.state) == state), BEST_FIRST.index(meaning))
        for (channel, state), meaning in ON_A_CHANNEL.items()
    ]
    usual = [(col(Delivery.state) == state, BEST_FIRST.index(meaning)) for state, meaning in MEANING.items()]
    return case(*special, *usual, else_=len(BEST_FIRST) - 1)


def _add(counted: dict[str, int], name: str, count: int) -> None:
    counted[name] = counted.get(name, 0) + count
