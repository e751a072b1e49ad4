"""The HTTP server of the web role."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from aiohttp import web

from web.api.description import VERSION
from web.api.serving import ROOT

# An area of 10,000 points fits.
LARGEST_BODY = 256 * 1024
FINISH_S = 5.0
HARDENED = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def application(routes: Iterable[web.AbstractRouteDef], middlewares: Sequence[Any] = ()) -> web.Application:
    """`middlewares`: outermost first."""
    app = web.Application(client_max_size=LARGEST_BODY, middlewares=middlewares)
    app.add_routes(routes)
    app.on_response_prepare.append(_harden)
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


async def _harden(request: web.Request, response: web.StreamResponse) -> None:
    for name, value in HARDENED.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = "Burgernet"  # not which versions run here
    if request.path.startswith(f"{ROOT}/"):
        response.headers["API-Version"] = VERSION
