"""What may still be sent, as conditions of SQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists
from sqlmodel import col

from actions.models import Delivery, DeliveryState, Message, Withdrawal

NEVER_BEGUN = (DeliveryState.PENDING, DeliveryState.CANCELLED)
# An update that leaves what is in the session alone.
AS_IT_IS: Any = {"synchronize_session": False}


def is_live(moment: datetime) -> ColumnElement[bool]:
    """Whether a message may still be sent: not stopped, not past its deadline."""
    return and_(col(Message.stopped_at).is_(None), col(Message.deadline) > moment)


def willing(action_id: Any, contact_point_id: Any) -> ColumnElement[bool]:
    """Whether the holder of a contact point did not say "no more about this action"."""
    return ~exists().where(col(Withdrawal.action_id) == action_id, col(Withdrawal.contact_point_id) == contact_point_id)


def waits(channel: str, state: DeliveryState) -> ColumnElement[bool]:
    """Waiting to be tried: pending for the first time, sending again after an attempt that failed."""
    return and_(col(Delivery.channel) == channel, col(Delivery.state) == state, col(Delivery.claimed_until).is_(None))
