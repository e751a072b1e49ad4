"""Redis, PostgreSQL or Asterisk itself goes away in mid-call and comes back: whoever talks goes on where that can be,
whoever waits is served, and every fact is written once."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from burgernet import asterisk, lost_calls
from burgernet.embedded import free_port, redis_server
from telephony.handset import PhoneBox
from tests.conversations.exchange import FREE_NUMBER, Exchange, Phone, until
from tests.conversations.phones import Music
from tests.conversations.real import RealNode, real_exchange
from tests.truth.running import restarted, truth_node, wire_to

FIRST, SECOND = "+31612345678", "+31687654321"


async def talking_and_waiting(exchange: Exchange) -> tuple[Phone, Phone, Phone]:
    """The only operator of Rotterdam talks with the first caller; the second one waits."""
    action = await exchange.action("rotterdam")
    for number in (FIRST, SECOND):
        await exchange.alerted(number, action)
    operator, first = await talks(exchange)
    second = await exchange.caller(SECOND)
    await second.dials(FREE_NUMBER)
    await second.hears(Music())
    return operator, first, second


async def talks(exchange: Exchange) -> tuple[Phone, Phone]:
    operator, first = await exchange.operator("rotterdam-1"), await exchange.caller(FIRST)
    await first.dials(FREE_NUMBER)
    await operator.answers()
    await operator.talks_with(first)
    return operator, first


class MortalRedis:
    """A Redis that can be ended and started anew, empty, at the same address."""

    def __init__(self, servers: ExitStack) -> None:
        self._servers, self._port, self._password = servers, free_port(), secrets.token_hex(8)
        self.url = ""

    def starts(self) -> None:
        self.url = self._servers.enter_context(redis_server(self._port, self._password))

    def ends(self) -> None:
        self._servers.close()


async def test_a_redis_that_comes_back_empty_costs_no_talk_and_no_turn(
    real: RealNode, box: PhoneBox, sqlite_url: str, tmp_path: Path
) -> None:
    with ExitStack() as servers:
        redis = MortalRedis(servers)
        redis.starts()
        async with real_exchange(real, box, sqlite_url, redis.url, tmp_path / "spool") as exchange:
            operator, first, second = await talking_and_waiting(exchange)
            redis.ends()
            await operator.talks_with(first)
            redis.starts()
            await exchange.waiting(1)
            await operator.talks_with(first)
            assert await claims(exchange) == {"rotterdam-1"}
            assert not operator.rang
            await first.hangs_up()
            await operator.is_hung_up()
            await operator.answers()
            await operator.talks_with(second)
            assert await claims(exchange) == {"rotterdam-1"}
            await second.hangs_up()
            await operator.is_hung_up()
            await until(lambda: exchange.is_free("rotterdam-1"), "the operator free")
            assert await ends(exchange) == ["caller hung up: talking"] * 2


async def test_a_postgresql_that_was_away_in_mid_call_gets_every_fact_once(
    real: RealNode, box: PhoneBox, postgres_url: str, redis_url: str, tmp_path: Path
) -> None:
    spool = tmp_path / "spool"
    async with wire_to(postgres_url) as wire:
        through = make_url(postgres_url).set(port=wire.port).render_as_string(hide_password=False)
        async with real_exchange(real, box, through, redis_url, spool) as exchange:
            operator, first, second = await talking_and_waiting(exchange)
            wire.refuses = True
            wire.cut()
            await operator.talks_with(first)
            await first.hangs_up()
            await operator.is_hung_up()
            await operator.answers()
            await operator.talks_with(second)
            await until(lambda: _is_there(spool), "the facts kept in the spool")
            wire.refuses = False
            await operator.talks_with(second)
            await until(lambda: _is_gone(spool), "the spool written to the database")
            await second.hangs_up()
            await operator.is_hung_up()
            await until(lambda: _all_ended(exchange, 2), "both calls ended in the book")
            calls = await exchange.calls()
            assert [call.ended_how for call in calls] == ["caller hung up: talking"] * 2
            for call in calls:
                times = [call.arrived_at, call.matched_at, call.waiting_at, call.connected_at, call.ended_at]
                assert times == sorted(times, key=lambda at: at or call.arrived_at)
                assert None not in times
                assert (call.room_id, call.operator_id) == ("rotterdam", "rotterdam-1")


async def test_after_a_restart_of_asterisk_the_controller_takes_calls_again_and_who_waited_is_called_back(
    real: RealNode,
    box: PhoneBox,
    sqlite_url: str,
    redis_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lost_calls, "LOOK_AGAIN_S", 0.2)
    async with real_exchange(real, box, sqlite_url, redis_url, tmp_path / "spool") as exchange:
        operator, first, second = await talking_and_waiting(exchange)
        ari = exchange.controller.ari
        await restarted(real, lambda: _not(ari.connected.is_set()))
        async with asyncio.timeout(15):
            await ari.connected.wait()
        await until(lambda: _not(bool(exchange.controller.calls)), "no conversation left", bound_s=15)
        await until(lambda: exchange.is_free("rotterdam-1"), "the operator free", bound_s=15)
        for phone in (operator, first, second):
            await phone.hangs_up()  # the phones have not heard that their calls are over
        await first.dials(FREE_NUMBER)
        await operator.answers()
        await operator.talks_with(first)
        await first.hangs_up()
        await operator.is_hung_up()
        await until(lambda: _all_ended(exchange, 3), "every call ended in the book")
        await until(lambda: _kept(exchange), "a call-back kept for who waited")
        assert [call.ended_how for call in await exchange.calls()] == [
            "caller hung up: talking",
            "the telephone exchange failed",
            "caller hung up: talking",
        ]


@pytest.mark.asyncio(loop_scope="session")
async def test_calls_of_an_asterisk_that_was_killed_end_in_the_book_as_its_fault(
    box: PhoneBox, sqlite_url: str, redis_url: str, tmp_path: Path
) -> None:
    async with (
        truth_node(sqlite_url, "killed") as node,
        AsyncExitStack() as stack,
        real_exchange(node, box, sqlite_url, redis_url, tmp_path / "spool") as exchange,
    ):
        operator, first, second = await talking_and_waiting(exchange)
        process = await asyncio.to_thread(asterisk.start, node.asterisk)  # ends the earlier life, by force
        stack.callback(asterisk.stop, process)
        assert await ends(exchange) == ["the telephone exchange failed"] * 2
        await until(lambda: _kept(exchange), "a call-back kept for who waited, and none for who talked")
        for phone in (operator, first, second):
            await phone.hangs_up()  # the phones have not heard that their calls are over


async def claims(exchange: Exchange) -> set[str]:
    return {str(operator) for operator in await exchange.base.redis.hgetall("burgernet:claim")}


async def ends(exchange: Exchange) -> list[str | None]:
    await until(lambda: _all_ended(exchange, 2), "both calls ended in the book")
    return [call.ended_how for call in await exchange.calls()]


async def _all_ended(exchange: Exchange, wanted: int) -> bool:
    calls = await exchange.calls()
    return len(calls) == wanted and all(call.ended_how for call in calls)


async def _kept(exchange: Exchange) -> bool:
    return [row.reason for row, _ in await exchange.board.call_backs.open_ones()] == ["node lost"]


async def _not(so: bool) -> bool:
    return not so


async def _is_there(file: Path) -> bool:
    return bool(list(file.parent.glob("spool*")))  # it may be on its way into the database


async def _is_gone(file: Path) -> bool:
    return not list(file.parent.glob("spool*"))
