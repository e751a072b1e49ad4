"""A Burgernet at work for a test: its settings, an action from start to result, and what became of it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from sqlmodel import col, select

from actions.books import Actor
from actions.desk import NewAction
from actions.matching import OpenAction
from actions.models import Delivery, Message
from actions.vault import new_key
from alerting.bell import action_changed
from burgernet.alerting_role import alerting_role
from burgernet.base import Base
from burgernet.embedded import free_port
from burgernet.settings import Settings

ME = Actor("tester", "tests", "to see that it works")
AREA = {"type": "circle", "lat": 51.9225, "lon": 4.4792, "radius": 5000}
GOLF = {"nl": ("blauwe Golf in Rotterdam", "Kijk uit."), "en": ("blue Golf in Rotterdam", "Look out.")}
FOUND = {"nl": ("blauwe Golf in Rotterdam", "De auto is gevonden."), "en": ("blue Golf", "It was found.")}


def settings_of(database_url: str, redis_url: str, folder: Path, **more: Any) -> Settings:
    port = free_port()
    return Settings(
        _env_file=None,
        database_url=database_url,
        redis_url=redis_url,
        register_keys=f"1:{new_key()}",
        police_keys=f"1:{new_key()}",
        ari_password=secrets.token_hex(16),
        ami_password=secrets.token_hex(16),
        sip_secret=secrets.token_hex(16),
        spool_file=folder / "spool",
        web_bind=f"127.0.0.1:{port}",
        public_url=f"http://127.0.0.1:{port}",
        **more,
    )


@asynccontextmanager
async def alerting(base: Base) -> AsyncIterator[None]:
    ready = asyncio.Event()
    role = asyncio.create_task(alerting_role(base, lambda _: None, ready))
    try:
        yield
    finally:
        role.cancel()
        with suppress(asyncio.CancelledError):
            await role


async def until(so: Callable[[], Awaitable[bool]] | Callable[[], bool], what: str) -> None:
    """Returns when it is so; fails with `what` when it does not come to that."""
    over = asyncio.get_running_loop().time() + 40
    while True:
        found = so()
        if found if isinstance(found, bool) else await found:
            return
        assert asyncio.get_running_loop().time() < over, what
        await asyncio.sleep(0.02)


async def starts(base: Base) -> OpenAction:
    action = await base.desk.start_action(NewAction("look_out", "rotterdam", AREA, GOLF), ME)
    await action_changed(base.redis)
    return action


async def ends(base: Base, action: OpenAction) -> None:
    await base.desk.end_action(action.code, "direct", FOUND, ME)
    await action_changed(base.redis)


async def states(base: Base, kind: str) -> list[str]:
    query = select(Delivery.state).join(Message, col(Message.id) == Delivery.message_id).where(Message.kind == kind)
    async with base.store.reading() as session:
        return sorted(await session.exec(query))
