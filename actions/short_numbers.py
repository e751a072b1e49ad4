"""Short numbers of operators and rooms: what an operator keys during a talk to ask somebody in or to hand over."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlmodel import select

from actions.books import Actor, record
from actions.desk import Refused
from actions.models import ControlRoom, Operator
from actions.store import Store

_NUMBER = re.compile(r"[0-9]{1,6}")


@dataclass(frozen=True)
class Colleague:
    operator_id: str
    room_id: str


class ShortNumbers:
    """One number belongs to one operator or one room."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def whose(self, number: str) -> Colleague | str | None:
        """An operator, the id of a room, or nobody. Raises what the database raises."""
        async with self._store.reading() as session:
            operator = (await session.exec(select(Operator).where(Operator.number == number))).first()
            if operator:
                return Colleague(operator.id, operator.room_id)
            room = (await session.exec(select(ControlRoom).where(ControlRoom.number == number))).first()
        return room.id if room else None

    async def give(self, name: str, number: str, actor: Actor) -> None:
        """Gives a number to the operator or room called `name`; it must be nobody else's. Raises Refused."""
        if not _NUMBER.fullmatch(number):
            raise Refused([f"{number!r} is no short number: use 1 to 6 digits"])
        if holder := await self.whose(number):
            holder = holder if isinstance(holder, str) else holder.operator_id
            raise Refused([f"{number} is the number of {holder} already"])
        async with self._store.writing() as session:
            operator, room = await session.get(Operator, name), await session.get(ControlRoom, name)
            if operator:
                operator.number = number
            elif room:
                room.number = number
            else:
                raise Refused([f"no operator and no room is called {name!r}; `burgernet operator list` shows them"])
            record(session, actor, "number", "operator" if operator else "room", name)
