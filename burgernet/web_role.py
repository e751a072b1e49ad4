"""The web role: what comes in over HTTP. Reads and writes the database and Redis; never holds a call."""

from __future__ import annotations

import asyncio

from burgernet.base import Base, Say
from web.hooks import twilio
from web.server import application, serve


async def web_role(base: Base, say: Say, ready: asyncio.Event) -> None:
    """Serves until cancelled; sets `ready` when the port is open. Raises OSError."""
    settings = base.settings
    routes = twilio.routes(base.store, settings.twilio_auth_token.get_secret_value(), settings.public_url)
    await serve(application(routes), settings.web_bind, ready)
