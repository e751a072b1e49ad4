"""The wire between the controller and Asterisk is cut, or goes dead without a word: calls go on, what was missed is
made up for, and a second controller under one name is refused."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from unittest.mock import patch

import aiohttp
import pytest
import pytest_asyncio

from burgernet import telephony_role
from telephony.ari import Replaced
from telephony.handset import PhoneBox
from telephony.lease import LeaseLost
from tests.conversations.exchange import FREE_NUMBER, Exchange, Phone, until
from tests.conversations.real import RealNode, real_exchange
from tests.truth.running import Wire, wire_to


@pytest_asyncio.fixture(loop_scope="session")
async def wire(real: RealNode) -> AsyncIterator[Wire]:
    async with wire_to(real.settings.ari_url) as wire:
        yield wire


@pytest_asyncio.fixture(loop_scope="session")
async def exchange(
    real: RealNode, box: PhoneBox, wire: Wire, sqlite_url: str, redis_url: str, tmp_path: Path
) -> AsyncIterator[Exchange]:
    settings = real.settings.model_copy(update={"ari_url": f"http://127.0.0.1:{wire.port}"})
    wired = dataclasses.replace(real, settings=settings)
    with patch.multiple("telephony.ari", HEARTBEAT_S=1.0, ANSWER_S=2.0):
        async with real_exchange(wired, box, sqlite_url, redis_url, tmp_path / "spool") as exchange:
            yield exchange


async def is_rung_by(exchange: Exchange) -> tuple[Phone, Phone]:
    """A caller, and the operator whose phone rings for that caller."""
    action = await exchange.action("rotterdam", by="rotterdam-1")
    operator = await exchange.operator("rotterdam-1")
    caller = await exchange.caller("+31612345678")
    await exchange.alerted("+31612345678", action)
    await caller.dials(FREE_NUMBER)
    await until(lambda: _rings(operator), "the operator's phone rings")
    return caller, operator


async def talking(exchange: Exchange) -> tuple[Phone, Phone]:
    caller, operator = await is_rung_by(exchange)
    await operator.answers()
    await operator.talks_with(caller)
    return caller, operator


async def back(exchange: Exchange, times: int, wire: Wire) -> None:
    async def reconnected() -> bool:
        return wire.taken > times and exchange.controller.ari.connected.is_set()

    await until(reconnected, "connected again")


async def test_a_phone_that_is_answered_while_the_wire_is_cut_costs_nobody_the_duty(
    exchange: Exchange, wire: Wire
) -> None:
    caller, operator = await is_rung_by(exchange)
    other = await exchange.operator("rotterdam-2")
    wire.refuses = True
    wire.cut()
    # Asterisk notices the end of the socket a moment later: what is answered before that waits for us instead.
    await exchange.wiring.passes(0.5)
    await operator.answers()
    await operator.is_hung_up()
    wire.refuses = False
    await other.answers(bound_s=3)
    await other.talks_with(caller)
    assert await exchange.is_free("rotterdam-1")


async def test_a_phone_that_rings_goes_on_ringing_when_the_wire_was_cut(exchange: Exchange, wire: Wire) -> None:
    caller, operator = await is_rung_by(exchange)
    before = wire.taken
    wire.cut()
    await back(exchange, before, wire)
    await operator.answers()
    await operator.talks_with(caller)


async def test_a_caller_who_hangs_up_while_the_wire_is_cut_frees_the_operator(exchange: Exchange, wire: Wire) -> None:
    caller, operator = await talking(exchange)
    wire.refuses = True
    wire.cut()
    await caller.hangs_up()
    wire.refuses = False
    await operator.is_hung_up()
    await exchange.ended("caller hung up: talking")
    await until(lambda: exchange.is_free("rotterdam-1"), "the operator free")


async def test_a_wire_that_goes_dead_without_a_word_is_noticed_and_replaced(exchange: Exchange, wire: Wire) -> None:
    caller, operator = await talking(exchange)
    before = wire.taken
    wire.freezes()
    await until(lambda: _taken(wire, before), "another try, into the dead wire")
    stuck = wire.taken
    wire.thaws()
    await back(exchange, stuck, wire)
    await operator.talks_with(caller)
    await caller.hangs_up()
    await operator.is_hung_up()


async def test_a_second_controller_under_one_name_is_refused(exchange: Exchange) -> None:
    said: list[str] = []
    serving = exchange.controller
    with patch("burgernet.telephony_role.START_BOUND_S", 0.3), pytest.raises(LeaseLost, match="burgernet-test"):
        await telephony_role.telephony_role(exchange.base, said.append, asyncio.Event())
    assert "another controller called burgernet-test is running" in said[0]
    exchange.controller = serving
    caller = await exchange.caller()
    await caller.dials(FREE_NUMBER)
    await caller.hears("welcome")


async def test_a_controller_whose_socket_was_taken_over_stops_at_once(exchange: Exchange, real: RealNode) -> None:
    settings = real.settings
    login = {"Authorization": aiohttp.encode_basic_auth(settings.ari_user, settings.ari_password.get_secret_value())}
    serving = exchange._serving
    assert serving
    async with (
        aiohttp.ClientSession(headers=login) as session,
        session.ws_connect(f"{settings.ari_url}/ari/events", params={"app": settings.app}),
    ):
        done, _ = await asyncio.wait({serving}, timeout=5)
        assert done
    fault = serving.exception()
    assert isinstance(fault, BaseExceptionGroup)
    assert fault.subgroup(Replaced)
    await exchange.starts()


async def _rings(phone: Phone) -> bool:
    return phone.rang


async def _taken(wire: Wire, before: int) -> bool:
    return wire.taken > before
