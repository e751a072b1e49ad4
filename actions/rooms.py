"""Transactions on control rooms and operators: whose callers go where, who serves whom. Each checks first, then changes
all or nothing, with its audit row. Whoever calls one wakes the controllers afterwards (live.wake on live.DUTY)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, TypeVar

from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.books import Actor, record, tell
from actions.desk import Refused, held
from actions.duty import Duty, Room, as_duty, as_room
from actions.models import Action, ControlRoom, Operator, Region, Status, now
from actions.store import Store

T = TypeVar("T", bound=SQLModel)
EXCHANGE = re.compile(r"sip:[0-9+*]{1,20}@[A-Za-z0-9.-]{1,80}(:[0-9]{2,5})?")
LANGUAGES = ("nl", "en")
WORDS = {ControlRoom: "control room", Operator: "operator", Region: "region"}


class Rooms:
    """What a duty officer changes."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def close(self, room_id: str, actor: Actor) -> Room:
        """Its callers go to the rooms that help it out at once; talks go on. Raises Refused."""
        return await self._change_room(room_id, "close", actor, closed_at=now())

    async def open(self, room_id: str, actor: Actor) -> Room:
        """Takes callers again. Raises Refused."""
        return await self._change_room(room_id, "open", actor, closed_at=None)

    async def overflow(self, room_id: str, others: Sequence[str], after_s: float | None, actor: Actor) -> Room:
        """Its callers join the lines of these rooms too, one more every `after_s` seconds. Raises Refused."""
        if room_id in others or len(set(others)) < len(others):
            raise Refused(["a room cannot help itself out, and no room can be named twice"])
        async with self._store.writing() as session:
            for other in others:
                await _known(session, ControlRoom, other)
        return await self._change_room(
            room_id,
            "overflow",
            actor,
            overflow=list(others),
            overflow_after_s=after_s,
            next_room_id=next(iter(others), None),
        )

    async def wrap_up(self, room_id: str, seconds: int, actor: Actor) -> Room:
        """How long after a talk no caller comes to an operator of this room. Raises Refused."""
        return await self._change_room(room_id, "wrap-up", actor, wrap_up_s=seconds)

    async def switchboard(self, room_id: str, address: str, seats: int, actor: Actor) -> Room:
        """The room's own exchange, which takes so many calls at once; "" when its phones are signed on here. The node's
        configuration must be rendered anew. Raises Refused."""
        if bool(address) != bool(seats) or (address and not EXCHANGE.fullmatch(address)):
            raise Refused(["an exchange has an address like sip:NUMBER@HOST:PORT, and at least one seat"])
        return await self._change_room(room_id, "switchboard", actor, switchboard=address, seats=seats)

    async def take_over(self, region_id: str, room_id: str, actor: Actor) -> None:
        """From now on this room serves the region, with its open actions and their callers. Raises Refused."""
        async with self._store.writing() as session:
            region = await _known(session, Region, region_id)
            await _known(session, ControlRoom, room_id)
            await _serve(session, region, room_id, "take over", actor)

    async def give_back(self, region_id: str, actor: Actor) -> str:
        """The region's own room, which is returned, serves it again. Raises Refused."""
        async with self._store.writing() as session:
            region = await _known(session, Region, region_id)
            # The room of a region carries its name: data and commands know no other bond that lasts.
            home = await session.get(ControlRoom, region.id)
            if home is None:
                raise Refused([f"region {region_id!r} has no room of its own; use take-over with the room you mean"])
            await _serve(session, region, home.id, "give back", actor)
            return home.id

    async def lend(self, operator_id: str, room_id: str, actor: Actor) -> Duty:
        """The operator serves the callers of another room, until returned. Raises Refused."""
        async with self._store.writing() as session:
            await _known(session, ControlRoom, room_id)
        return await self._change_operator(operator_id, "lend", actor, lent_to=room_id)

    async def take_back(self, operator_id: str, actor: Actor) -> Duty:
        """The operator serves the own room again. Raises Refused."""
        return await self._change_operator(operator_id, "return", actor, lent_to=None)

    async def pause(self, operator_id: str, actor: Actor) -> Duty:
        """On duty, but no callers come. Raises Refused for a stranger."""
        return await self._change_operator(operator_id, "pause", actor, paused_at=now())

    async def ready(self, operator_id: str, actor: Actor) -> Duty:
        """A pause is over. Raises Refused for a stranger."""
        return await self._change_operator(operator_id, "ready", actor, paused_at=None)

    async def change_operator(
        self, operator_id: str, languages: Sequence[str] | None, skills: Sequence[str] | None, actor: Actor
    ) -> Duty:
        """Whom the operator can help; None leaves it. Raises Refused."""
        if languages is not None and (not languages or set(languages) - set(LANGUAGES)):
            raise Refused([f"languages must be some of {', '.join(LANGUAGES)}"])
        changes = {"languages": languages, "skills": skills}
        given = {name: list(value) for name, value in changes.items() if value is not None}
        return await self._change_operator(operator_id, "change", actor, **given)

    async def hand_over(self, which: str | int, room_id: str, actor: Actor) -> None:
        """The action (its spoken code, or its id) is this room's from now on, with whoever waits about it. Raises
        Refused."""
        async with self._store.writing() as session:
            action = await held(session, which)
            await _known(session, ControlRoom, room_id)
            _hand_over(session, action, room_id, actor)

    async def _change_room(self, room_id: str, verb: str, actor: Actor, **values: Any) -> Room:
        async with self._store.writing() as session:
            room = await _known(session, ControlRoom, room_id)
            _set(room, values)
            record(session, actor, verb, "room", room_id)
            tell(session, "room.changed", room_id, what=verb)
            return as_room(room)

    async def _change_operator(self, operator_id: str, verb: str, actor: Actor, **values: Any) -> Duty:
        async with self._store.writing() as session:
            operator = await _known(session, Operator, operator_id)
            _set(operator, values)
            record(session, actor, verb, "operator", operator_id)
            tell(session, "operator.changed", operator_id, what=verb)
            return as_duty(operator)


async def _known(session: AsyncSession, table: type[T], key: str) -> T:
    row = await session.get(table, key)
    if row is None:
        raise Refused([f"{WORDS[table]} {key!r} is not known"])
    return row


async def _serve(session: AsyncSession, region: Region, room_id: str, verb: str, actor: Actor) -> None:
    region.room_id = room_id
    record(session, actor, verb, "region", region.id)
    tell(session, "region.served", region.id, room=room_id)
    open_here = select(Action).where(Action.region_id == region.id, col(Action.status) == Status.OPEN)
    for action in await session.exec(open_here):
        _hand_over(session, action, room_id, actor)


def _hand_over(session: AsyncSession, action: Action, room_id: str, actor: Actor) -> None:
    action.room_id = room_id
    record(session, actor, "hand over", "action", action.id)
    tell(session, "action.handed_over", action.id, room=room_id, exercise=action.exercise)


def _set(row: SQLModel, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)
