"""Who of those in a place gets a message, how and when: one SQL for writing it down and for looking ahead."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, literal, or_
from sqlmodel import col, select

from actions.models import (
    Action,
    Address,
    ContactPoint,
    Delivery,
    DeliveryState,
    Message,
    Participant,
    Subscription,
)
from actions.store import Store
from alerting.audience.awaited import Awaited
from alerting.audience.quiet import Night, whole_minute
from alerting.sendable import NEVER_BEGUN, willing

# The columns of a delivery outside a wave; a delivery in one also has its ring.
COLUMNS = (
    "message_id",
    "contact_point_id",
    "channel",
    "language",
    "distance",
    "state",
    "due_at",
    "created_at",
    "changed_at",
)
IN_A_WAVE = (*COLUMNS, "ring")


def living_near(awaited: Awaited, at: datetime, ring: ColumnElement[int], where: ColumnElement[bool]) -> Select[Any]:
    """A row for each subscription about an address under `where`: participant_id, contact_point_id, channel, language,
    metres, ring, wait (minutes from the whole minute of `at`; 0: at once) and found (quiet.AWAKE and further)."""
    away = func.sqrt(
        (col(Address.x) - awaited.action.x) * (col(Address.x) - awaited.action.x)
        + (col(Address.y) - awaited.action.y) * (col(Address.y) - awaited.action.y)
    )
    wanted = col(Subscription.kinds).bitwise_and(awaited.kind.bit) != 0
    rows = _rows(awaited, at, Subscription.contact_point_id, Subscription.channel, func.round(away), ring)
    found = (
        rows.select_from(Address)
        .join(Subscription, col(Subscription.address_id) == Address.id)
        .join(Participant, col(Participant.id) == Address.participant_id)
        .join(ContactPoint, col(ContactPoint.id) == Subscription.contact_point_id)
        .where(where, wanted, *_chosen(awaited, at))
    )
    return _able(awaited, at, found, Subscription.contact_point_id)


def alerted_before(awaited: Awaited, at: datetime, where: ColumnElement[bool]) -> Select[Any]:
    """The same for contact points for which an attempt at an earlier message of the action began, on the
    channel of that attempt. `where` is about those deliveries."""
    earlier = select(Message.id).where(Message.action_id == awaited.action.id, col(Message.id) < awaited.message.id)
    rows = _rows(awaited, at, Delivery.contact_point_id, Delivery.channel, Delivery.distance, Delivery.ring)
    found = (
        rows.select_from(Delivery)
        .join(Subscription, col(Subscription.contact_point_id) == Delivery.contact_point_id)
        .join(Address, col(Address.id) == Subscription.address_id)
        .join(Participant, col(Participant.id) == Address.participant_id)
        .join(ContactPoint, col(ContactPoint.id) == Delivery.contact_point_id)
        .where(col(Delivery.message_id).in_(earlier), col(Delivery.state).not_in(NEVER_BEGUN), where)
        .where(~_texted_instead(earlier), _of_this_channel())
    )
    found = found.where(col(Participant.follows)) if awaited.message.followers else found
    return _able(awaited, at, found, Delivery.contact_point_id)


def as_deliveries(store: Store, awaited: Awaited, at: datetime, rows: Select[Any]) -> Select[Any]:
    """Those rows as IN_A_WAVE: each contact point once a channel, at its nearest and at its earliest, nearest first."""
    one = rows.subquery("one").c
    earliest = func.min(one.wait)
    moment: Any = literal(at, Delivery.__table__.c.due_at.type)  # type: ignore[attr-defined]
    chosen: Select[Any] = select(  # type: ignore[call-overload]
        literal(awaited.message.id),
        one.contact_point_id,
        one.channel,
        func.min(one.language),
        func.min(one.metres).label("nearest"),
        literal(str(DeliveryState.PENDING)),
        case((earliest == 0, moment), else_=store.minutes_after(whole_minute(at), earliest)),
        moment,
        moment,
        func.min(one.ring),
    )
    return chosen.group_by(one.contact_point_id, one.channel).order_by("nearest", one.contact_point_id)


def of_the_same_exercise(action: Action) -> ColumnElement[bool]:
    """Who may hear of an action: exercises reach participants of exercises alone, and these hear of nothing else. Of an
    action that is there its own row says which it is, so that nothing read earlier, or handed in, can mix the two."""
    if action.id is None:
        return col(Participant.exercise).is_(action.exercise)
    kept = select(Action.exercise).where(Action.id == action.id).scalar_subquery()
    return col(Participant.exercise) == kept


def _rows(awaited: Awaited, at: datetime, contact_point: Any, channel: Any, metres: Any, ring: Any) -> Select[Any]:
    night = _night(awaited, at)
    language = case((col(Participant.language).in_(awaited.languages), col(Participant.language)), else_="nl")
    return select(  # type: ignore[call-overload, no-any-return]
        col(Participant.id).label("participant_id"),
        contact_point.label("contact_point_id"),
        channel.label("channel"),
        language.label("language"),
        metres.label("metres"),
        ring.label("ring"),
        night.wait.label("wait"),
        night.found.label("found"),
    )


def _able(awaited: Awaited, at: datetime, rows: Select[Any], contact_point: Any) -> Select[Any]:
    """Without those who signed off or said no more, who cannot be reached, and who sleep until it is too late."""
    return (
        rows.where(of_the_same_exercise(awaited.action), col(Participant.signed_off_at).is_(None))
        .where(col(ContactPoint.opted_out_at).is_(None), col(ContactPoint.unreachable_since).is_(None))
        .where(willing(awaited.action.id, contact_point), _night(awaited, at).in_time)
    )


def _night(awaited: Awaited, at: datetime) -> Night:
    return Night(at, awaited.message.deadline, awaited.kind, awaited.action.quiet_reason)


def _chosen(awaited: Awaited, at: datetime) -> list[ColumnElement[bool]]:
    """The choice among the people there. Somebody's age is what it becomes this year; who gave no year of birth is in
    no choice of ages."""
    choice, year = awaited.choice, at.year
    chosen: list[ColumnElement[bool]] = []
    if languages := choice.get("languages"):
        chosen.append(col(Participant.language).in_(languages))
    if (least := choice.get("min_age")) is not None:
        chosen.append(col(Participant.birth_year) <= year - least)
    if (most := choice.get("max_age")) is not None:
        chosen.append(col(Participant.birth_year) >= year - most)
    return chosen


def _of_this_channel() -> ColumnElement[bool]:
    """The hours of a telephone count by channel; a text that stands for a call has those of the call."""
    other: Any = Subscription.__table__.alias("other")  # type: ignore[attr-defined]
    same = exists().where(other.c.contact_point_id == Delivery.contact_point_id, other.c.channel == Delivery.channel)
    return or_(col(Subscription.channel) == col(Delivery.channel), ~same)


def _texted_instead(earlier: Any) -> ColumnElement[bool]:
    """A call that nobody answered with a key, or a notice that was not shown, and a text that followed it: what comes
    next goes by text alone."""
    text: Any = Delivery.__table__.alias("text")  # type: ignore[attr-defined]
    begun = and_(text.c.message_id.in_(earlier), text.c.channel == "sms", text.c.state.not_in(NEVER_BEGUN))
    here = exists().where(begun, text.c.contact_point_id == Delivery.contact_point_id)
    calls = and_(col(Delivery.channel) == "voice", col(Delivery.state) != DeliveryState.CONFIRMED, here)
    notices = and_(
        col(Delivery.channel) == "push",
        col(Delivery.state).not_in((DeliveryState.DELIVERED, DeliveryState.CONFIRMED)),
        _at_another_of_his(text, begun),
    )
    return or_(calls, notices)


def _at_another_of_his(text: Any, begun: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether such a text went to a telephone of the same person."""
    heard: Any = Subscription.__table__.alias("heard")  # type: ignore[attr-defined]
    home: Any = Address.__table__.alias("home")  # type: ignore[attr-defined]
    his = home.c.participant_id == Address.participant_id
    return (
        select(text.c.id)
        .join(heard, heard.c.contact_point_id == text.c.contact_point_id)
        .join(home, home.c.id == heard.c.address_id)
        .where(begun, his)
        .correlate(Delivery, Address)
        .exists()
    )
