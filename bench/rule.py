"""The rule of the waiting line, in plain Python: what Redis must do is measured against it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from telephony.place import Post


@dataclass
class Caller:
    """`arrived`: any number that grows with time. `language`, `skill`, `preferred`: "" for any."""

    room: str
    priority: int
    arrived: int
    language: str
    skill: str
    preferred: str
    rooms: list[str] = field(default_factory=list)
    passed: set[str] = field(default_factory=set)


class Rule:
    """Calls in order of priority and arrival; each gets the preferred operator, else the longest idle of the first room
    that has one, who speaks the language, has the skill and was not passed over."""

    def __init__(self) -> None:
        self.line: dict[str, Caller] = {}
        self.posts: dict[str, Post] = {}
        self.idle: dict[str, int] = {}
        self.paired: dict[str, str] = {}
        self._clock = count()

    def waiting(self, room: str) -> list[str]:
        callers = self.line.items()
        return [call for call, who in sorted(callers, key=lambda one: _turn(one[1])) if room in who.rooms]

    def free(self, operator: str) -> None:
        if operator in self.posts:
            self.idle.setdefault(operator, next(self._clock))
        self.pair()

    def pair(self) -> None:
        for call, caller in sorted(self.line.items(), key=lambda one: _turn(one[1])):
            if operator := next(self._fitting(caller), None):
                del self.line[call], self.idle[operator]
                self.paired[call] = operator

    def _fitting(self, caller: Caller) -> Iterator[str]:
        for room in caller.rooms:
            if self.posts.get(caller.preferred, Post("")).room == room and self._fits(caller, caller.preferred):
                yield caller.preferred
        for room in caller.rooms:
            for operator in sorted(self.idle, key=self.idle.__getitem__):
                if self.posts[operator].room == room and self._fits(caller, operator):
                    yield operator

    def _fits(self, caller: Caller, operator: str) -> bool:
        post = self.posts[operator]
        return (
            operator in self.idle
            and operator not in caller.passed
            and caller.language in ("", *post.languages)
            and caller.skill in ("", *post.skills)
        )


def _turn(caller: Caller) -> tuple[int, int]:
    return caller.priority, caller.arrived
