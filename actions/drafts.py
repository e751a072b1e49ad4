"""Drafts: actions that wait for an operator to start them, typed in ahead or reported by a room's own system."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.books import Actor, record, tell
from actions.desk import (
    CODE_TRIES,
    LIFETIME,
    NO_FREE_CODE,
    NewAction,
    Refused,
    add_action,
    checked,
    faults_in_time,
    held,
    set_going,
)
from actions.geography import Area
from actions.models import Action, Kind, Operator, Region
from actions.store import Store
from actions.texts import Texts

LONGEST_INCIDENT = 36


@dataclass(frozen=True)
class Made:
    """An action, and whether this request made it: the same incident reported twice is one action."""

    action: Action
    new: bool


class Drafts:
    """The transactions on drafts. Each checks first, then changes all or nothing, with its audit row. `open_for`: how
    long an action of a kind stays open unless said otherwise."""

    def __init__(self, store: Store, open_for: Mapping[Kind, timedelta] = LIFETIME) -> None:
        self._store, self._open_for = store, open_for

    async def make(self, new: NewAction, actor: Actor, incident: str | None = None, *, start: bool = False) -> Made:
        """A draft, or with `start` an open action. `incident`: the number (at most 36 signs) under which the room's
        own system knows it; a number reported before gives the action it became, unchanged. Raises Refused."""
        new, area = await checked(self._store, new)
        for _ in range(CODE_TRIES):
            try:
                return await self._make(new, area, actor, incident, start=start)
            except IntegrityError:
                continue  # the code was taken, or the incident reported, a moment ago
        raise Refused([NO_FREE_CODE])

    async def start(
        self,
        action_id: int,
        actor: Actor,
        operator_id: str | None = None,
        ends_after: timedelta | None = None,
    ) -> Action:
        """Opens a draft; its callers ring `operator_id` first; it ends by itself after `ends_after` (None: as its kind
        is set). Raises Refused."""
        if ends_after is not None and (faults := faults_in_time(ends_after)):
            raise Refused(faults)
        for _ in range(CODE_TRIES):
            try:
                return await self._start(action_id, actor, operator_id, ends_after)
            except IntegrityError:
                continue
        raise Refused([NO_FREE_CODE])

    async def _make(self, new: NewAction, area: Area, actor: Actor, incident: str | None, *, start: bool) -> Made:
        async with self._store.writing() as session:
            room_id = new.room_id or (await session.get_one(Region, new.region_id)).room_id
            reference = f"{room_id}:{incident}" if incident else None
            if known := await _reported(session, reference):
                return Made(known, new=False)
            action = await add_action(session, new, area)
            action.incident = reference
            if start:
                open_for = new.ends_after or self._open_for[Kind(new.kind)]
                await set_going(session, action, new.texts, actor, open_for)
            else:
                action.draft_texts = {language: list(words) for language, words in new.texts.items()}
                record(session, actor, "draft", "action", action.id)
                tell(session, "action.drafted", action.id, exercise=action.exercise)
            await session.flush()
        return Made(action, new=True)

    async def _start(
        self, action_id: int, actor: Actor, operator_id: str | None, ends_after: timedelta | None
    ) -> Action:
        async with self._store.writing() as session:
            action = await held(session, action_id)
            if operator_id:
                if await session.get(Operator, operator_id) is None:
                    raise Refused([f"operator {operator_id!r} is not known"])
                action.started_by = operator_id
            open_for = ends_after or self._open_for[Kind(action.kind)]
            await set_going(session, action, draft_texts(action), actor, open_for)
            await session.flush()
        return action


def draft_texts(action: Action) -> Texts:
    """The words that wait in a draft."""
    return {language: (title, body) for language, (title, body) in (action.draft_texts or {}).items()}


def incident_of(action: Action) -> str | None:
    """The number under which the room's own system knows an action; each room counts for itself."""
    return action.incident.partition(":")[2] if action.incident else None


async def _reported(session: AsyncSession, reference: str | None) -> Action | None:
    if not reference:
        return None
    return (await session.exec(select(Action).where(col(Action.incident) == reference))).first()
