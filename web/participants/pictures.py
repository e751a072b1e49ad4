"""The pictures of open actions. Nobody on the way may keep one: it must be gone when the action ends."""

from __future__ import annotations

from aiohttp import web

from actions.pictures import MEDIA_TYPE, Pictures
from actions.store import Away
from web.participants.visitors import Visitors


def routes(pictures: Pictures, visitors: Visitors) -> list[web.RouteDef]:
    async def picture(request: web.Request) -> web.Response:
        await visitors.let_in(request)
        try:
            found = await pictures.with_key(request.match_info["key"])
        except Away:
            raise web.HTTPServiceUnavailable(text="the database is away", headers={"Retry-After": "5"}) from None
        if found is None:
            raise web.HTTPNotFound(text="this picture is shown no more")
        return web.Response(body=found, content_type=MEDIA_TYPE, headers={"Content-Disposition": "inline"})

    return [web.get("/pictures/{key:[A-Za-z0-9_-]{32}}", picture)]
