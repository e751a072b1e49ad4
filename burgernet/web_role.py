"""The web role: what comes in over HTTP. Reads and writes the database and Redis; never holds a call."""

from __future__ import annotations

import asyncio

from burgernet.base import Base, Say
from web.server import application, serve


async def web_role(base: Base, say: Say, ready: asyncio.Event) -> None:
    """Serves until cancelled; sets `ready` when the port is open. Raises OSError."""
    await serve(application([]), base.settings.web_bind, ready)
