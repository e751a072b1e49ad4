"""The private address of a process: its metrics and its health, whatever roles it has."""

from __future__ import annotations

import asyncio

from burgernet.base import Base
from web.health import Health
from web.server import application, serve


async def watched(base: Base, ready: asyncio.Event) -> None:
    """Serves until cancelled; sets `ready` when the port is open. Raises OSError."""
    routes = [*base.metrics.routes(), *Health(base.store, base.redis).routes()]
    async with asyncio.TaskGroup() as group:
        group.create_task(base.metrics.watch_loop())
        group.create_task(serve(application(routes), base.settings.metrics_bind, ready))
