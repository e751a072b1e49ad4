"""Two Asterisk nodes on one Redis: each looks after the operators whose phones are registered with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from redis.asyncio import Redis

from actions.desk import Desk
from actions.duty import Duty, Room
from burgernet.base import Base
from burgernet.lost_nodes import LostNodes
from burgernet.roster import Roster
from telephony.contacts import Contacts
from telephony.nodes import Nodes, presence
from telephony.waiting_line import WaitingLine
from tests.conversations.exchange import until
from tests.truth.lines import NOON, free, gets

ON_DUTY, AT_HOME = "rotterdam-1", "rotterdam-2"


class Books:
    """The register of operators, with one room."""

    def __init__(self) -> None:
        self.on_duty = {ON_DUTY}

    async def rooms(self) -> dict[str, Room]:
        return {
            "rotterdam": cast(
                Room, SimpleNamespace(id="rotterdam", switchboard="", seats=0, wrap_up_s=0, closed_at=None)
            )
        }

    async def operators(self) -> list[Duty]:
        return [cast(Duty, _duty(name, name in self.on_duty)) for name in (ON_DUTY, AT_HOME)]


def _duty(name: str, on_duty: bool) -> Any:
    since = NOON if on_duty else None
    return SimpleNamespace(
        operator_id=name, serves="rotterdam", languages=("nl",), language="nl", skills=(), since=since, paused=False
    )


class Node:
    """The roster and the line of one controller, of a node whose phones are told."""

    def __init__(self, redis: Redis, books: Books, name: str, other: str) -> None:
        self.redis, self.asterisk = redis, asyncio.Event()
        self.nodes = Nodes(redis, name, [f"burgernet-{name}"], [other])
        self.roster = Roster(cast(Desk, books), redis, self.nodes)
        self.contacts = Contacts(self.roster.phone_changed)
        self.line = WaitingLine(redis, f"burgernet-{name}", self.roster.on_duty, name)
        self.nodes.watch(self.asterisk)
        self.roster.watch(self.contacts, self.line)

    async def lives(self) -> None:
        self.asterisk.set()
        self.contacts.booted.set()
        await self.nodes.renew()
        await self.looks()

    async def looks(self) -> None:
        """As every 10 s."""
        await self.line.restore()

    async def phone(self, account: str, *, there: bool = True) -> None:
        await self.contacts._set(account, reachable=there)
        await self.looks()

    async def dies(self) -> None:
        """So long ago that nothing of it counts any more."""
        self.asterisk.clear()
        await self.redis.delete(presence(self.nodes.own))

    async def finds(self) -> str:
        """What is rung for a caller of this node."""
        async with self.line.waiting_for("rotterdam", f"{self.nodes.own}-call", 20, NOON) as place:
            assert await gets(place) == ON_DUTY
            endpoint = await self.line.reached_at(ON_DUTY)
            await place.let_go()
        return endpoint


@pytest.fixture
async def books() -> Books:
    return Books()


@pytest.fixture
async def pair(redis: Redis, books: Books) -> tuple[Node, Node]:
    await redis.flushall()
    a, b = Node(redis, books, "a", "b"), Node(redis, books, "b", "a")
    await a.lives()
    await b.lives()
    return a, b


async def test_a_controller_leaves_the_operators_of_the_other_node_alone(redis: Redis, pair: tuple[Node, Node]) -> None:
    a, b = pair
    await b.phone(ON_DUTY)
    for _ in range(3):
        await a.looks()
        await a.roster.look_at(ON_DUTY)
        assert await free(redis) == {ON_DUTY}
    await b.phone(ON_DUTY, there=False)
    assert await free(redis) == set()
    await a.looks()
    assert await free(redis) == set()


async def test_who_signs_on_at_one_node_comes_into_the_line_whoever_looks_first(
    redis: Redis, books: Books, pair: tuple[Node, Node]
) -> None:
    a, b = pair
    await b.phone(AT_HOME)
    books.on_duty.add(AT_HOME)
    await asyncio.gather(a.looks(), b.looks(), a.looks())
    assert await free(redis) == {AT_HOME}


async def test_an_operator_is_rung_through_the_node_of_the_phone(pair: tuple[Node, Node]) -> None:
    a, b = pair
    await b.phone(ON_DUTY)
    assert await a.finds() == f"PJSIP/{ON_DUTY}@node-b"
    assert await b.finds() == f"PJSIP/{ON_DUTY}"


async def test_a_phone_belongs_to_the_node_where_it_registered_last(pair: tuple[Node, Node]) -> None:
    a, b = pair
    await a.phone(ON_DUTY)
    await b.phone(ON_DUTY)
    await a.looks()
    assert await a.finds() == f"PJSIP/{ON_DUTY}@node-b"
    await b.phone(ON_DUTY, there=False)
    await a.looks()
    assert await a.finds() == f"PJSIP/{ON_DUTY}"


async def test_a_dead_nodes_operators_are_away_and_come_back_with_it(redis: Redis, pair: tuple[Node, Node]) -> None:
    a, b = pair
    await b.phone(ON_DUTY)
    await b.dies()
    await a.looks()
    assert await free(redis) == set()
    await b.looks()  # its controller may live without its Asterisk
    assert await free(redis) == set()
    await b.lives()
    assert await free(redis) == {ON_DUTY}
    await a.looks()
    assert await free(redis) == {ON_DUTY}


async def test_a_dead_nodes_operator_who_registers_with_the_survivor_is_rung_there(
    redis: Redis, pair: tuple[Node, Node]
) -> None:
    a, b = pair
    await b.phone(ON_DUTY)
    await b.dies()
    await a.phone(ON_DUTY)
    assert await free(redis) == {ON_DUTY}
    assert await a.finds() == f"PJSIP/{ON_DUTY}"


class Watching:
    """A survivor's sight of the other node."""

    def __init__(self, node: Node, bound_s: float = 0.0) -> None:
        base = SimpleNamespace(settings=SimpleNamespace(node_lost_s=bound_s), redis=node.redis)
        self.lost = LostNodes(cast(Base, base), node.nodes, node.contacts, node.roster).lost
        node.contacts.listed.set()


