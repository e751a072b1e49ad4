"""Reading for those who look on: actions and calls, page by page, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, false, func, or_
from sqlmodel import col, select

from actions.books import Actor, record
from actions.drafts import draft_texts
from actions.models import Action, Call, Message, MessageKind, MessageText, Status
from actions.store import Store
from actions.texts import Texts


@dataclass(frozen=True)
class Listed:
    """An action with the words of its alert, or of its draft."""

    action: Action
    texts: Texts


@dataclass(frozen=True)
class Place:
    """Where a page of calls ended."""

    arrived_at: datetime
    call_id: str


class Listing:
    """Queries, each bounded by `most` rows."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def action(self, action_id: int) -> Listed | None:
        found = await self._listed(select(Action).where(col(Action.id) == action_id))
        return found[0] if found else None

    async def with_code(self, code: str) -> Listed | None:
        """The open action with this spoken code, else the newest that had it."""
        newest = col(Action.status) == Status.OPEN, col(Action.id)
        query = select(Action).where(Action.code == code, col(Action.code) != "")
        found = await self._listed(query.order_by(*(order.desc() for order in newest)).limit(1))
        return found[0] if found else None

    async def actions(self, most: int, room_id: str | None, status: str | None, before: int | None) -> list[Listed]:
        """Actions of a room (None: of all), of one status if given, older than the action with id `before`."""
        query = select(Action).order_by(col(Action.id).desc()).limit(most)
        if room_id:
            query = query.where(Action.room_id == room_id)
        if status:
            query = query.where(Action.status == status)
        if before:
            query = query.where(col(Action.id) < before)
        return await self._listed(query)

    async def calls(
        self, most: int, actor: Actor, room_id: str | None, action_id: int | None, after: Place | None
    ) -> list[tuple[Call, bool]]:
        """Calls of a room (None: of all) and an action (None: whatever it was about), each with whether that is an
        exercise; that they were consulted is written down with it."""
        query = select(Call, func.coalesce(Action.exercise, false())).outerjoin(
            Action, col(Action.id) == Call.action_id
        )
        query = query.order_by(col(Call.arrived_at).desc(), col(Call.id)).limit(most)
        if room_id:
            query = query.where(Call.room_id == room_id)
        if action_id:
            query = query.where(Call.action_id == action_id)
        if after:
            earlier, same = col(Call.arrived_at) < after.arrived_at, col(Call.arrived_at) == after.arrived_at
            query = query.where(or_(earlier, and_(same, col(Call.id) > after.call_id)))
        async with self._store.writing() as session:
            record(
                session, actor, "consult", "calls of action" if action_id else "calls", action_id or room_id or "all"
            )
            return [(call, bool(about)) for call, about in await session.exec(query)]

    async def _listed(self, query: object) -> list[Listed]:
        async with self._store.reading() as session:
            actions: list[Action] = list(await session.exec(query))  # type: ignore[call-overload]
            ids = [action.id for action in actions]
            alerts = (
                select(Message.action_id, MessageText)
                .join(MessageText, col(MessageText.message_id) == Message.id)
                .where(col(Message.action_id).in_(ids), Message.kind == MessageKind.ALERT)
            )
            texts: dict[int, dict[str, tuple[str, str]]] = {}
            for action_id, words in await session.exec(alerts):
                texts.setdefault(action_id, {})[words.language] = (words.title, words.body)
        return [Listed(action, texts.get(action.id or 0) or draft_texts(action)) for action in actions]
