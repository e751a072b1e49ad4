"""The HTTP server of the web role."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from aiohttp import web

LARGEST_BODY = 64 * 1024
FINISH_S = 5.0


def application(routes: Iterable[web.AbstractRouteDef]) -> web.Application:
    app = web.Application(client_max_size=LARGEST_BODY)
    app.add_routes(routes)
    return app


async def serve(app: web.Application, bind: str, ready: asyncio.Event) -> None:
    """Serves on `bind` (HOST:PORT) until cancelled, then finishes what is under way; sets `ready`. Raises OSError."""
    host, _, port = bind.rpartition(":")
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=FINISH_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, int(port)).start()
        ready.set()
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()
