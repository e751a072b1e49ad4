"""Every process is watched: its alarms, and at a private address its metrics and its health."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Collection

from burgernet.base import Base
from burgernet.seen import by_every_process
from watch.board import Board
from watch.watchman import Watchman
from web.health import Health
from web.server import application, serve


async def watching(base: Base, roles: Collection[str]) -> None:
    """Looks for what is wrong, and tells, until cancelled."""
    process = f"{base.settings.controller} {'+'.join(sorted(roles))} on {socket.gethostname()}"
    watchman = Watchman(process, base.looks, Board(base.redis), base.metrics.registry)
    async with base.looking(by_every_process(base, process)), asyncio.TaskGroup() as group:
        group.create_task(base.metrics.watch_loop())
        group.create_task(watchman.run())


async def watched(base: Base, ready: asyncio.Event) -> None:
    """Serves until cancelled; sets `ready` when the port is open. Raises OSError."""
    routes = [*base.metrics.routes(), *Health(base.store, base.redis).routes()]
    await serve(application(routes), base.settings.metrics_bind, ready)
