"""Texts from the public, as Twilio brings them: signed, written to the database, answered later."""

from __future__ import annotations

import re

from aiohttp import web
from redis.asyncio import Redis

from actions.live import wake
from actions.store import Away
from alerting.inbound.answers import BELL
from alerting.inbound.reception import Incoming, Reception
from web.hooks.signed import SignedForms

INBOUND = "/hooks/twilio/inbound"
# 5,000 signs of four bytes, each written as three, and all the other fields.
LARGEST_FORM = 96 * 1024
_SID = re.compile(r"[A-Za-z0-9]{2,64}")


def routes(reception: Reception, redis: Redis, auth_token: str, public_url: str) -> list[web.RouteDef]:
    """`public_url`: how Twilio reaches us. None without a token: with an empty one anybody could sign."""
    if not auth_token:
        return []
    forms = SignedForms(auth_token, public_url)

    async def inbound(request: web.Request) -> web.Response:
        form = await forms.read(request, LARGEST_FORM)
        text = Incoming(form.get("MessageSid", ""), form.get("From", ""), form.get("To", ""), form.get("Body", ""))
        if not _SID.fullmatch(text.id):
            raise web.HTTPBadRequest(text="not a text")
        try:
            new = await reception.take(text)
        except Away:
            # Twilio repeats it; without an answer of ours it would too, only later.
            raise web.HTTPServiceUnavailable(text="the database is away") from None
        if new:
            await wake(redis, BELL)
        return web.Response(status=204)

    return [web.post(INBOUND, inbound)]
