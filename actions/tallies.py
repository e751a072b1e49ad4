"""What each action came to: counted once its deliveries change no more, and kept, so that statistics stay quick."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.desk import RESULT_LIFETIME
from actions.models import Action, Attempt, Call, Delivery, Message, MessageKind, Status, Tally, Tip, now
from actions.reach import BEST_FIRST, REACHED, best_of_each
from actions.store import Store

# Receipts of a result still come for a while after nothing more is sent.
SETTLED_AFTER = RESULT_LIFETIME + timedelta(hours=1)
MOST = 100


async def settle(store: Store) -> bool:
    """Counts actions that are over for long enough and not counted yet; whether there may be more. Two who do so at
    once keep one count. Raises what the database raises."""
    counted = select(Tally.action_id).where(col(Tally.action_id) == Action.id).exists()
    query = (
        select(Action.id)
        .where(Action.status == Status.ENDED, col(Action.started_at).is_not(None), ~counted)
        .where(col(Action.ended_at) < now() - SETTLED_AFTER)
        .order_by(col(Action.id))
        .limit(MOST)
    )
    async with store.reading() as session:
        ids = [found for found in await session.exec(query) if found is not None]
        rows = await tallied(session, ids)
    if rows:
        table: Any = Tally.__table__  # type: ignore[attr-defined]
        async with store.writing() as session:
            await session.exec(store.insert_new(table).values([row.model_dump() for row in rows]))
    return len(ids) == MOST


async def tallied(session: AsyncSession, action_ids: Collection[int]) -> Sequence[Tally]:
    """What these actions came to so far."""
    if not action_ids:
        return []
    started = select(Action.id, Action.started_at).where(col(Action.id).in_(action_ids))
    people = await _people(session, action_ids)
    calls = await _calls(session, action_ids)
    tips = await _tips(session, action_ids)
    first = await _first_alerts(session, action_ids)
    found = []
    for action_id, start in await session.exec(started):
        if action_id is None or start is None:
            continue
        alerted, reached = people.get(action_id, (0, 0))
        many, earliest = calls.get(action_id, (0, None))
        found.append(
            Tally(
                action_id=action_id,
                people=alerted,
                reached=reached,
                calls=many,
                tips=tips.get(action_id, 0),
                first_alert_s=_after(start, first.get(action_id)),
                first_call_s=_after(start, earliest),
            )
        )
    return found


async def _people(session: AsyncSession, action_ids: Collection[int]) -> Mapping[int, tuple[int, int]]:
    """By action: people for whom an attempt began, and those of them who were reached; not by its result."""
    looking_out = col(Message.action_id).in_(action_ids) & (col(Message.kind) != MessageKind.RESULT)
    each = best_of_each(looking_out).subquery("each")
    best = func.min(each.c.best).label("best")
    person: Any = select(each.c.action_id, each.c.person, best).group_by(each.c.action_id, each.c.person)
    one = person.subquery("one").c
    begun = func.sum(case((one.best < BEST_FIRST.index("waiting"), 1), (one.best == _NOT_REACHED, 1), else_=0))
    reached = func.sum(case((one.best < len(REACHED), 1), else_=0))
    query: Any = select(one.action_id, begun, reached).group_by(one.action_id)
    return {action: (int(many), int(certain)) for action, many, certain in await session.exec(query)}


async def _calls(session: AsyncSession, action_ids: Collection[int]) -> Mapping[int, tuple[int, datetime | None]]:
    """By action: how many called in, and when the first did."""
    query = (
        select(Call.action_id, func.count(col(Call.id)), func.min(Call.arrived_at))
        .where(col(Call.action_id).in_(action_ids), Call.direction == "in")
        .group_by(col(Call.action_id))
    )
    return {action: (many, first) for action, many, first in await session.exec(query) if action is not None}


async def _tips(session: AsyncSession, action_ids: Collection[int]) -> Mapping[int, int]:
    query = select(Tip.action_id, func.count(col(Tip.id))).where(col(Tip.action_id).in_(action_ids))
    found = await session.exec(query.group_by(col(Tip.action_id)))
    return {action: many for action, many in found if action is not None}


async def _first_alerts(session: AsyncSession, action_ids: Collection[int]) -> Mapping[int, datetime]:
    """By action: when its first alert left."""
    query = (
        select(Message.action_id, func.min(Attempt.started_at))
        .join(Delivery, col(Delivery.message_id) == Message.id)
        .join(Attempt, col(Attempt.delivery_id) == Delivery.id)
        .where(col(Message.action_id).in_(action_ids), Message.kind == MessageKind.ALERT)
        .group_by(col(Message.action_id))
    )
    return dict((await session.exec(query)).all())


def _after(start: datetime, moment: datetime | None) -> float | None:
    return None if moment is None else max(0.0, (moment - start).total_seconds())


_NOT_REACHED = BEST_FIRST.index("not_reached")
