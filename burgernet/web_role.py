"""The web role: what comes in over HTTP. Reads and writes the database and Redis; never holds a call."""

from __future__ import annotations

import asyncio

from aiohttp import web

from actions.call_book import CallBook
from actions.drafts import Drafts
from actions.endings import Endings
from actions.link_tips import LinkTips
from actions.links import Purpose
from actions.listing import Listing
from actions.numbers import read_number
from actions.pictures import Pictures
from actions.sightings import Sightings
from actions.tips import Tips
from alerting.inbound.reception import Reception
from alerting.passes import Passes
from alerting.renditions import Around
from burgernet.base import Base, Say
from burgernet.carriers import carriers
from ivr_flows.catalogue import catalogue
from ivr_flows.spoken import spoken
from web.access.rate import Limits, Rate
from web.access.tokens import Tokens
from web.api import (
    actions,
    alarms,
    heard,
    link_texts,
    messages,
    notes,
    photos,
    previews,
    room_changes,
    rooms,
    serving,
    sightings,
    spending,
    statistics,
)
from web.api.endpoint import Office
from web.health import Health
from web.hooks import inbound, spryng, twilio, twilio_calls, twilio_voice
from web.hooks.twiml import Words
from web.links.serving import LinkPages
from web.participants import pictures, shown, unsubscribe
from web.participants.visitors import Visitors
from web.server import application, serve
from web.stream.form import Form
from web.stream.hub import Hub
from web.stream.serving import Stream

ENDPOINTS = (
    *actions.ENDPOINTS,
    *rooms.ENDPOINTS,
    *room_changes.ENDPOINTS,
    *heard.ENDPOINTS,
    *messages.ENDPOINTS,
    *notes.ENDPOINTS,
    *link_texts.ENDPOINTS,
    *photos.ENDPOINTS,
    *alarms.ENDPOINTS,
    *spending.ENDPOINTS,
    *statistics.ENDPOINTS,
    *previews.ENDPOINTS,
    *sightings.ENDPOINTS,
)


async def web_role(base: Base, say: Say, ready: asyncio.Event) -> None:
    """Serves until cancelled; sets `ready` when the port is open. Raises OSError."""
    settings = base.settings
    # What this role spools, it replays: the telephony role may be another process.
    spool = settings.spool_file.with_stem(f"{settings.spool_file.stem}-web")
    book = CallBook(base.store, base.vaults, spool)
    async with asyncio.TaskGroup() as group:
        group.create_task(book.run())
        group.create_task(serve(web_application(base, book), settings.web_bind, ready))


def web_application(base: Base, book: CallBook) -> web.Application:
    """Everything that is served: callbacks of providers, the API, health."""
    settings = base.settings
    token = settings.twilio_auth_token.get_secret_value()
    gate = _gate(base)
    stream = _stream(base, gate)
    passes, visitors = Passes(base.vaults.register), _visitors(base)
    routes: list[web.RouteDef] = [
        *twilio.routes(base.store, token, settings.public_url),
        *spryng.routes(base.store, settings.spryng_hook_secret.get_secret_value()),
        *twilio_calls.routes(base.store, book, token, settings.public_url),
        *twilio_voice.routes(_hearers(base, book), token, settings.public_url),
        *inbound.routes(_reception(base), base.redis, token, settings.public_url),
        *_link_pages(base).routes(),
        *unsubscribe.routes(base.store, passes, visitors),
        *shown.routes(base.store, passes, visitors),
        *pictures.routes(Pictures(base.store), visitors),
        *Health(base.store, base.redis).routes(),
        *serving.routes(ENDPOINTS, _office(base), gate, settings.public_url),
        *stream.routes(),
    ]
    app = application(routes, [base.metrics.count, serving.problems])
    app.on_shutdown.append(stream.close)
    return app


def _stream(base: Base, gate: serving.Gate) -> Stream:
    form = Form(base.settings.event_source, f"{base.settings.public_url.rstrip('/')}{serving.ROOT}")
    return Stream(Hub(base.store, form), gate)


def _office(base: Base) -> Office:
    store, settings = base.store, base.settings
    around = Around(settings.free_number_read, settings.site_url, settings.public_url.rstrip("/"))
    tips, drafts = Tips(store, base.vaults.police), Drafts(store, settings.open_for)
    return Office(
        store=store,
        redis=base.redis,
        desk=base.desk,
        drafts=drafts,
        listing=Listing(store),
        tips=tips,
        around=around,
        tariffs=settings.tariffs,
        endings=Endings(store),
        link_texts=base.link_texts,
        sightings=Sightings(store),
        carriers=carriers(settings),
    )


def _hearers(base: Base, book: CallBook) -> twilio_voice.Hearers:
    settings = base.settings
    words = Words(catalogue(), spoken, settings.free_number_read)
    tips = Tips(base.store, base.vaults.police)
    return twilio_voice.Hearers(base.store, base.redis, book, tips, words, settings.sip_public, settings.max_call_s)


def _gate(base: Base) -> serving.Gate:
    most = base.settings.requests_a_minute
    limits = Limits(token=most, address=2 * most)
    return serving.Gate(Tokens(base.store), Rate(base.redis, limits), base.settings.web_proxies)


def _visitors(base: Base) -> Visitors:
    most = 2 * base.settings.requests_a_minute
    return Visitors(Rate(base.redis, Limits(address=most)), base.settings.web_proxies)


def _link_pages(base: Base) -> LinkPages:
    settings = base.settings
    tips, rate = LinkTips(base.store, base.vaults.police), Rate(base.redis, Limits())
    return LinkPages(base.store, tips, rate, settings.web_proxies, settings.free_number_read)


def _reception(base: Base) -> Reception:
    own = (read_number(number).e164 for number in (base.settings.twilio_sender, base.settings.free_number))
    invites = Purpose(base.settings.link_in_answer) if base.settings.link_in_answer else None
    return Reception(base.store, base.vaults, {number for number in own if number}, invites)
