"""Not too often to one telephone, however many actions look for it: carriers block who calls all the time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from actions.models import Attempt, Delivery

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Throttle:
    """Attempts at one telephone by one channel: at least `apart_s` seconds apart, at most `an_hour` in any hour."""

    apart_s: float
    an_hour: int

    def allows(self, moment: datetime) -> ColumnElement[bool]:
        """Whether the telephone of a delivery may be tried at this moment."""
        apart = moment - timedelta(seconds=self.apart_s)
        return and_(_attempts_since(apart) == 0, _attempts_since(moment - HOUR) < self.an_hour)


VOICE = Throttle(apart_s=15, an_hour=8)
TEXTS = Throttle(apart_s=0, an_hour=20)


def _attempts_since(moment: datetime) -> Any:
    same: Any = aliased(Delivery)
    return (
        select(func.count())
        .select_from(Attempt)
        .join(same, same.id == col(Attempt.delivery_id))
        .where(same.contact_point_id == Delivery.contact_point_id, same.channel == Delivery.channel)
        .where(col(Attempt.started_at) > moment)
        .correlate(Delivery)
        .scalar_subquery()
    )
