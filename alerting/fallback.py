"""A text for whom the telephone did not certainly reach: busy, nobody there, a machine, or no key pressed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from redis.asyncio import Redis
from sqlalchemy import ColumnElement, and_, exists, literal, or_
from sqlmodel import col, select

from actions.live import wake
from actions.models import Attempt, Call, ContactPoint, Delivery, DeliveryState, Message, MessageKind, now
from actions.store import Store
from alerting.audience import COLUMNS
from alerting.bell import DELIVERIES
from alerting.queue import is_live

MOST = 1_000
# A conversation of which nothing more was heard: its controller died, or it still goes on.
QUIET = timedelta(minutes=15)
NOT_REACHED = (DeliveryState.BUSY, DeliveryState.NO_ANSWER, DeliveryState.FAILED, DeliveryState.MACHINE)


async def write_fallbacks(store: Store, redis: Redis) -> bool:
    """Writes a text delivery beside each voice delivery that needs it; whether there may be more at once. Raises what
    the database raises; a second time changes nothing."""
    moment = now()
    table: Any = Delivery.__table__  # type: ignore[attr-defined]
    at: Any = literal(moment, table.c.due_at.type)
    needed = (
        select(  # type: ignore[call-overload]
            Delivery.message_id,
            Delivery.contact_point_id,
            literal("sms"),
            Delivery.language,
            Delivery.distance,
            literal(str(DeliveryState.PENDING)),
            at,
            at,
            at,
        )
        .join(Message, col(Message.id) == Delivery.message_id)
        .join(ContactPoint, col(ContactPoint.id) == Delivery.contact_point_id)
        .where(is_live(moment), Delivery.channel == "voice", _unsure(moment), _no_text())
        .where(ContactPoint.kind == "mobile", col(ContactPoint.opted_out_at).is_(None))
        .limit(MOST)
    )
    async with store.writing() as session:
        done = await session.exec(store.insert_new(table).from_select(COLUMNS, needed))
    if done.rowcount:
        await wake(redis, DELIVERIES)
    return bool(done.rowcount == MOST)


def _unsure(moment: Any) -> ColumnElement[bool]:
    """Not certainly heard. A result that somebody answered is heard: it asks for no key."""
    state = col(Delivery.state)
    asks_for_key = col(Message.kind) != MessageKind.RESULT
    silent = and_(state == DeliveryState.SENT, or_(col(Delivery.changed_at) < moment - QUIET, _call_over()))
    return or_(state.in_(NOT_REACHED), and_(asks_for_key, or_(state == DeliveryState.ANSWERED, silent)))


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
