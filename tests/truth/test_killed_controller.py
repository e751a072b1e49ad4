"""kill -9 of the controller with calls in every stage: all of them go on, and end well under the next controller."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from sqlmodel import col, select

from actions.matching import OpenAction
from actions.models import Tip
from burgernet.base import Base, opened
from burgernet.embedded import free_port
from ivr_flows.switchboard import Patience
from telephony.ari import Ari
from telephony.handset import PhoneBox
from tests.conversations.exchange import FREE_NUMBER, Exchange, Phone, seeded, until, whispered
from tests.conversations.real import RealNode, RealWiring
from tests.truth.running import Running, running


class Deployment(Exchange):
    """The exchange with its controller in a process of its own."""

    def __init__(self, base: Base, wiring: RealWiring, process: Running, real: RealNode) -> None:
        super().__init__(base, wiring, Patience())
        self.process, self.real = process, real

    async def _knows(self, action: OpenAction, *, known: bool = True) -> bool:
        await self.real.speech.media(whispered(action), "nl")  # before the process says it in its own voice
        return True  # and the process hears of it by its wake-up


@asynccontextmanager
async def deployed(real: RealNode, box: PhoneBox, url: str, redis_url: str, folder: Path) -> AsyncIterator[Deployment]:
    settings = real.settings.model_copy(
        update={
            "database_url": url,
            "redis_url": redis_url,
            "spool_file": folder / "spool",
            "web_bind": f"127.0.0.1:{free_port()}",
            "sounds_dir": real.asterisk.sounds,
            "sounds_seen_as": str(real.asterisk.sounds_inside),
        }
    )
    async with opened(settings) as base:
        await base.redis.flushall()
        await seeded(base)
        with running(settings, folder) as process:
            process.starts()
            wiring = RealWiring(real, box)
            exchange = Deployment(base, wiring, process, real)
            await process.is_up()
            try:
                yield exchange
            finally:
                for phone in exchange.phones:
                    await phone.put_away()
                await wiring.forget_phones()
            await nothing_is_left(real, base.redis)
            assert "Traceback" not in process.log.read_text()


async def nothing_is_left(real: RealNode, redis: Redis) -> None:
    """No channel and no bridge in Asterisk, nobody claimed or waiting in Redis."""
    settings = real.settings
    left: dict[str, Any] = {}
    ari = Ari(settings.ari_url, "looking-on", settings.ari_user, settings.ari_password.get_secret_value())

    async def nothing() -> bool:
        left.update(
            channels=await ari.listing("channels"),
            bridges=await ari.listing("bridges"),
            recordings=await ari.listing("recordings/stored"),
            claims=await redis.hgetall("burgernet:claim"),
            waiting=await redis.hgetall("burgernet:waiting"),
        )
        return not any(left.values())

    async with listening(ari):
        try:
            await until(nothing, "nothing left", bound_s=10)
        except TimeoutError:
            raise AssertionError(f"left behind: { {what: much for what, much in left.items() if much} }") from None


@asynccontextmanager
async def listening(ari: Ari) -> AsyncIterator[None]:
    async def greeted() -> None:
        return None

    task = asyncio.create_task(ari.run(lambda _: None, greeted))
    try:
        async with asyncio.timeout(5):
            await ari.connected.wait()
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def in_line(deployment: Deployment) -> set[str]:
    return {str(row) for row in await deployment.base.redis.zrange("burgernet:line:rotterdam", 0, -1, withscores=True)}


async def asks_for(deployment: Deployment, phone: Phone, code: str) -> None:
    await phone.dials(FREE_NUMBER)
    await phone.hears("ask-code")
    await phone.presses(code)


async def test_every_stage_survives_a_killed_controller(
    real: RealNode, box: PhoneBox, redis_url: str, database_url: str, tmp_path: Path
) -> None:
    async with deployed(real, box, database_url, redis_url, tmp_path) as deployment:
        action = await deployment.action("rotterdam", by="rotterdam-1")
        elsewhere = await deployment.action("limburg", "een rode fiets")
        first, second = await deployment.operator("rotterdam-1"), await deployment.operator("rotterdam-2")
        talking, ringing, waiting, asked, leaving = [
            await deployment.caller(f"+3161234567{number}") for number in range(5)
        ]

        await asks_for(deployment, talking, action.code)
        await first.answers()
        await first.hears(whispered(action))
        await first.talks_with(talking)
        await asks_for(deployment, ringing, action.code)
        await second.rings()
        await asks_for(deployment, waiting, action.code)
        await until(lambda: _counts(deployment, 1), "the waiting caller in line")
        before = await in_line(deployment)
        await asks_for(deployment, leaving, elsewhere.code)
        await leaving.hears("leave-tip")
        await asked.dials(FREE_NUMBER)
        await asked.hears("ask-code")

        deployment.process.is_killed()
        await first.talks_with(talking)
        deployment.process.starts()
        await deployment.process.is_up()

        await first.talks_with(talking)
        assert not first.rang
        await second.answers()
        await second.talks_with(ringing)
        assert await in_line(deployment) == before
        await asked.hears("ask-code")
        await asked.hangs_up()
        kept = _recorded(real)
        await leaving.hears("leave-tip")
        await until(lambda: _recording(real, kept), "a second of sound written anew")
        await leaving.hangs_up()
        await ringing.hangs_up()
        await second.answers()
        await second.talks_with(waiting)
        await second.hangs_up()
        await waiting.is_hung_up()
        await talking.hangs_up()
        await first.is_hung_up()

        await until(lambda: _all_ended(deployment, 5), "every call ended in the book", bound_s=10)
        ended = sorted(str(call.ended_how) for call in await deployment.calls())
        assert ended == [
            "caller hung up: finding",
            "caller hung up: talking",
            "caller hung up: talking",
            "caller hung up: tip",
            "operator hung up",
        ]
        await until(lambda: _tips(deployment, 1), "the tip kept")


async def test_a_tip_whose_caller_hung_up_while_nobody_watched_is_taken_in(
    real: RealNode, box: PhoneBox, redis_url: str, sqlite_url: str, tmp_path: Path
) -> None:
    async with deployed(real, box, sqlite_url, redis_url, tmp_path) as deployment:
        action = await deployment.action("limburg", "een rode fiets")
        caller = await deployment.caller()
        await asks_for(deployment, caller, action.code)
        await caller.hears("leave-tip")
        await until(lambda: _recording(real), "a second of sound written")
        deployment.process.is_killed()
        await caller.hangs_up()
        deployment.process.starts()
        await deployment.process.is_up()
        await until(lambda: _tips(deployment, 1), "the tip kept")


def _recorded(real: RealNode) -> int:
    """How many bytes of the only recording Asterisk has written."""
    return sum(file.stat().st_size for file in (real.asterisk.folder / "spool/recording").iterdir())


async def _recording(real: RealNode, before: int = 0) -> bool:
    return _recorded(real) not in range(16000) and _recorded(real) != before


async def _counts(deployment: Deployment, wanted: int) -> bool:
    return len(await in_line(deployment)) == wanted


async def _all_ended(deployment: Deployment, wanted: int) -> bool:
    calls = await deployment.calls()
    return len(calls) == wanted and all(call.ended_how for call in calls)


async def _tips(deployment: Deployment, wanted: int) -> bool:
    async with deployment.base.store.reading() as session:
        return len(list(await session.exec(select(Tip).where(col(Tip.recording_id).is_not(None))))) == wanted
