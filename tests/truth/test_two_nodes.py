"""Two Asterisk nodes with a controller each, one database and one Redis: a caller of one speaks with an operator of the
other, and a node may die."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from actions.matching import OpenAction
from burgernet.base import opened
from burgernet.embedded import free_port
from telephony.ari import Ari, Event
from telephony.handset import PhoneBox
from telephony.place import endpoint_at
from telephony.ringing import why_not
from tests.conversations.exchange import FREE_NUMBER, Music, Phone, seeded, until, whispered
from tests.conversations.real import RealNode, RealWiring
from tests.truth.running import killed, running, started, truth_node
from tests.truth.test_killed_controller import Deployment, asks_for, nothing_is_left

pytestmark = pytest.mark.asyncio(loop_scope="session")
OPERATOR = "rotterdam-1"
NEAR, FAR = "127.0.0.4", "127.0.0.5"


@dataclass(frozen=True)
class Pair:
    """The callers are `near`'s; `far` is the other node."""

    near: Deployment
    far: Deployment

    async def talk(self, action: OpenAction) -> tuple[Phone, Phone]:
        """A caller here speaks with the operator there."""
        operator, caller = await self.far.operator(OPERATOR), await self.near.caller()
        await asks_for(self.near, caller, action.code)
        assert await operator.rings() == FREE_NUMBER
        await operator.picks_up()
        await operator.hears(whispered(action))
        await operator.talks_with(caller)
        return caller, operator

    async def nothing_is_left(self) -> None:
        for each in (self.near, self.far):
            await nothing_is_left(each.real, each.base.redis)


@asynccontextmanager
async def node(
    country_url: str, name: str, nodes: dict[str, str], secret: str, rtp_ports: str
) -> AsyncIterator[RealNode]:
    async with truth_node(
        country_url,
        f"node-{name}",
        node=name,
        node_lost_s=6,
        nodes=nodes,
        controller=name,
        controllers=[],
        sip_secret=secret,
        sip_bind=nodes[name],
        rtp_ports=rtp_ports,
    ) as real:
        yield real


@asynccontextmanager
async def two_nodes(box: PhoneBox, country_url: str, url: str, redis_url: str, folder: Path) -> AsyncIterator[Pair]:
    """Both run, with their controllers; nothing of them stays."""
    secret = secrets.token_hex(16)
    nodes = {name: f"{ip}:{free_port(socket.SOCK_DGRAM)}" for name, ip in (("a", NEAR), ("b", FAR))}
    async with AsyncExitStack() as stack:
        both: list[Deployment] = []
        for name, ports in (("a", "24000-24499"), ("b", "24500-24999")):
            real = await stack.enter_async_context(node(country_url, name, nodes, secret, ports))
            settings = real.settings.model_copy(
                update={
                    "database_url": url,
                    "redis_url": redis_url,
                    "spool_file": folder / f"{name}.spool",
                    "web_bind": f"127.0.0.1:{free_port()}",
                    "sounds_dir": real.asterisk.sounds,
                    "sounds_seen_as": str(real.asterisk.sounds_inside),
                }
            )
            base = await stack.enter_async_context(opened(settings))
            if not both:
                await base.redis.flushall()
                await seeded(base)
            process = stack.enter_context(running(settings, folder / name))
            process.starts()
            both.append(Deployment(base, RealWiring(real, box), process, real))
        for each in both:
            await each.process.is_up()
        yield Pair(*both)
        for each in both:
            for phone in each.phones:
                await phone.put_away()
            assert "Traceback" not in each.process.log.read_text()


@pytest_asyncio.fixture(loop_scope="session")
async def pair(
    box: PhoneBox, sqlite_url: str, postgres_url: str, redis_url: str, tmp_path: Path
) -> AsyncIterator[Pair]:
    async with two_nodes(box, sqlite_url, postgres_url, redis_url, tmp_path) as pair:
        yield pair


async def test_a_caller_of_one_node_speaks_with_an_operator_of_the_other(pair: Pair) -> None:
    action = await pair.near.action("rotterdam")
    caller, operator = await pair.talk(action)
    await operator.presses("*1")
    await caller.hears("on-hold")
    await caller.hears(Music())
    await operator.presses("*1")
    await operator.talks_with(caller)
    await caller.hangs_up()
    await operator.is_hung_up()
    await pair.nothing_is_left()

    caller, operator = await pair.talk(action)
    await operator.hangs_up()
    await caller.is_hung_up()
    await pair.nothing_is_left()

    # Why a phone was not answered is told apart.
    refusing = await pair.far.operator("rotterdam-2", on_duty=False)
    await operator.is_engaged()
    async with ringing(pair.near.real) as why:
        assert await why(OPERATOR) == "busy"
        rung = asyncio.create_task(why("rotterdam-2"))
        await refusing.rejects()
        assert await rung == "refused"
        assert await why("limburg-1") == "not_in_use"  # its phone is registered nowhere


async def test_a_dead_nodes_operators_are_away_and_its_callers_are_called_back(pair: Pair) -> None:
    action = await pair.near.action("rotterdam")
    near_operator, first = await pair.near.operator("rotterdam-2"), await pair.near.caller()
    await asks_for(pair.near, first, action.code)
    await near_operator.answers()
    await near_operator.talks_with(first)
    far_operator = await pair.far.operator(OPERATOR)

    await killed(pair.far.real)
    await until(lambda: pair.near.off_duty(OPERATOR), "the far operator away", bound_s=30)
    known, withheld = await pair.near.caller("+31687654321"), await pair.near.caller("+31699999999", withheld=True)
    for caller in (known, withheld):
        await asks_for(pair.near, caller, action.code)
    await pair.near.waiting(2)
    async with started(pair.far.real):
        await far_operator.rings(bound_s=30)  # who waited is served when the node is back

        pair.near.process.is_killed()
        await killed(pair.near.real)
        await until(lambda: all_lost(pair.far, 3), "every call ended in the book", bound_s=60)
        (kept,) = await pair.far.base.call_backs.open_ones()
        assert kept[0].reason == "node lost"
        assert pair.far.base.call_backs.number(kept[0]) == "+31687654321"
        await pair.far.process.says("3 calls ended because their Asterisk failed: 1 who waited")
        await until(lambda: pair.far.is_free(OPERATOR), "the operator is held no more", bound_s=15)
        assert await pair.near.off_duty("rotterdam-2")


async def all_lost(deployment: Deployment, wanted: int) -> bool:
    return [call.ended_how for call in await deployment.calls()] == ["the telephone exchange failed"] * wanted


@asynccontextmanager
async def ringing(real: RealNode) -> AsyncIterator[Callable[[str], Coroutine[Any, Any, str]]]:
    """Rings phones at the far node through this Asterisk alone; tells why one did not answer."""
    ends: asyncio.Queue[int] = asyncio.Queue()
    settings = real.settings
    ari = Ari(settings.ari_url, "ringing", settings.ari_user, settings.ari_password.get_secret_value())

    async def why(account: str) -> str:
        endpoint = endpoint_at(account, "b")
        await ari.request("POST", "channels", endpoint=endpoint, app="ringing", callerId=FREE_NUMBER, timeout=10)
        return why_not(await asyncio.wait_for(ends.get(), 15))

    def heard(event: Event) -> None:
        if event["type"] == "ChannelDestroyed":
            ends.put_nowait(event["cause"])

    async def greeted() -> None:
        return None

    task = asyncio.create_task(ari.run(heard, greeted))
    try:
        await asyncio.wait_for(ari.connected.wait(), 5)
        yield why
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
