"""How the area of an open action follows its search: as time passes, and when somebody was seen elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.books import Actor, record, tell
from actions.models import Action, Kind, Message, MessageKind, Status
from actions.search import Search
from actions.store import Store

GROWN = Actor("burgernet", "alerting role", "time passes: the one we look for may be farther away")


def put_on(action: Action, search: Search, moment: datetime) -> None:
    """Makes a search that of an action: people are told from the place where somebody was last seen."""
    kind = Kind(action.kind)
    grows_at = search.grows_at(kind, moment)
    action.area, (action.x, action.y) = search.area(kind, moment), search.origin
    action.search = {**search.kept(), "grows_at": grows_at.isoformat() if grows_at else None}


async def due(store: Store, moment: datetime) -> list[int]:
    """The open actions whose area is to grow now."""
    query = select(Action.id, Action.search).where(Action.status == Status.OPEN, col(Action.search).is_not(None))
    async with store.reading() as session:
        rows = list(await session.exec(query))
    return [key for key, search in rows if key and search and _is_due(search, moment)]


async def grow(store: Store, action_id: int, moment: datetime) -> bool:
    """Lets the area of an action grow, if it is still open and due: the current message goes to those whom it covers
    now and did not before. Whether it grew."""
    async with store.writing() as session:
        action = await _held(session, action_id)
        if action.status != Status.OPEN or not action.search or not _is_due(action.search, moment):
            return False
        await follow(session, action, Search.of(action.search), moment)
        record(session, GROWN, "grow", "action", action.id)
    return True


async def follow(session: AsyncSession, action: Action, search: Search, moment: datetime) -> None:
    """The area of an open action that is held follows its search, and the audience of its message is written again."""
    message = await current_message(session, action)
    before = action.search or {}
    put_on(action, search, moment)
    assert action.search is not None
    action.search["growth"] = int(before.get("growth", 0)) + 1
    if message:
        action.search["written"] = {"message": message.id, "rings": message.rings}
        message.audience_written_at = None
    radius = round(search.radius(Kind(action.kind), moment))
    tell(session, "action.area", action.id, radius=radius, exercise=action.exercise)


async def current_message(session: AsyncSession, action: Action) -> Message | None:
    """What is being told about an action: its newest alert or update for everybody that is not stopped."""
    query = (
        select(Message)
        .where(Message.action_id == action.id, col(Message.kind).in_((MessageKind.ALERT, MessageKind.UPDATE)))
        .where(col(Message.stopped_at).is_(None), col(Message.followers).is_(False))
        .order_by(col(Message.id).desc())
        .limit(1)
        .with_for_update()
    )
    return (await session.exec(query)).first()


def _is_due(search: Mapping[str, Any], moment: datetime) -> bool:
    return bool(search.get("grows_at")) and datetime.fromisoformat(search["grows_at"]) <= moment


async def _held(session: AsyncSession, action_id: int) -> Action:
    return (await session.exec(select(Action).where(col(Action.id) == action_id).with_for_update())).one()
