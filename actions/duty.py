"""Control rooms and operators as conversations and the waiting line know them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from actions.models import ControlRoom, Operator


@dataclass(frozen=True)
class Room:
    """As the columns of ControlRoom say."""

    id: str
    name: str
    overflow: tuple[str, ...] = ()
    overflow_after_s: float | None = None
    closed_at: datetime | None = None
    wrap_up_s: int = 10
    switchboard: str = ""
    seats: int = 0


@dataclass(frozen=True)
class Duty:
    """An operator of a room; on duty while `since` is set, rung unless `paused`. `lent_to`: serves that room now."""

    operator_id: str
    room_id: str
    language: str
    since: datetime | None = field(compare=False)
    languages: tuple[str, ...] = ("nl", "en")
    skills: tuple[str, ...] = ()
    lent_to: str | None = None
    paused: bool = False
    number: str | None = None

    @property
    def serves(self) -> str:
        """The room whose callers come."""
        return self.lent_to or self.room_id


def as_duty(operator: Operator) -> Duty:
    """An operator as the waiting line knows one."""
    return Duty(
        operator.id,
        operator.room_id,
        operator.language,
        operator.signed_on_at,
        tuple(operator.languages),
        tuple(operator.skills),
        operator.lent_to,
        operator.paused_at is not None,
        operator.number,
    )


def as_room(room: ControlRoom) -> Room:
    """A room as conversations know it."""
    return Room(
        room.id,
        room.name,
        tuple(room.overflow),
        room.overflow_after_s,
        room.closed_at,
        room.wrap_up_s,
        room.switchboard,
        room.seats,
    )
