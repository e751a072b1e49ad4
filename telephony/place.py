"""One caller's place, or place of somebody to be called back, in the lines of one room or several."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any, Protocol

from telephony.wait_estimate import InLine, Standing, standing


@dataclass(frozen=True)
class Post:
    """Where an operator serves, and whom. `endpoint` is what Asterisk rings; `wrap_up_s` the time after each talk in
    which no caller comes."""

    room: str
    languages: tuple[str, ...] = ("nl", "en")
    skills: tuple[str, ...] = ()
    endpoint: str = ""
    wrap_up_s: float = 0

    def text(self) -> str:
        """As Redis keeps it."""
        return json.dumps(
            {
                "room": self.room,
                "languages": self.languages,
                "skills": self.skills,
                "endpoint": self.endpoint,
                "wrap_up_ms": int(self.wrap_up_s * 1000),
            }
        )


@dataclass(frozen=True)
class Roll:
    """Who is on duty, by name. `elsewhere`: on duty too, and looked after by the controllers of another node."""

    posts: Mapping[str, Post]
    elsewhere: frozenset[str] = frozenset()


class Staff(IntEnum):
    """Who is on duty in some rooms, for a caller of some language."""

    NOBODY = 0
    OTHERS = 1  # nobody who speaks it
    SPEAKS = 2


@dataclass(frozen=True)
class Taken:
    """An operator claimed for a call. `room` is where the operator serves now; `endpoint` is what our Asterisk
    rings."""

    operator: str
    room: str
    endpoint: str


def taken(operator: str, post: Mapping[str, Any], node: str) -> Taken:
    """As seen from a node, from what Redis keeps of the post: nothing is left of one who signed off meanwhile."""
    endpoint = post.get("endpoint") or f"PJSIP/{operator}"
    return Taken(operator, post.get("room", ""), endpoint.removesuffix(f"@{trunk_to(node)}"))


def endpoint_at(account: str, node: str) -> str:
    """What the Asterisk of every other node rings to reach a phone that is registered with this one."""
    return f"PJSIP/{account}@{trunk_to(node)}"


def trunk_to(node: str) -> str:
    """The account of the trunk to another node."""
    return f"node-{node}"


@dataclass
class Waiter:
    """What must be told to Redis again when it lost everything."""

    app: str
    rooms: list[str]
    priority: int
    arrived_at: datetime
    language: str
    skill: str
    preferred: str
    passed: list[str] = field(default_factory=list)
    held: str = ""
    # The pairing that taking the place told of: the operator, and the post as Redis keeps it.
    offered: tuple[str, str] | None = None
    awake: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def score(self) -> float:
        return place_in_line(self.priority, self.arrived_at)

    def text(self) -> str:
        """As Redis keeps it."""
        told = ("app", "rooms", "language", "skill", "preferred", "passed", "priority")
        return json.dumps({name: getattr(self, name) for name in told})


class Lines(Protocol):
    """What a place asks of the waiting line. Each raises LineAway."""

    async def paired(self, call_id: str, waiter: Waiter) -> Taken | None: ...
    async def rejoin(self, call_id: str, waiter: Waiter) -> None: ...
    async def in_lines(self, call_id: str) -> list[InLine]: ...
    async def release(self, operator: str, call_id: str) -> None: ...


def place_in_line(priority: int, arrived_at: datetime) -> float:
    """The order of service: lower first. `priority` 0 (most urgent) to 80; then who arrived first (milliseconds)."""
    return priority * 1e14 + int(arrived_at.timestamp() * 1000)


class Place:
    """A place that is kept until the block of `waiting_for` ends. Every method raises LineAway."""

    def __init__(self, line: Lines, call_id: str, waiter: Waiter) -> None:
        self._line, self._call_id, self._waiter = line, call_id, waiter

    @property
    def rooms(self) -> tuple[str, ...]:
        """The rooms in whose lines the caller stands, the own one first."""
        return tuple(self._waiter.rooms)

    @property
    def language(self) -> str:
        """What the operator must speak; "" when any will do."""
        return self._waiter.language

    async def operator(self) -> Taken:
        """Waits until an operator is claimed for this call. Has no bound of its own: the caller of this sets one, and
        may ask again."""
        waiter = self._waiter
        while True:
            await waiter.awake.wait()
            waiter.awake.clear()
            try:
                found = await self._line.paired(self._call_id, waiter)
            except BaseException:
                waiter.awake.set()  # whoever asks again looks again
                raise
            if found:
                return found

    async def let_go(self) -> None:
        """The operator did not answer: passed over for this call, and free again unless away. The caller keeps the
        place."""
        operator, self._waiter.held = self._waiter.held, ""
        self._waiter.passed.append(operator)
        await self._line.release(operator, self._call_id)
        await self._line.rejoin(self._call_id, self._waiter)

    async def also_in(self, room: str) -> None:
        """Stands in this room's line too: whoever is free first, anywhere, takes the caller out of all."""
        if room not in self._waiter.rooms:
            self._waiter.rooms.append(room)
            await self._line.rejoin(self._call_id, self._waiter)

    async def moves_to(self, room: str) -> None:
        """From now on this is the caller's own room; the first one is left."""
        self._waiter.rooms[:] = [room, *(other for other in self._waiter.rooms[1:] if other != room)]
        await self._line.rejoin(self._call_id, self._waiter)

    async def wants(self, language: str) -> None:
        """From now on an operator who speaks this; "" when any will do."""
        if language != self._waiter.language:
            self._waiter.language = language
            await self._line.rejoin(self._call_id, self._waiter)

    async def becomes(self, priority: int) -> None:
        """More urgent, or less, than was thought: `priority` 0 (most urgent) to 80."""
        self._waiter.priority = priority
        await self._line.rejoin(self._call_id, self._waiter)

    async def standing(self) -> Standing:
        """The place in line and the wait to expect; place 0 for who is being served."""
        return standing(await self._line.in_lines(self._call_id))
