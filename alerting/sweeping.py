"""Closing what must never be sent any more: long after the stop flag has done its work."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ColumnElement, and_, case, exists
from sqlmodel import col, select, update

from actions.models import ContactPoint, Delivery, DeliveryState, Message, now
from actions.store import Store
from alerting.sendable import AS_IT_IS, is_live, waits

OVER = "the action was over before this could be sent"
GIVEN_UP = "the action was over before this could be tried again"
SIGNED_OFF = "its owner wants no more messages"
SWEEP = 10_000
# Messages are swept until this long after their deadline: longer than any of them lives.
SWEPT = timedelta(days=8)


async def sweep(store: Store, channel: str) -> None:
    """Closes what waits by this channel although its message is stopped or over."""
    moment = now()
    recent = col(Message.deadline) > moment - SWEPT
    over = col(Delivery.message_id).in_(select(Message.id).where(~is_live(moment), recent))
    for state, then, reason in (
        (DeliveryState.PENDING, DeliveryState.CANCELLED, OVER),
        (DeliveryState.SENDING, DeliveryState.FAILED, GIVEN_UP),
    ):
        while await _close(store, and_(waits(channel, state), over), then, reason) == SWEEP:
            pass


async def _close(store: Store, which: ColumnElement[bool], state: DeliveryState, reason: str) -> int:
    """At most SWEEP of them; how many."""
    ids = select(Delivery.id).where(which).limit(SWEEP).with_for_update(skip_locked=True)
    signed_off = exists().where(
        col(ContactPoint.id) == Delivery.contact_point_id, col(ContactPoint.opted_out_at).is_not(None)
    )
    why = case((signed_off, SIGNED_OFF), else_=reason)
    closing = update(Delivery).where(col(Delivery.id).in_(ids)).values(state=state, reason=why, changed_at=now())
    async with store.writing() as session:
        done = await session.exec(closing.execution_options(**AS_IT_IS))
    return done.rowcount
