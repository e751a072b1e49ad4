"""An Asterisk of the truth tests, a controller in a process of its own, and a wire that can be cut."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from burgernet import asterisk
from burgernet.base import opened
from burgernet.embedded import free_port
from burgernet.node import instance, node
from burgernet.settings import Settings
from ivr_flows.catalogue import catalogue
from telephony.speech import Speech
from tests.conversations.exchange import noise, seeded, settings_of, until
from tests.conversations.real import RealNode

UP_BOUND_S = 30


@asynccontextmanager
async def truth_node(country_url: str, name: str = "truth", **more: Any) -> AsyncIterator[RealNode]:
    """An Asterisk of its own, beside the one of the conversations, with `more` settings. Nothing of it stays."""
    settings = settings_of(
        country_url,
        "redis://127.0.0.1:1/0",
        ari_url=f"http://127.0.0.1:{free_port()}",
        ami_url=f"tcp://127.0.0.1:{free_port()}",
        asterisk_instance=f"{name}-{os.getpid()}",
        **{"sip_bind": f"127.0.0.1:{free_port(socket.SOCK_DGRAM)}", "rtp_ports": "22000-23999", **more},
    )
    ours = instance(settings)
    async with opened(settings) as base:
        await seeded(base)
        asterisk.write(ours, await node(settings, base.desk))
    speech = Speech(catalogue(), ours.sounds, ours.sounds_inside, noise)
    await speech.build(lambda _: None)
    with asterisk.running(ours):
        yield RealNode(settings, speech, ours)
    shutil.rmtree(ours.folder)


async def restarted(real: RealNode, noticed: Callable[[], Awaitable[bool]]) -> None:
    """Asterisk starts anew, every call ends; returns when it was `noticed` and Asterisk has booted."""
    await asyncio.to_thread(real.asterisk.console, "core restart now")
    await until(noticed, "the restart noticed")

    async def booted() -> bool:
        with suppress(asterisk.NoAsterisk):
            return "fully booted" in await asyncio.to_thread(real.asterisk.console, "core waitfullybooted")
        return False

    await until(booted, "Asterisk booted")


async def killed(real: RealNode) -> None:
    """kill -9 of Asterisk: every call in it is gone."""
    await asyncio.to_thread(asterisk._end_an_earlier_life, real.asterisk)


@asynccontextmanager
async def started(real: RealNode) -> AsyncIterator[None]:
    """A killed Asterisk runs again while the block lasts."""
    process = await asyncio.to_thread(asterisk.start, real.asterisk)
    try:
        yield
    finally:
        await asyncio.to_thread(asterisk.stop, process)


class Running:
    """`burgernet run` as a deployer starts it, in a folder of its own."""

    def __init__(self, settings: Settings, folder: Path, **more: str) -> None:
        self.settings, self._folder, self._more = settings, folder, more
        self._process: subprocess.Popen[bytes] | None = None
        self.log = folder / "log"

    def starts(self) -> None:
        """Returns at once; `is_up` waits."""
        self._folder.mkdir(exist_ok=True)
        environment = {"PATH": os.environ["PATH"], **environment_of(self.settings), **self._more}
        if "PYTHONPATH" in os.environ:
            environment["PYTHONPATH"] = os.environ["PYTHONPATH"]
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-c", "from burgernet.command_line import main; main()", "run"],
                cwd=self._folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    async def is_up(self) -> None:
        await self.says("Burgernet is up")

    async def says(self, words: str) -> None:
        """Returns when it has said so."""
        async with asyncio.timeout(UP_BOUND_S):
            while words not in self.log.read_text():
                assert self._process is not None
                if self._process.poll() is not None:
                    assert words in self.log.read_text(), f"ended: {self.log.read_text()[-2000:]}"
                await asyncio.sleep(0.05)

    def ends_by_itself(self) -> int:
        """Its exit status."""
        assert self._process is not None
        return self._process.wait(20)

    def is_killed(self) -> None:
        """kill -9: no goodbye to anybody."""
        self._ends(signal.SIGKILL)

    def stops(self) -> int:
        """As with Ctrl-C; its exit status."""
        return self._ends(signal.SIGTERM)

    def _ends(self, number: int) -> int:
        if self._process is None:
            return 0
        self._process.send_signal(number)
        try:
            return self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise
        finally:
            self._process = None


@contextmanager
def running(settings: Settings, folder: Path, **more: str) -> Iterator[Running]:
    """Not started yet; ended with the block."""
    process = Running(settings, folder, **more)
    try:
        yield process
    finally:
        process.stops()


def environment_of(settings: Settings) -> dict[str, str]:
    """The settings as BURGERNET_ variables."""
    return {f"BURGERNET_{name.upper()}": _written(value) for name, value in settings if value is not None}


def _written(value: Any) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return json.dumps(value) if isinstance(value, list | dict) else str(value)


class Wire:
    """A TCP proxy before a server. `cut` ends every connection; `frozen` ones stay open and carry nothing any more."""

    def __init__(self, target: str, port: int = 0) -> None:
        address = urlsplit(target)
        self._host, self._port, self._listens_on = address.hostname or "", address.port or 0, port
        self._server: asyncio.Server
        self._ends: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.taken, self.refuses, self._stuck = 0, False, asyncio.Event()

    @property
    def port(self) -> int:
        return int(self._server.sockets[0].getsockname()[1])

    def cut(self) -> None:
        for end in self._ends:
            end.transport.abort()
        self._ends.clear()

    def freezes(self) -> None:
        """Everybody connected now, and whoever connects until `thaws`, is stuck for good."""
        self._stuck.set()

    def thaws(self) -> None:
        """Who connects from now on gets through."""
        self._stuck = asyncio.Event()

    async def opens(self) -> None:
        self._server = await asyncio.start_server(self._took, "127.0.0.1", self._listens_on)

    async def closes(self) -> None:
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _took(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._ends.append(writer)
        if self.refuses:
            return writer.transport.abort()
        self.taken += 1
        try:
            there, back = await asyncio.open_connection(self._host, self._port)
        except OSError:
            return writer.transport.abort()
        self._ends.append(back)
        for source, sink in ((reader, back), (there, writer)):
            task = asyncio.create_task(_carry(source, sink, self._stuck))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return None


async def _carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter, stuck: asyncio.Event) -> None:
    with suppress(OSError):
        while data := await source.read(1 << 16):
            if stuck.is_set():
                continue
            sink.write(data)
        if not stuck.is_set():
            sink.close()


@asynccontextmanager
async def wire_to(target: str, port: int = 0) -> AsyncIterator[Wire]:
    """A wire to the server at this address, on a port chosen beforehand or any; gone with the block."""
    wire = Wire(target, port)
    await wire.opens()
    try:
        yield wire
    finally:
        await wire.closes()
