"""The web role: what comes in over HTTP. Reads and writes the database and Redis; never holds a call."""

from __future__ import annotations

import asyncio

from actions.numbers import read_number
from alerting.inbound.reception import Reception
from burgernet.base import Base, Say
from web.hooks import inbound, twilio
from web.server import application, serve


async def web_role(base: Base, say: Say, ready: asyncio.Event) -> None:
    """Serves until cancelled; sets `ready` when the port is open. Raises OSError."""
    settings = base.settings
    token = settings.twilio_auth_token.get_secret_value()
    routes = twilio.routes(base.store, token, settings.public_url)
    routes += inbound.routes(_reception(base), base.redis, token, settings.public_url)
    await serve(application(routes), settings.web_bind, ready)


def _reception(base: Base) -> Reception:
    own = (read_number(number).e164 for number in (base.settings.twilio_sender, base.settings.free_number))
    return Reception(base.store, base.vaults, {number for number in own if number})
