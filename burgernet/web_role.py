"""The web role: what comes in over HTTP. Reads and writes the database and Redis; never holds a call."""

from __future__ import annotations

import asyncio

from aiohttp import web

from actions.drafts import Drafts
from actions.listing import Listing
from actions.numbers import read_number
from actions.tips import Tips
from alerting.inbound.reception import Reception
from burgernet.base import Base, Say
from web.access.rate import Limits, Rate
from web.access.tokens import Tokens
from web.api import actions, heard, rooms, serving
from web.api.endpoint import Office
from web.health import Health
from web.hooks import inbound, twilio
from web.server import application, serve

ENDPOINTS = (*actions.ENDPOINTS, *rooms.ENDPOINTS, *heard.ENDPOINTS)


async def web_role(base: Base, say: Say, ready: asyncio.Event) -> None:
    """Serves until cancelled; sets `ready` when the port is open. Raises OSError."""
    await serve(web_application(base), base.settings.web_bind, ready)


def web_application(base: Base) -> web.Application:
    """Everything that is served: callbacks of providers, the API, health."""
    settings = base.settings
    token = settings.twilio_auth_token.get_secret_value()
    routes: list[web.RouteDef] = [
        *twilio.routes(base.store, token, settings.public_url),
        *inbound.routes(_reception(base), base.redis, token, settings.public_url),
        *Health(base.store, base.redis).routes(),
        *serving.routes(ENDPOINTS, _office(base), _gate(base), settings.public_url),
    ]
    return application(routes, [base.metrics.count, serving.problems])


def _office(base: Base) -> Office:
    store = base.store
    return Office(store, base.redis, base.desk, Drafts(store), Listing(store), Tips(store, base.vaults.police))


def _gate(base: Base) -> serving.Gate:
    most = base.settings.requests_a_minute
    limits = Limits(token=most, address=2 * most)
    return serving.Gate(Tokens(base.store), Rate(base.redis, limits), base.settings.web_proxies)


def _reception(base: Base) -> Reception:
    own = (read_number(number).e164 for number in (base.settings.twilio_sender, base.settings.free_number))
    return Reception(base.store, base.vaults, {number for number in own if number})
