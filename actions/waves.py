"""How far the waves of actions are: counted by the database, for all whom it concerns at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.models import Action, Call, Delivery, Message, Status, Tip, now
from actions.reach import Count, Reach, summed
from actions.store import Store

# So long after its end an action is still of interest: its result goes out.
AFTERWARDS = timedelta(minutes=15)
# The pace is that of the time since it was counted before, but not of less than this.
LEAST_S = 1.0


@dataclass(frozen=True)
class Wave:
    """`messages`: oldest first, without people. `decided`: deliveries that wait for nothing more. `pace`: how many of
    them a minute, since it was counted before."""

    action_id: int
    code: str
    room_id: str
    status: str
    exercise: bool
    messages: list[Reach] = field(default_factory=list)
    calls: int = 0
    tips: int = 0
    pace: float = 0.0

    @property
    def decided(self) -> int:
        return sum(reach.total - reach.waiting for reach in self.messages)

    @property
    def total(self) -> int:
        return sum(reach.total for reach in self.messages)


@dataclass(frozen=True)
class _Before:
    at: datetime
    decided: int
    pace: float


class Waves:
    """Keeps what was counted before, for the pace."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._before: dict[int, _Before] = {}

    async def of_interest(self) -> Mapping[int, str]:
        """The actions that are open or ended a moment ago: id -> room."""
        lately = or_(col(Action.status) == Status.OPEN, col(Action.ended_at) > now() - AFTERWARDS)
        async with self._store.reading() as session:
            found = await session.exec(select(Action.id, Action.room_id).where(lately))
            return {action: room for action, room in found if action is not None}

    async def look(self, action_ids: Collection[int]) -> list[Wave]:
        """Their waves now, by id, in a few queries for all together. Raises what the database raises."""
        if not action_ids:
            return []
        async with self._store.reading() as session:
            query: Any = select(Action.id, Action.code, Action.room_id, Action.status, Action.exercise)  # type: ignore[call-overload]
            actions = list(await session.exec(query.where(col(Action.id).in_(action_ids)).order_by(col(Action.id))))
            counts = await _counts(session, action_ids)
            calls = await _many(session, Call, action_ids, Call.direction == "in")
            tips = await _many(session, Tip, action_ids)
        moment = now()
        waves = []
        for action, code, room, status, exercise in actions:
            messages = summed(counts.get(action, []))
            decided = sum(reach.total - reach.waiting for reach in messages)
            pace = self._pace(action, decided, moment)
            many = calls.get(action, 0), tips.get(action, 0)
            waves.append(Wave(action, code, room, status, exercise, messages, *many, pace))
        self._before = {action: before for action, before in self._before.items() if action in action_ids}
        return waves

    def _pace(self, action_id: int, decided: int, moment: datetime) -> float:
        before = self._before.get(action_id)
        if before and (passed := (moment - before.at).total_seconds()) < LEAST_S:
            return before.pace
        pace = max(0.0, (decided - before.decided) * 60 / passed) if before else 0.0
        self._before[action_id] = _Before(moment, decided, pace)
        return pace


async def _counts(session: AsyncSession, action_ids: Collection[int]) -> Mapping[int, list[Count]]:
    apart = (
        col(Message.action_id),
        col(Message.id),
        col(Message.kind),
        col(Delivery.ring),
        col(Delivery.channel),
        col(Delivery.state),
    )
    query: Any = (
        select(*apart, func.count(col(Delivery.id)))  # type: ignore[call-overload]
        .join(Delivery, col(Delivery.message_id) == Message.id)
        .where(col(Message.action_id).in_(action_ids))
        .group_by(*apart)
        .order_by(col(Message.id), col(Delivery.ring), col(Delivery.channel), col(Delivery.state))
    )
    found: dict[int, list[Count]] = {}
    for action, message, kind, ring, channel, state, many in await session.exec(query):
        found.setdefault(action, []).append(Count(message, kind, ring, channel, state, None, many))
    return found


async def _many(session: AsyncSession, table: Any, action_ids: Collection[int], *conditions: Any) -> Mapping[int, int]:
    query = select(table.action_id, func.count()).where(table.action_id.in_(action_ids), *conditions)
    return dict((await session.exec(query.group_by(table.action_id))).all())
