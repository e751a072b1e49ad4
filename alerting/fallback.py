"""A text for whom another channel did not certainly reach, by the rules of fall_backs: one step in SQL for each.

Whoever did not answer a call with a key is texted at the same telephone. Whoever was shown no notice is texted at a
telephone that he subscribed for texts of this kind, unless he gets the message by another of his own anyhow: nobody
twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from redis.asyncio import Redis
from sqlalchemy import ColumnElement, Select, and_, case, exists, false, func, literal, or_
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from actions.live import wake
from actions.models import (
    Action,
    Address,
    Attempt,
    Call,
    ContactPoint,
    Delivery,
    DeliveryState,
    Kind,
    Message,
    MessageKind,
    Participant,
    Subscription,
    now,
)
from actions.store import Store
from alerting.audience import COLUMNS
from alerting.bell import DELIVERIES
from alerting.fall_backs import CALLS, NOTICES, FallBack
from alerting.sendable import is_live, willing

MOST = 1_000
IN_A_RING = (*COLUMNS, "ring")
DAY = 24 * 60
ZONE = ZoneInfo("Europe/Amsterdam")


async def write_fallbacks(store: Store, redis: Redis) -> bool:
    """Writes a text delivery for each that needs one; whether there may be more at once. Raises what the database
    raises; a second time changes nothing."""
    moment, more = now(), False
    for needed in (_after_calls(moment), _after_notices(moment)):
        table: Any = Delivery.__table__  # type: ignore[attr-defined]
        async with store.writing() as session:
            done = await session.exec(store.insert_new(table).from_select(IN_A_RING, needed.limit(MOST)))
        if done.rowcount:
            await wake(redis, DELIVERIES)
        more = more or done.rowcount == MOST
    return more


def _after_calls(moment: datetime) -> Select[Any]:
    """At the telephone that was called."""
    return (
        _text(moment, col(Delivery.contact_point_id), col(Delivery.distance), col(Delivery.ring))
        .join(Message, col(Message.id) == Delivery.message_id)
        .join(ContactPoint, col(ContactPoint.id) == Delivery.contact_point_id)
        .where(is_live(moment), *_due(CALLS, moment), _no_text())
        .where(col(ContactPoint.kind) == "mobile", *_open_to_us(ContactPoint))
    )


def _after_notices(moment: datetime) -> Select[Any]:
    """At one telephone of whoever subscribed by the browser, where texts may come now."""
    texted: Any = aliased(Subscription)
    place: Any = aliased(Address)
    phone = func.min(col(ContactPoint.id))
    return (
        _text(moment, phone, func.min(col(Delivery.distance)), func.min(col(Delivery.ring)))
        .join(Message, col(Message.id) == Delivery.message_id)
        .join(Action, col(Action.id) == Message.action_id)
        .join(Subscription, col(Subscription.contact_point_id) == Delivery.contact_point_id)
        .join(Address, col(Address.id) == Subscription.address_id)
        .join(Participant, col(Participant.id) == Address.participant_id)
        .join(place, place.participant_id == Participant.id)
        .join(texted, texted.address_id == place.id)
        .join(ContactPoint, col(ContactPoint.id) == texted.contact_point_id)
        .where(is_live(moment), *_due(NOTICES, moment))
        .where(col(Participant.signed_off_at).is_(None), col(Participant.exercise) == col(Action.exercise))
        .where(texted.channel == NOTICES.to, col(ContactPoint.kind) == "mobile", *_open_to_us(ContactPoint))
        .where(_wanted(texted), _awake(texted, moment), willing(Message.action_id, texted.contact_point_id))
        .where(~_told_otherwise(moment))
        .group_by(col(Delivery.message_id), col(Participant.id), col(Delivery.language))
    )


def _text(moment: datetime, contact_point: Any, distance: Any, ring: Any) -> Select[Any]:
    at: Any = literal(moment, Delivery.__table__.c.due_at.type)  # type: ignore[attr-defined]
    state = literal(str(DeliveryState.PENDING))
    return select(  # type: ignore[call-overload, no-any-return]
        Delivery.message_id, contact_point, literal("sms"), Delivery.language, distance, state, at, at, at, ring
    ).select_from(Delivery)


def _due(rule: FallBack, moment: datetime) -> Sequence[ColumnElement[bool]]:
    """The rule as SQL."""
    state, asks_for_key = col(Delivery.state), col(Message.kind) != MessageKind.RESULT
    over = _call_over() if rule.own else false()
    silent = and_(state == DeliveryState.SENT, or_(col(Delivery.changed_at) < moment - rule.silent_after, over))
    unsure = and_(asks_for_key, or_(state.in_(rule.unsure), silent))
    return (
        col(Delivery.channel) == rule.by,
        col(Message.kind).in_(rule.messages),
        or_(state.in_(rule.failed), unsure),
    )


def _call_over() -> ColumnElement[bool]:
    """Whether a call was broken off: its end is in the book, and nothing more was reported of it."""
    return exists().where(
        col(Attempt.delivery_id) == Delivery.id, col(Call.attempt_id) == Attempt.id, col(Call.ended_at).is_not(None)
    )


def _no_text() -> ColumnElement[bool]:
    there: Any = Delivery.__table__.alias("there")  # type: ignore[attr-defined]
    return ~exists().where(
        there.c.message_id == Delivery.message_id,
        there.c.contact_point_id == Delivery.contact_point_id,
        there.c.channel == "sms",
    )


def _open_to_us(contact: Any) -> Sequence[ColumnElement[bool]]:
    return col(contact.opted_out_at).is_(None), col(contact.unreachable_since).is_(None)


def _wanted(subscription: Any) -> ColumnElement[bool]:
    return and_(subscription.kinds.bitwise_and(_bit()) != 0)


def _awake(subscription: Any, moment: datetime) -> ColumnElement[bool]:
    """Not in the quiet hours of this subscription, or woken by own choice or for the operator's reason. Who sleeps is
    texted when he wakes, if that is before the deadline."""
    local = moment.astimezone(ZONE)
    minute = local.hour * 60 + local.minute
    begin, end = subscription.quiet_from, subscription.quiet_until
    asleep = (literal(minute + DAY) - begin) % DAY < (end - begin + DAY) % DAY
    return or_(~asleep, subscription.wakes.bitwise_and(_bit()) != 0, col(Action.quiet_reason).is_not(None))


def _bit() -> ColumnElement[int]:
    return case(*((col(Action.kind) == kind, kind.bit) for kind in Kind), else_=0)


def _told_otherwise(moment: datetime) -> ColumnElement[bool]:
    """Whether the same person is told by something else of his: a text or a call that was written for him (calls have a
    fall-back of their own), or another browser that has shown it or still may."""
    other: Any = aliased(Delivery)
    heard: Any = aliased(Subscription)
    home: Any = aliased(Address)
    may_show = or_(
        other.state.in_(
            (DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.DELIVERED, DeliveryState.CONFIRMED)
        ),
        and_(other.state == DeliveryState.SENT, other.changed_at >= moment - NOTICES.silent_after),
    )
    return (
        select(other.id)
        .join(heard, heard.contact_point_id == other.contact_point_id)
        .join(home, home.id == heard.address_id)
        .where(other.message_id == Delivery.message_id, home.participant_id == Participant.id)
        .where(or_(other.channel.in_(("sms", "voice")), and_(other.channel == "push", may_show)))
        .correlate(Delivery, Participant)
        .exists()
    )
