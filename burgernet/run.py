"""`burgernet run`: the roles, in one process or apart, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import signal
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path

from sqlalchemy.engine import make_url

from burgernet.alerting_role import alerting_role
from burgernet.base import START_BOUND_S, Base, Say, wait_for_redis
from burgernet.telephony_role import telephony_role
from burgernet.watched import watched, watching
from burgernet.web_role import web_role

log = logging.getLogger(__name__)


class Role(StrEnum):
    TELEPHONY = "telephony"
    ALERTING = "alerting"
    WEB = "web"


ROLES = {Role.TELEPHONY: telephony_role, Role.ALERTING: alerting_role, Role.WEB: web_role}


class NotTogether(Exception):
    """These processes cannot share this database; the message says what to do."""


async def run(base: Base, roles: Collection[Role], say: Say, ready: asyncio.Event) -> None:
    """Waits for the database and Redis, runs the roles until cancelled; sets `ready` when all of them work. The first
    role that fails ends all. Raises NoDatabase, NoRedis, NotTogether and what the roles raise."""
    with _alone_on_sqlite(base.settings.database_url, roles):
        await base.store.wait_until_up(START_BOUND_S, say)
        await wait_for_redis(base.redis, START_BOUND_S, say)
        events = {role.value: asyncio.Event() for role in roles}
        async with asyncio.TaskGroup() as group:
            group.create_task(watching(base, roles), name="alarms")
            for role in roles:
                group.create_task(ROLES[role](base, say, events[role]), name=role)
            if base.settings.metrics_bind:
                events["metrics"] = asyncio.Event()
                group.create_task(watched(base, events["metrics"]), name="metrics")
            for name, event in events.items():
                await event.wait()
                log.info("role %s is up", name)
            ready.set()


async def run_until_told(base: Base, roles: Collection[Role], say: Say) -> None:
    """`run`, ended by SIGTERM or Ctrl-C: with BURGERNET_DRAIN_S when the calls are over or others lead them, else at
    once, as by a second signal. Calls under way go on in Asterisk; another controller or the next start adopts them."""
    at_once, ready = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def told() -> None:
        if base.stopping.is_set() or not ready.is_set() or Role.TELEPHONY not in roles:
            at_once.set()
        base.stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told)
    running = asyncio.ensure_future(run(base, roles, say, ready))
    waiting = asyncio.ensure_future(_say_when_ready(ready, roles, say))
    stopping = asyncio.ensure_future(_may_end(base, at_once))
    await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for task in (waiting, stopping, running):
        task.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def _may_end(base: Base, at_once: asyncio.Event) -> None:
    """Returns when this process was told to end, and has drained or waited long enough for that."""
    await base.stopping.wait()
    with suppress(TimeoutError):
        async with asyncio.timeout(base.settings.drain_s):
            drained, told = (asyncio.ensure_future(event.wait()) for event in (base.drained, at_once))
            try:
                await asyncio.wait({drained, told}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                drained.cancel()
                told.cancel()


async def _say_when_ready(ready: asyncio.Event, roles: Collection[Role], say: Say) -> None:
    await ready.wait()
    say(f"Burgernet is up: {', '.join(roles)}")


@contextmanager
def _alone_on_sqlite(url: str, roles: Collection[Role]) -> Iterator[None]:
    """On SQLite all roles share one process: a second one, or a role alone, is refused."""
    file = make_url(url).database
    if not url.startswith("sqlite") or not file:
        yield
        return
    if set(roles) != set(Role):
        raise NotTogether("roles apart need PostgreSQL: set BURGERNET_DATABASE_URL, or run without --role")
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    with Path(f"{file}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NotTogether(
                f"another process runs on {file}: on SQLite there can be only one; use PostgreSQL for more"
            ) from None
        yield
