"""Redis, PostgreSQL or Asterisk is away when Burgernet starts: it says which and what to do, and comes up once it is
there."""

from __future__ import annotations

import asyncio
import re
import secrets
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from actions.seed import seed
from actions.store import NoDatabase, Store
from burgernet.base import NoRedis, opened, wait_for_redis
from burgernet.embedded import free_port, redis_server
from burgernet.settings import Settings
from telephony.lease import Lease, LeaseLost
from tests.conversations.exchange import ME, settings_of
from tests.conversations.real import RealNode
from tests.truth.running import Running, running, wire_to

NEVER_S = 0.5


def of_a_deployment(real: RealNode, folder: Path, **more: str) -> Settings:
    own = {
        "spool_file": folder / "spool",
        "web_bind": f"127.0.0.1:{free_port()}",
        "controller": f"late{secrets.token_hex(3)}",
        "sounds_dir": real.asterisk.sounds,
        "sounds_seen_as": str(real.asterisk.sounds_inside),
    }
    return real.settings.model_copy(update={**own, **more})


async def seeded(url: str) -> str:
    store = Store.open(url)
    await seed(store, ME, 2)
    await store.close()
    return url


async def backs_off(process: Running, words: str) -> None:
    """Says so again and again, each time after a longer pause."""
    await process.says(words)
    await process.says("trying again in 0.2 s")
    await process.says("trying again in 0.4 s")
    said = [line for line in process.log.read_text().splitlines() if "trying again" in line]
    pauses = [float(pause) for line in said for pause in re.findall(r"trying again in ([0-9.]+) s", line)]
    assert pauses == sorted(pauses)


async def comes_up_and_ends(process: Running) -> None:
    await process.is_up()
    assert "Traceback" not in process.log.read_text()
    assert await asyncio.to_thread(process.stops) == 0


async def test_redis_that_starts_late_is_waited_for(real: RealNode, sqlite_url: str, tmp_path: Path) -> None:
    port, password = free_port(), secrets.token_hex(8)
    address = f"redis://:{password}@127.0.0.1:{port}/0"
    settings = of_a_deployment(real, tmp_path, database_url=await seeded(sqlite_url), redis_url=address)
    with ExitStack() as servers, running(settings, tmp_path) as process:
        process.starts()
        await backs_off(process, "Redis does not answer")
        await asyncio.to_thread(servers.enter_context, redis_server(port, password))
        await comes_up_and_ends(process)
        assert password not in process.log.read_text()


async def test_postgresql_that_starts_late_is_waited_for(
    real: RealNode, postgres_url: str, redis_url: str, tmp_path: Path
) -> None:
    port = free_port()
    late = make_url(await seeded(postgres_url)).set(port=port, password="not-for-the-log")
    settings = of_a_deployment(
        real, tmp_path, database_url=late.render_as_string(hide_password=False), redis_url=redis_url
    )
    with running(settings, tmp_path) as process:
        process.starts()
        await backs_off(process, f"127.0.0.1:{port}")
        assert "the database at postgresql+asyncpg://burgernet:***@" in process.log.read_text()
        async with wire_to(postgres_url, port):
            await comes_up_and_ends(process)
        assert "not-for-the-log" not in process.log.read_text()


async def test_asterisk_that_starts_late_is_waited_for(
    real: RealNode, sqlite_url: str, redis_url: str, tmp_path: Path
) -> None:
    port = free_port()
    settings = of_a_deployment(
        real,
        tmp_path,
        database_url=await seeded(sqlite_url),
        redis_url=redis_url,
        ari_url=f"http://127.0.0.1:{port}",
    )
    with running(settings, tmp_path) as process:
        process.starts()
        await backs_off(process, f"Asterisk at http://127.0.0.1:{port}/ari is away")
        await process.says("waiting for Asterisk")
        assert "Burgernet is up" not in process.log.read_text()
        async with wire_to(real.settings.ari_url, port):
            await comes_up_and_ends(process)


async def test_redis_that_never_comes_ends_the_start_and_says_what_to_do(tmp_path: Path) -> None:
    said: list[str] = []
    nowhere = settings_of(f"sqlite+aiosqlite:///{tmp_path}/db", f"redis://127.0.0.1:{free_port()}/0")
    async with opened(nowhere) as base:
        with pytest.raises(NoRedis, match=r"start it, or set BURGERNET_REDIS_URL"):
            await wait_for_redis(base.redis, NEVER_S, said.append)
        with pytest.raises(TimeoutError, match=r"start it, or set BURGERNET_REDIS_URL"):
            await Lease(base.redis, "burgernet-test").take(NEVER_S, said.append)
    assert all("Redis does not answer" in line for line in said)
    assert len(said) in range(4, 9)


async def test_a_wrong_redis_password_is_not_tried_again(redis_url: str, tmp_path: Path) -> None:
    said: list[str] = []
    wrong = make_url(redis_url).set(password="wrong").render_as_string(hide_password=False)
    async with opened(settings_of(f"sqlite+aiosqlite:///{tmp_path}/db", wrong)) as base:
        with pytest.raises(NoRedis, match="refuses the password in BURGERNET_REDIS_URL"):
            await wait_for_redis(base.redis, 10, said.append)
    assert said == []


async def test_a_database_that_never_comes_ends_the_start_and_says_what_to_do() -> None:
    said: list[str] = []
    store = Store.open(f"postgresql+asyncpg://burgernet:secret@127.0.0.1:{free_port()}/burgernet")
    with pytest.raises(NoDatabase, match=r"does not answer \(.+\); start it, or set BURGERNET_DATABASE_URL") as end:
        await store.wait_until_up(NEVER_S, said.append)
    assert "secret" not in f"{said} {end.value}"
    assert len(said) >= 2
    await store.close()


async def test_a_name_that_somebody_else_keeps_ends_the_start(redis_url: str, tmp_path: Path) -> None:
    said: list[str] = []
    async with opened(settings_of(f"sqlite+aiosqlite:///{tmp_path}/db", redis_url)) as base:
        first, second = Lease(base.redis, "burgernet-kept"), Lease(base.redis, "burgernet-kept")
        await first.take(NEVER_S, said.append)
        with pytest.raises(LeaseLost, match="burgernet-kept is running"):
            await second.take(NEVER_S, said.append)
        await first.give_back()
        await second.take(NEVER_S, said.append)
        await second.give_back()
