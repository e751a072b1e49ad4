"""Spryng's delivery reports. It signs nothing: the secret in the address, which is told to Spryng alone, is the proof,
and what a report can change is the one attempt whose id, known to Spryng alone, it carries."""

from __future__ import annotations

import hmac
import re
from functools import partial

from aiohttp import web

from actions.store import Away, Store
from actions.together import Together
from alerting.attempts import record_all
from alerting.channels.spryng import receipt_of

STATUS = "/hooks/spryng"
_ATTEMPT = re.compile(r"[0-9a-f]{32}")
_CODE = re.compile(r"[0-9]{1,4}")


def routes(store: Store, secret: str) -> list[web.RouteDef]:
    """None without a secret: anybody could report."""
    if not secret:
        return []
    together = Together(partial(record_all, store))

    async def status(request: web.Request) -> web.Response:
        if not hmac.compare_digest(request.match_info["secret"].encode(), secret.encode()):
            raise web.HTTPForbidden(text="the secret in the address does not fit")
        attempt, code = request.query.get("REFERENCE", ""), request.query.get("STATUS", "")
        reason = request.query.get("REASONCODE", "")
        if not (_ATTEMPT.fullmatch(attempt) and _CODE.fullmatch(code)):
            raise web.HTTPBadRequest(text="not a delivery report")
        receipt = receipt_of(code, reason if _CODE.fullmatch(reason) else "")
        try:
            known = await together.ask((attempt, receipt))
        except Away:
            raise web.HTTPServiceUnavailable(text="the database is away") from None
        if not known:
            raise web.HTTPNotFound(text="no such attempt")
        return web.Response(text="OK")

    return [web.get(f"{STATUS}/{{secret:[A-Za-z0-9]{{1,200}}}}", status)]
