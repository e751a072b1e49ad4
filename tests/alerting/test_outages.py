"""What is away for a moment: Redis, the database, Twilio. The work waits, and nobody is lost or texted twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from actions.models import DeliveryState, MessageKind
from actions.store import Store
from alerting import dispatcher as dispatching
from burgernet.embedded import free_port
from stand_ins.twilio import BROKEN, GOOD, TOO_BUSY, Behaviour
from tests.alerting.town import until
from tests.alerting.works import Works, once_each

S = DeliveryState


async def test_without_redis_the_work_is_found_by_looking(works: Works) -> None:
    nowhere = Redis(port=free_port(), decode_responses=True, retry=Retry(NoBackoff(), 0))
    async with works.working(redis=nowhere):
        action = await works.alerts(5)
        await works.come_to(action)
        await works.twilio.settled()
    await nowhere.aclose()
    assert works.texted() == once_each(5)


class Cable:
    """A wire to the database that can be cut: what is connected breaks, and nobody gets through until it is mended."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._wires: set[asyncio.StreamWriter] = set()
        self._cut = False
        self.port = 0

    @asynccontextmanager
    async def laid(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            self.cut()
            await server.wait_closed()

    def cut(self) -> None:
        self._cut = True
        for wire in self._wires:
            wire.transport.abort()

    def mend(self) -> None:
        self._cut = False

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._cut:
            return writer.transport.abort()
        there, back = await asyncio.open_connection(self._host, self._port)
        self._wires |= {writer, back}
        await asyncio.gather(_carry(reader, back), _carry(there, writer))
        self._wires -= {writer, back}
        return None


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.transport.abort()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_database_away_in_mid_wave_stops_it_and_it_goes_on_afterwards(
    works: Works, database_url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatching, "RECORD_PAUSES_S", (0.0, 0.5, 1.0, 1.0, 1.0, 1.0))
    works.twilio.usual = replace(GOOD, answer_after_s=0.05)
    server, _, path = database_url.partition("@")[2].partition("/")
    cable = Cable(server.partition(":")[0], int(server.partition(":")[2]))
    async with cable.laid():
        far = Store.open(f"postgresql+asyncpg://burgernet@127.0.0.1:{cable.port}/{path}")
        action = await works.alerts(40)
        async with works.working(store=far, side_by_side=5, attempt_s=6.0):
            await until(lambda: some_texts(works, 8), "eight texts")
            cable.cut()
            await until(lambda: logged(caplog, "no database"), "the outage is told")
            left = len(works.twilio.messages)
            assert left < 40
            cable.mend()
            await works.come_to(action)
        await far.close()
    assert works.texted() == once_each(40)


async def some_texts(works: Works, count: int) -> bool:
    return len(works.twilio.messages) >= count


async def logged(caplog: pytest.LogCaptureFixture, words: str) -> bool:
    return words in caplog.text


async def test_a_provider_out_of_breath_is_given_its_pause_and_everybody_gets_the_text(works: Works) -> None:
    works.twilio.next(*[TOO_BUSY] * 6)
    action = await works.alerts(15)
    async with works.working(side_by_side=6):
        await works.come_to(action)
    assert works.texted() == once_each(15)
    assert {attempt.number for attempt in await works.town.attempts()} == {1}


async def test_a_provider_that_breaks_takes_nobody_with_it(works: Works) -> None:
    works.twilio.next(*[BROKEN] * 4, *[Behaviour(lose_answer=True, statuses=())] * 4)
    action = await works.alerts(12)
    async with works.working(attempt_s=4.0):
        await until(lambda: everybody(works, 12), "everybody has the text once", 90)
    assert works.texted() == once_each(12)
    assert {row.state for row in await works.town.rows(action)} <= {S.SENT, S.DELIVERED}


async def everybody(works: Works, people: int) -> bool:
    return works.texted() == once_each(people)


async def test_after_the_end_nothing_reaches_the_provider_and_the_result_reaches_whom_the_alert_reached(
    works: Works,
) -> None:
    works.twilio.usual = replace(GOOD, answer_after_s=0.1)
    action = await works.alerts(80)
    async with works.working(side_by_side=8):
        await until(lambda: some_texts(works, 20), "twenty texts")
        await works.town.ends(action)
        ended_with = len(works.twilio.requests)

        async def swept() -> bool:
            return not {row.state for row in await works.town.rows(action)} & {S.PENDING, S.SENDING, S.SENT}

        await until(swept, "the rest is closed")
        alerted = works.texted("Seen it?") + works.texted("Gezien?")
        # Those eight at most had passed the stop flag when it was set.
        assert sum(alerted.values()) - ended_with <= 8
        await works.alerts(0)  # writes the audience of the result
        results = await works.town.message(action, MessageKind.RESULT)
        assert results.audience_written_at is not None
        await works.come_to(action, kind=MessageKind.RESULT)
    assert works.texted("is voorbij") == alerted
