"""The HTTP server of the web role."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

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
    logging.getLogger("aiohttp.server").addFilter(_calm)
    host, _, port = bind.rpartition(":")
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=FINISH_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, int(port)).start()
        ready.set()
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


def _calm(record: logging.LogRecord) -> bool:
    """What is no HTTP is refused in one quiet line: else every stranger fills the log, with what he sent in it."""
    if record.exc_info and isinstance(record.exc_info[1], HttpProcessingError):
        record.levelno, record.levelname = logging.INFO, "INFO"
        record.msg, record.args, record.exc_info = "a request that is not HTTP was refused", (), None
    return True


async def _harden(request: web.Request, response: web.StreamResponse) -> None:
    for name, value in HARDENED.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = "Burgernet"  # not which versions run here
    if request.path.startswith(f"{ROOT}/"):
        response.headers["API-Version"] = VERSION
