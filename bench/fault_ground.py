"""The ground on which things are broken: a PostgreSQL, a Redis, an Asterisk of its own, and controllers as processes,
each behind wires that can be cut or frozen."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
from redis.asyncio import Redis

from actions.desk import Desk, NewAction
from actions.matching import OpenAction
from actions.seed import seed
from actions.store import Store, upgrade
from bench.country import ME, ROTTERDAM
from bench.fault_phones import CARRIER, PHONES, PHONES_PORT
from bench.ground import settings_of, short_prompts
from bench.registering import register
from burgernet import asterisk
from burgernet.base import opened
from burgernet.embedded import free_port, postgres_server, redis_server
from burgernet.node import instance, node, sip_password
from burgernet.settings import Settings
from tests.truth.running import Wire, environment_of, wire_to

ROOM = "rotterdam"
CONTROLLERS = ("one", "two")
UP_BOUND_S = 60


class Controller:
    """`burgernet run --role telephony` under this name."""

    def __init__(self, name: str, settings: Settings, folder: Path, **more: str) -> None:
        self.name, self.app, self._settings, self._more = name, settings.app, settings, more
        self.log = folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    async def starts(self) -> None:
        """Returns when it takes calls."""
        self._process = self._started()
        await until(lambda: "is up" in self.said(), f"controller {self.name} up", UP_BOUND_S)

    def _started(self) -> subprocess.Popen[bytes]:
        words = ("-c", "from burgernet.command_line import main; main()", "run", "--role", "telephony")
        environment = {**os.environ, **environment_of(self._settings), **self._more}
        with self.log.open("wb") as output:
            return subprocess.Popen([sys.executable, *words], stdout=output, stderr=output, env=environment)

    def said(self) -> str:
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""

    def is_killed(self) -> None:
        """kill -9."""
        self._ends(signal.SIGKILL)

    def stops(self) -> None:
        self._ends(signal.SIGTERM)

    def _ends(self, number: int) -> None:
        if self._process and self._process.poll() is None:
            self._process.send_signal(number)
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


class RedisThatDies:
    """A Redis that can be killed and started again, empty, at the same address."""

    def __init__(self) -> None:
        self._port, self._password, self._life = free_port(), os.urandom(16).hex(), ExitStack()
        self.url = ""

    def starts(self) -> None:
        self.url = self._life.enter_context(redis_server(self._port, self._password))

    async def is_killed(self) -> None:
        redis: Any = Redis.from_url(self.url)
        os.kill(int((await redis.info("server"))["process_id"]), signal.SIGKILL)
        await redis.aclose()
        self._life.close()

    def stops(self) -> None:
        self._life.close()


class Exchange:
    """Asterisk, which can be killed and started again."""

    def __init__(self, instance: asterisk.Instance) -> None:
        self._instance = instance
        self._process: subprocess.Popen[bytes] | None = None

    def starts(self) -> None:
        """Returns when it has booted."""
        self._process = asterisk.start(self._instance)

    def is_killed(self) -> None:
        """kill -9: no goodbye to anybody."""
        assert self._process
        self._process.kill()
        self._process.wait()

    def stops(self) -> None:
        assert self._process
        asterisk.stop(self._process)


@dataclass
class Ground:
    settings: Settings
    instance: asterisk.Instance
    action: OpenAction
    redis: RedisThatDies
    ari: Wire
    database: Wire
    database_url: str
    folder: Path
    operators: int
    exchange: Exchange
    controllers: list[Controller] = field(default_factory=list)

    def controller(self, name: str, **more: str) -> Controller:
        settings = self.settings.model_copy(
            update={"controller": name, "spool_file": self.folder / f"{name}.spool", "drain_s": 0}
        )
        made = Controller(name, settings, self.folder, **more)
        self.controllers.append(made)
        return made

    async def books(self, question: str) -> list[asyncpg.Record]:
        """Rows of the database, past the wire."""
        connection = await asyncpg.connect(self.database_url.replace("+asyncpg", ""))
        try:
            return list(await connection.fetch(question))
        finally:
            await connection.close()

    def asked(self) -> Any:
        """Redis; the caller closes it."""
        return Redis.from_url(self.redis.url, decode_responses=True)

    async def console(self, words: str) -> str:
        return await asyncio.to_thread(self.instance.console, words)

    async def channels(self) -> int:
        return int((await self.console("core show channels count")).split()[0])

    async def bridges(self) -> int:
        """Bridges with us in their name."""
        return (await self.console("bridge show all")).count("bn-")

    async def begins_anew(self) -> None:
        """As if nothing had happened in the scene before: no calls, no rows, everybody on duty."""
        for controller in self.controllers:
            controller.stops()
        self.controllers.clear()
        self.ari.thaws()
        self.ari.cut()
        self.database.refuses = False
        await self.console("channel request hangup all")
        await self.books("TRUNCATE police.call, police.call_back")
        await self.books(f"UPDATE desk.operator SET signed_on_at = now() WHERE room_id = '{ROOM}'")
        redis = self.asked()
        await redis.flushall()
        await redis.aclose()
        await self.plugs(self.accounts())

    def accounts(self) -> list[str]:
        return [f"{ROOM}-{place}" for place in range(1, self.operators + 1)]

    async def plugs(self, accounts: list[str], port: int = PHONES_PORT) -> None:
        """Registers these phones where SIPp plays them."""
        passwords = {account: sip_password(self.settings, account) for account in accounts}
        await asyncio.to_thread(register, passwords, self.settings.sip_bind, (PHONES, port))


async def until(holds: Callable[[], bool], what: str, bound_s: float) -> float:
    """Seconds until it held. Raises TimeoutError with what was waited for."""
    begun = time.monotonic()
    while not holds():
        if time.monotonic() - begun > bound_s:
            raise TimeoutError(what)
        await asyncio.sleep(0.05)
    return time.monotonic() - begun


@asynccontextmanager
async def ground(operators: int) -> AsyncIterator[Ground]:
    """Everything up but the controllers; so many operators on duty in one room, whose action is open."""
    redis = RedisThatDies()
    folder = Path(tempfile.mkdtemp(prefix="bench-faults-"))
    with postgres_server() as database_url, ExitStack() as stack:
        redis.starts()
        stack.callback(redis.stops)
        settings = _settings(database_url, redis.url, folder)
        await asyncio.to_thread(upgrade, database_url)
        action = await _country(database_url, operators)
        ours = instance(settings)
        stack.callback(shutil.rmtree, ours.folder, ignore_errors=True)
        async with opened(settings) as base:
            asterisk.write(ours, await node(settings, base.desk))
        _patient_phones(ours, operators)
        await short_prompts(ours, [action])
        with asterisk.alone(ours):
            exchange = Exchange(ours)
            exchange.starts()
            stack.callback(exchange.stops)
            async with wire_to(settings.ari_url) as ari, wire_to(database_url) as database:
                wired = settings.model_copy(
                    update={
                        "ari_url": f"http://127.0.0.1:{ari.port}",
                        "database_url": _through(database, database_url),
                    }
                )
                on = Ground(wired, ours, action, redis, ari, database, database_url, folder, operators, exchange)
                try:
                    yield on
                finally:
                    for controller in on.controllers:
                        controller.is_killed()
    shutil.rmtree(folder, ignore_errors=True)


def _through(wire: Wire, url: str) -> str:
    return url.replace(f":{urlsplit(url).port}/", f":{wire.port}/")


def _settings(database_url: str, redis_url: str, folder: Path) -> Settings:
    return settings_of(
        database_url,
        redis_url,
        controllers=list(CONTROLLERS),
        rtp_ports="24000-29999",
        trunk_addresses=[CARRIER],
        # Nobody answers there: that a call-back is written is what counts.
        trunk_contact=f"sip:{CARRIER}:5071",
        asterisk_instance=f"faults-{os.getpid()}",
        spool_file=folder / "spool",
    )


async def _country(url: str, operators: int) -> OpenAction:
    store = Store.open(url)
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        await seed(store, ME, operators)
        await connection.execute("UPDATE desk.control_room SET wrap_up_s = 0")
        desk = Desk(store)
        region = next(key for key, found in (await desk.regions()).items() if found.room_id == ROOM)
        texts = {"nl": ("een blauwe auto", "Kijk uit naar een blauwe auto.")}
        return await desk.start_action(NewAction("look_out", region, ROTTERDAM, texts), ME)
    finally:
        await connection.close()
        await store.close()


def _patient_phones(ours: asterisk.Instance, operators: int) -> None:
    """SIPp sends no sound, and is not asked whether its phones live."""
    file = ours.folder / "etc/pjsip.conf"
    accounts = [f"\n[{ROOM}-{place}](+type=aor)\nqualify_frequency = 0\n" for place in range(1, operators + 1)]
    file.write_text(file.read_text().replace("rtp_timeout = 60", "rtp_timeout = 0") + "".join(accounts))
