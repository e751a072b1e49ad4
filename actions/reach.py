"""The honest reach of an action: who was reached by whom or what, and who was not, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import func
from sqlmodel import col, select

from actions.models import Delivery, DeliveryState, Message
from actions.store import Store

# What a state of a delivery says about the person: only a key pressed proves a human.
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


@dataclass(frozen=True)
class Count:
    """How many deliveries of one message are in one state on one channel; `reason`: why, where it failed."""

    message_id: int
    message_kind: str
    channel: str
    state: str
    reason: str | None
    deliveries: int


@dataclass
class Reach:
    """Deliveries of one message, counted by what they mean.

    `human`: a key was pressed. `answered`: picked up, nothing pressed. `machine`: an answering machine is suspected.
    `text`: a text reached the telephone. `unknown`: given to the provider, nothing heard since. `waiting`: under way.
    `not_reached` and `never_tried` (over before it could be sent): `reasons` tells why, counted."""

    message_id: int
    message_kind: str
    human: int = 0
    answered: int = 0
    machine: int = 0
    text: int = 0
    unknown: int = 0
    waiting: int = 0
    not_reached: int = 0
    never_tried: int = 0
    total: int = 0
    channels: dict[str, dict[str, int]] = field(default_factory=dict)  # channel -> state -> deliveries
    reasons: dict[str, int] = field(default_factory=dict)


async def counts_of(store: Store, action_id: int) -> list[Count]:
    """The deliveries of all messages of an action, counted by the database."""
    query = (
        select(  # type: ignore[call-overload]
            Message.id, Message.kind, Delivery.channel, Delivery.state, Delivery.reason, func.count(col(Delivery.id))
        )
        .join(Delivery, col(Delivery.message_id) == Message.id)
        .where(Message.action_id == action_id)
        .group_by(col(Message.id), col(Message.kind), col(Delivery.channel), col(Delivery.state), col(Delivery.reason))
        .order_by(col(Message.id), col(Delivery.channel), col(Delivery.state))
    )
    async with store.reading() as session:
        return [Count(*row) for row in (await session.exec(query)).all()]


def summed(counts: Iterable[Count]) -> list[Reach]:
    """The reach of each message, in the order of the counts."""
    found: dict[int, Reach] = {}
    for count in counts:
        reach = found.setdefault(count.message_id, Reach(count.message_id, count.message_kind))
        meaning = MEANING[DeliveryState(count.state)]
        setattr(reach, meaning, getattr(reach, meaning) + count.deliveries)
        reach.total += count.deliveries
        _add(reach.channels.setdefault(count.channel, {}), count.state, count.deliveries)
        if meaning in ("not_reached", "never_tried"):
            _add(reach.reasons, count.reason or count.state.replace("_", " "), count.deliveries)
    return list(found.values())


async def reach_of(store: Store, action_id: int) -> list[Reach]:
    """The reach of each message of an action, oldest first; none before an audience is written."""
    return summed(await counts_of(store, action_id))


async def all_written(store: Store, action_id: int) -> bool:
    """Whether the audience of every message of an action that may still be sent is written."""
    query = select(Message.id).where(
        Message.action_id == action_id, col(Message.audience_written_at).is_(None), col(Message.stopped_at).is_(None)
    )
    async with store.reading() as session:
        return (await session.exec(query.limit(1))).first() is None


def _add(counted: dict[str, int], name: str, count: int) -> None:
    counted[name] = counted.get(name, 0) + count
