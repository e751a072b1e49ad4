"""A browser tells that it has shown a notification. The address holds a pass that only that notification carried."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from actions.models import DeliveryState
from actions.store import Away, Store
from actions.together import Together
from alerting.attempts import record_all
from alerting.channels.push import SHOWN
from alerting.passes import Passes, Use
from alerting.receipts import Receipt
from web.participants.visitors import Visitors


def routes(store: Store, passes: Passes, visitors: Visitors) -> list[web.RouteDef]:
    together = Together(partial(record_all, store))

    async def shown(request: web.Request) -> web.Response:
        await visitors.let_in(request)
        attempt_id = passes.read(Use.SHOWN, request.match_info["pass"])
        if attempt_id is None:
            raise web.HTTPNotFound(text="no such notification")
        try:
            known = await together.ask((attempt_id, Receipt(DeliveryState.DELIVERED, None, "shown")))
        except Away:
            raise web.HTTPServiceUnavailable(text="the database is away") from None
        return web.Response(status=204 if known else 404)

    return [web.post(f"{SHOWN}/{{pass:[A-Za-z0-9_-]{{20,120}}}}", shown)]
