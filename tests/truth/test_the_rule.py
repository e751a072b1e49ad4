"""Any sequence of arrivals, offers, refusals, hang-ups, talks, at two controllers: the line in Redis pairs exactly
as bench/rule.py says in a few lines of plain Python."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, suppress
from datetime import timedelta
from itertools import count
from random import Random
from unittest.mock import patch

from hypothesis import HealthCheck, settings
from hypothesis import given as cases
from hypothesis import strategies as st
from redis.asyncio import Redis

from bench.rule import Caller, Rule
from telephony.place import Place, Post
from tests.truth.lines import NOON, Controller, controllers, gets, given, order_of_service

ROOMS = ("rotterdam", "den-haag")
LANGUAGES = (("nl",), ("en",), ("nl", "en"))


class Story:
    """What happens, to the line and to the rule alike."""

    def __init__(self, chance: Random, team: list[Controller]) -> None:
        self.rule, self._chance, self._team = Rule(), chance, team
        self._places: dict[str, tuple[AbstractAsyncContextManager[Place], Place, Caller, Controller]] = {}
        self._talks: dict[str, tuple[str, Controller]] = {}
        self._calls = count()

    async def goes_on(self) -> None:
        happenings = [self.arrives, self.arrives, self.offers, self.offers, self.goes_away, self.becomes, self.widens]
        if self.rule.paired:
            happenings += [self.refuses, self.answers, self.answers]
        if self._talks:
            happenings += [self.talked, self.talked]
        if self._places:
            happenings += [self.hangs_up]
        await self._chance.choice(happenings)()

    async def arrives(self) -> None:
        pick, number = self._chance.choice, next(self._calls)
        call, controller = f"call-{number}", pick(self._team)
        caller = Caller(
            pick(ROOMS), pick((0, 20)), self._chance.randrange(60) * 1000 + number, pick(("", "nl", "en")),
            pick(("", "", "water")), pick(("", "op-0", "op-3")),
        )  # fmt: skip
        caller.rooms.append(caller.room)
        opened = controller.line.waiting_for(
            caller.room, call, caller.priority, NOON + timedelta(minutes=caller.arrived),
            language=caller.language, skill=caller.skill, preferred=caller.preferred,
        )  # fmt: skip
        self._places[call] = opened, await opened.__aenter__(), caller, controller
        self.rule.line[call] = caller
        self.rule.pair()

    async def offers(self) -> None:
        operator, pick = f"op-{self._chance.randrange(5)}", self._chance.choice
        post = Post(pick(ROOMS), pick(LANGUAGES), pick(((), ("water",))))
        await pick(self._team).line.offer(operator, post)
        if operator in self.rule.posts and self.rule.posts[operator].room != post.room:
            self.rule.idle.pop(operator, None)
        self.rule.posts[operator] = post
        if operator not in self._taken():
            self.rule.free(operator)

    async def goes_away(self) -> None:
        operator = f"op-{self._chance.randrange(5)}"
        await self._chance.choice(self._team).line.away(operator)
        self.rule.posts.pop(operator, None)
        self.rule.idle.pop(operator, None)

    async def becomes(self) -> None:
        for call in self._some_in_line():
            _, place, caller, _ = self._places[call]
            caller.priority = self._chance.choice((0, 10, 20))
            await place.becomes(caller.priority)

    async def widens(self) -> None:
        for call in self._some_in_line():
            _, place, caller, _ = self._places[call]
            caller.rooms[:] = dict.fromkeys((*caller.rooms, *ROOMS))
            for room in ROOMS:
                await place.also_in(room)
            self.rule.pair()

    async def refuses(self) -> None:
        call, operator = self._chance.choice(sorted(self.rule.paired.items()))
        _, place, caller, _ = self._places[call]
        assert await gets(place) == operator
        await place.let_go()
        del self.rule.paired[call]
        caller.passed.add(operator)
        self.rule.free(operator)
        self.rule.line[call] = caller
        self.rule.pair()

    async def answers(self) -> None:
        call, operator = self._chance.choice(sorted(self.rule.paired.items()))
        opened, place, _, controller = self._places.pop(call)
        assert await gets(place) == operator
        await opened.__aexit__(None, None, None)
        del self.rule.paired[call]
        self._talks[operator] = call, controller

    async def talked(self) -> None:
        operator = self._chance.choice(sorted(self._talks))
        call, controller = self._talks.pop(operator)
        await controller.line.release(operator, call)
        self.rule.free(operator)

    async def hangs_up(self) -> None:
        call = self._chance.choice(sorted(self._places))
        opened, _, _, _ = self._places.pop(call)
        gone = ConnectionResetError()
        with suppress(ConnectionResetError):
            await opened.__aexit__(type(gone), gone, None)
        self.rule.line.pop(call, None)
        if operator := self.rule.paired.pop(call, None):
            self.rule.free(operator)

    async def ends(self) -> None:
        while self._places:
            await self.hangs_up()

    def _taken(self) -> set[str]:
        return {*self.rule.paired.values(), *self._talks}

    def _some_in_line(self) -> list[str]:
        return self._chance.sample(sorted(self.rule.line), min(1, len(self.rule.line)))


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@cases(seed=st.integers(0, 2**32))
async def test_whatever_happens_the_line_pairs_as_the_rule_says(redis: Redis, seed: int) -> None:
    clock = count(1)
    with patch("telephony.waiting_line._now_ms", lambda: next(clock)):
        async with controllers(redis, {}, "one", "two") as team:
            story = Story(Random(seed), team)
            for _ in range(60):
                await story.goes_on()
                assert await given(redis) == story.rule.paired
                for room in ROOMS:
                    assert await order_of_service(redis, room) == story.rule.waiting(room)
            await story.ends()
