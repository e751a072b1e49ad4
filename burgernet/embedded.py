"""Servers of our own for the demonstration and the tests: Redis and PostgreSQL, on loopback, gone afterwards."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOM_NEEDED = 1_000_000_000
START_BOUND_S = 30


class NoServer(Exception):
    """A server program is missing or does not start; the message says which and what to do."""


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port on loopback that nobody used a moment ago."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def redis_server(port: int | None = None, password: str | None = None) -> Iterator[str]:
    """The address (redis://:PASSWORD@127.0.0.1:PORT/0) of a Redis that keeps nothing on disk."""
    if not shutil.which("redis-server"):
        raise NoServer("redis-server is missing: apt-get install redis-server")
    port, password = port or free_port(), password or secrets.token_hex(16)
    settings = f"port {port}\nbind 127.0.0.1\nrequirepass {password}\nsave ''\nappendonly no\n".replace("''", '""')
    # The settings go in on stdin: a password among the arguments could be read by every user of the machine.
    process = subprocess.Popen(["redis-server", "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert process.stdin is not None
    process.stdin.write(settings.encode())
    process.stdin.close()
    try:
        _wait(lambda: _answers(port), f"Redis did not start on port {port}")
        yield f"redis://:{password}@127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def postgres_server() -> Iterator[str]:
    """The address (postgresql+asyncpg://...) of a PostgreSQL with an empty database; nothing of it stays."""
    careless = ("-cfsync=off", "-cfull_page_writes=off", "-csynchronous_commit=off")
    with (
        tempfile.TemporaryDirectory(prefix="burgernet-pg-", dir=_memory(), ignore_cleanup_errors=True) as folder,
        postgres_in(Path(folder), careless) as server,
    ):
        yield server.url


def _memory() -> Path | None:
    """Where files are in memory, when there is room: a database is made and dropped there in a tenth of the time."""
    memory = Path("/dev/shm")  # noqa: S108 - the folder in it has a name of its own
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > ROOM_NEEDED else None


@dataclass(frozen=True)
class Postgres:
    url: str
    pid: int


@contextmanager
def postgres_in(folder: Path, options: Sequence[str] = ()) -> Iterator[Postgres]:
    """A PostgreSQL whose data stay in `folder`; empty when it is new."""
    programs = _postgres_programs()
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    port, data = free_port(), folder / "data"
    if as_user:
        shutil.chown(folder, "postgres", "postgres")
    if not data.exists():
        initdb = [*as_user, str(programs / "initdb"), "-D", str(data), "-U", "burgernet", "-A", "trust", "-N"]
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, timeout=120, cwd="/")
    ours = [f"-cport={port}", "-clisten_addresses=127.0.0.1", f"-cunix_socket_directories={folder}"]
    server = [*as_user, str(programs / "postgres"), "-D", str(data), *ours, *options]
    # It listens before it takes connections: the open port alone says too little.
    ready = [str(programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(server, stdout=log, stderr=log, cwd="/")
    try:
        _wait(lambda: subprocess.run(ready, check=False).returncode == 0, f"PostgreSQL did not start on port {port}")
        yield Postgres(f"postgresql+asyncpg://burgernet@127.0.0.1:{port}/postgres", process.pid)
    finally:
        subprocess.run(
            [*as_user, str(programs / "pg_ctl"), "-D", str(data), "-m", "fast", "stop"],
            stdout=subprocess.DEVNULL,
            timeout=30,
            check=False,
            cwd="/",
        )
        process.wait(10)


def _postgres_programs() -> Path:
    for found in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True):
        return found.parent
    raise NoServer("PostgreSQL is missing: apt-get install postgresql")


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _wait(ready: Callable[[], bool], otherwise: str) -> None:
    over = time.monotonic() + START_BOUND_S
    while not ready():
        if time.monotonic() > over:
            raise NoServer(otherwise)
        time.sleep(0.05)
