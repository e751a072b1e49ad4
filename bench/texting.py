"""The ground of the benches about texts: a PostgreSQL full of deliveries, a Redis, a stand-in for Twilio and workers in
processes of their own."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import asyncpg

from actions.books import Actor
from actions.desk import Desk, NewAction
from actions.matching import OpenAction
from actions.register import PURPOSE
from actions.seed import seed
from actions.store import Store, upgrade
from actions.vault import Vault
from bench.processor import cpu_s
from burgernet.embedded import postgres_in, redis_server

ME = Actor("bench", "bench", "to measure")
AREA = {"type": "circle", "lat": 51.92, "lon": 4.48, "radius": 2000}
TEXTS = {
    "nl": ("De blauwe Golf", "Kijk uit naar een blauwe Golf. Hij reed het laatst op de Coolsingel naar het noorden.")
}
FOUND = {"nl": ("De blauwe Golf", "De bestuurder is aangehouden.")}
KEY = bytes(32)  # of no value: the participants are nobody
START_BOUND_S = 60.0
STOP_BOUND_S = 20.0


class Process:
    """A program of ours that says one line when it is ready, and answers each line it is told with one."""

    def __init__(self, module: str, started: asyncio.subprocess.Process, ready: str) -> None:
        self.module, self.ready, self._process = module, ready, started

    @classmethod
    async def start(cls, module: str, told: Mapping[str, Any]) -> Self:
        """`told`: what it reads first, a line of JSON."""
        started = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=2**24
        )
        process = cls(module, started, "")
        try:
            async with asyncio.timeout(START_BOUND_S):
                process.ready = await process.asked(json.dumps(told))
        except BaseException:
            process.kill()
            raise
        return process

    async def asked(self, line: str) -> str:
        """Raises RuntimeError when it is gone."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(line.encode() + b"\n")
        answer = await self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.module} ended, status {await self._process.wait()}")
        return answer.decode().strip()

    @property
    def cpu_s(self) -> float:
        return cpu_s(self._process.pid)

    def kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()

    async def stop(self) -> None:
        """Told to end, and killed when it does not."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(STOP_BOUND_S):
                    await self._process.wait()
            except TimeoutError:
                self.kill()
        await self._process.wait()


@asynccontextmanager
async def running(module: str, **told: Any) -> AsyncIterator[Process]:
    process = await Process.start(module, told)
    try:
        yield process
    finally:
        await process.stop()


@dataclass(frozen=True)
class Texting:
    """`postgres_pid`: so that its processor time can be read."""

    database: str
    redis: str
    postgres_pid: int

    @asynccontextmanager
    async def sql(self) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(self.database.replace("+asyncpg", ""))
        try:
            yield connection
        finally:
            await connection.close()

    async def alerts(self, people: int, kind: str = "look_out") -> OpenAction:
        """An action starts, and so many deliveries of its alert are there, nearest first, nobody's number twice."""
        store = Store.open(self.database)
        try:
            action = await Desk(store).start_action(NewAction(kind, "rotterdam", AREA, TEXTS), ME)
        finally:
            await store.close()
        async with self.sql() as connection:
            await _contact_points(connection, people)
            await connection.execute(_DELIVERIES, action.id, people)
            await connection.execute(
                "UPDATE desk.message SET audience_written_at = now() WHERE action_id = $1", action.id
            )
            await connection.execute("ANALYZE")
        return action

    async def ends(self, action: OpenAction) -> None:
        store = Store.open(self.database)
        try:
            await Desk(store).end_action(action.code, "direct", FOUND, ME)
        finally:
            await store.close()

    async def forgets_all(self) -> None:
        """No actions, no deliveries; the contact points stay."""
        async with self.sql() as connection:
            await connection.execute(
                "TRUNCATE desk.attempt, desk.delivery, desk.outbox, desk.message, desk.action CASCADE"
            )

    @property
    def postgres_cpu_s(self) -> float:
        return cpu_s(self.postgres_pid)

    @asynccontextmanager
    async def worker(self, twilio: str, side_by_side: int, redis: str = "") -> AsyncIterator[Process]:
        """A dispatcher of texts in a process of its own. `redis`: another than the one that is there."""
        async with running(
            "bench.texting_worker",
            database=self.database,
            redis=redis or self.redis,
            twilio=twilio,
            side_by_side=side_by_side,
        ) as process:
            yield process


@contextmanager
def texting() -> Iterator[Texting]:
    with (
        tempfile.TemporaryDirectory(prefix="burgernet-bench-", ignore_cleanup_errors=True) as folder,
        postgres_in(Path(folder), ("-cshared_buffers=512MB", "-cmax_wal_size=4GB")) as postgres,
        redis_server() as redis,
    ):
        upgrade(postgres.url)
        asyncio.run(_seed(postgres.url))
        yield Texting(postgres.url, redis, postgres.pid)


async def _seed(url: str) -> None:
    store = Store.open(url)
    await seed(store, ME, 2)
    await store.close()


def number_of(place: int) -> str:
    return f"+316{10_000_000 + place}"


_DELIVERIES = """
    INSERT INTO desk.delivery (message_id, contact_point_id, channel, language, distance, state, due_at, created_at,
                               changed_at)
    SELECT m.id, c.id, 'sms', 'nl', c.place / 15, 'pending', now(), now(), now()
    FROM desk.message m,
         (SELECT id, row_number() OVER (ORDER BY id) place FROM register.contact_point ORDER BY id LIMIT $2) c
    WHERE m.action_id = $1 AND m.kind = 'alert' ORDER BY c.place
"""


async def _contact_points(connection: asyncpg.Connection, wanted: int) -> None:
    there = await connection.fetchval("SELECT count(*) FROM register.contact_point")
    vault = Vault({1: KEY})
    await connection.copy_records_to_table(
        "contact_point",
        schema_name="register",
        columns=["kind", "sealed", "digest", "key_version"],
        records=(_contact_point(vault, place) for place in range(there, wanted)),
    )


def _contact_point(vault: Vault, place: int) -> tuple[str, bytes, bytes, int]:
    sealed = vault.seal(number_of(place).encode(), PURPOSE)
    return "mobile", sealed.blob, vault.digest(number_of(place), PURPOSE), sealed.version
