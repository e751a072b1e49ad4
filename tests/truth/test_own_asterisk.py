"""An Asterisk, a Redis and a PostgreSQL of our own: started, refused, taken over and gone without a trace."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from burgernet import asterisk, embedded
from burgernet.asterisk import Instance, NoAsterisk
from burgernet.base import opened
from burgernet.embedded import free_port, postgres_server, redis_server
from burgernet.node import instance, node
from burgernet.settings import Settings
from tests.conversations.real import settings_of_a_node


@pytest.fixture
def settings(sqlite_url: str) -> Iterator[Settings]:
    with settings_of_a_node(sqlite_url) as settings:
        instance(settings).folder.mkdir()
        yield settings


@pytest.fixture
async def ours(settings: Settings) -> Instance:
    """An instance with an empty country, written and not started."""
    ours = instance(settings)
    async with opened(settings) as base:
        asterisk.write(ours, await node(settings, base.desk))
    return ours


def running_on(words: str) -> set[str]:
    """The processes with these words among their arguments, by id."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if words in entry.read_bytes().decode("utf-8", "replace"):
                found.add(entry.parent.name)
        except OSError:
            continue
    return found


def gone(words: str, bound_s: float = 5) -> bool:
    over = time.monotonic() + bound_s
    while running_on(words):
        if time.monotonic() > over:
            return False
        time.sleep(0.02)
    return True


def test_an_asterisk_that_was_started_answers_and_is_gone_afterwards(ours: Instance) -> None:
    conf = str(ours.inside / "etc/asterisk.conf")
    with asterisk.running(ours):
        assert "Asterisk 2" in ours.console("core show version")
        assert running_on(conf)
    assert gone(conf)
    with pytest.raises(NoAsterisk, match="does not answer on its console"):
        ours.console("core show version")


def test_an_asterisk_whose_configuration_is_no_good_ends_with_its_last_words(ours: Instance) -> None:
    (ours.folder / "etc/modules.conf").write_text("[modules]\nrequire = no_such_module.so\n")
    with pytest.raises(NoAsterisk, match="no_such_module") as end, asterisk.running(ours):
        pytest.fail("it started")
    assert "Its last words" in str(end.value)
    assert gone(str(ours.inside / "etc/asterisk.conf"))


def test_only_one_process_leads_an_instance(ours: Instance) -> None:
    refused = f"another process runs the Asterisk instance {ours.name}"
    with asterisk.running(ours) as first:
        with pytest.raises(NoAsterisk, match=refused), asterisk.running(ours):
            pytest.fail("two of them")
        assert first.poll() is None
        assert "Asterisk 2" in ours.console("core show version")


def test_what_a_killed_leader_left_behind_is_ended_by_the_next(ours: Instance) -> None:
    orphan = asterisk.start(ours)  # nobody leads it: as after kill -9 of the one who did
    with asterisk.running(ours) as next_life:
        assert orphan.wait(5) != 0
        assert next_life.poll() is None
        assert "Asterisk 2" in ours.console("core show version")


def test_the_configuration_is_readable_by_its_account_alone(ours: Instance) -> None:
    files = list((ours.folder / "etc").iterdir())
    assert files
    (opened_up := ours.folder / "etc/pjsip.conf").chmod(0o644)
    asterisk.write_files(ours, lambda *_: {opened_up.name: "[global]"})
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_a_root_without_asterisk_is_refused(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(NoAsterisk, match=r"no Asterisk 22\.10 or newer below"):
        instance(settings.model_copy(update={"asterisk_root": tmp_path}))


def test_postgresql_leaves_no_process_and_no_folder() -> None:
    with postgres_server() as url:
        folder = Path(asyncio.run(data_directory(url))).parent
        assert folder.is_dir()
        assert running_on(str(folder))
    assert gone(str(folder))
    assert not folder.exists()


async def data_directory(url: str) -> str:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        return str(await connection.fetchval("SHOW data_directory"))
    finally:
        await connection.close()


def test_redis_leaves_no_process_and_shows_nobody_its_password() -> None:
    with redis_server() as url:
        address = make_url(url)
        assert running_on(f"127.0.0.1:{address.port}")
        assert not running_on(str(address.password))
    assert gone(f"redis-server 127.0.0.1:{address.port}")


def test_a_redis_whose_port_is_taken_is_ended_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "START_BOUND_S", 0.3)
    started: list[subprocess.Popen[bytes]] = []
    monkeypatch.setattr(subprocess, "Popen", _kept(subprocess.Popen, started))
    monkeypatch.setattr(embedded, "_answers", lambda _: False)
    port = free_port()
    with pytest.raises(embedded.NoServer, match=f"Redis did not start on port {port}"), redis_server(port):
        pytest.fail("it started")
    (process,) = started
    assert process.poll() is not None


@pytest.mark.parametrize(("server", "program"), [(redis_server, "redis-server"), (postgres_server, "postgresql")])
def test_a_server_program_that_is_missing_is_named(
    server: Callable[[], object], program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr(Path, "glob", lambda *_: iter(()))
    with pytest.raises(embedded.NoServer, match=f"apt-get install {program}"), server():  # type: ignore[attr-defined]
        pytest.fail("it started")


def _kept(
    make: Callable[..., subprocess.Popen[bytes]], started: list[subprocess.Popen[bytes]]
) -> Callable[..., object]:
    def popen(*given: object, **more: object) -> subprocess.Popen[bytes]:
        started.append(make(*given, **more))
        return started[-1]

    return popen