async def test_a_node_is_lost_when_it_is_silent_and_unreachable_for_so_long(pair: tuple[Node, Node]) -> None:
    a, b = pair
    lost = Watching(a, bound_s=1.0).lost
    await a.contacts._set("node-b", reachable=True)
    assert await lost() == []
    await b.dies()
    await asyncio.sleep(0.05)
    assert await lost() == []  # its Asterisk lives: who waits there is led by its next controller
    await a.contacts._set("node-b", reachable=False)
    assert await lost() == []

    async def b_is_lost() -> bool:
        return await lost() == ["b"]

    await until(b_is_lost, "the node lost")
    await b.lives()
    assert await lost() == []


async def test_in_doubt_nobody_is_lost(pair: tuple[Node, Node]) -> None:
    a, b = pair
    lost = Watching(a, bound_s=0.1).lost
    await b.dies()
    await a.dies()  # as in a Redis that was emptied, or stood still
    assert [await _soon(lost) for _ in range(6)] == [[]] * 6
    await a.nodes.renew()
    assert await _soon(lost) == []
    a.contacts.lost()
    assert [await _soon(lost) for _ in range(6)] == [[]] * 6


async def test_the_controllers_of_a_dead_node_are_known_also_from_an_emptied_redis(
    redis: Redis, pair: tuple[Node, Node]
) -> None:
    a, _ = pair
    await a.nodes.remember()
    await redis.flushall()
    await a.nodes.remember()
    assert a.nodes.apps_of("b") == ["burgernet-b"]


async def _soon(lost: Callable[[], Awaitable[list[str]]]) -> list[str]:
    await asyncio.sleep(0.04)
    return await lost()
