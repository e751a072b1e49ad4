"""`GET /v1/events`: what happens, as it happens, for whoever may see it."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any, Literal

from aiohttp import web

from actions.store import Away
from web.access.tokens import Scope
from web.api.description import EVENTS
from web.api.problem import Problem, fault
from web.api.request import read
from web.api.serving import ROOT, Gate
from web.api.shapes import EventsQuery
from web.stream.form import HEARTBEAT, RETRY
from web.stream.hub import MOST_OF_ONE, Full, Hub, Watcher

log = logging.getLogger(__name__)

HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    # For a proxy before us: pass every event on at once, keep none.
    "X-Accel-Buffering": "no",
}
HEARTBEAT_S = 15.0
# So long one piece may take to leave; a reader that takes longer is cut.
WRITE_S = 10.0
# A token that was revoked, or whose time is over, opens nothing any more.
CHECK_S = 60.0
Ended = asyncio.Future[Literal[True]]
LONGEST_ID = 18
COME_BACK = {"Retry-After": "30"}


class Stream:
    """Server-Sent Events of CloudEvents, from the hub of this process."""

    def __init__(self, hub: Hub, gate: Gate) -> None:
        self._hub, self._gate = hub, gate

    def routes(self) -> list[web.RouteDef]:
        return [web.get(f"{ROOT}{EVENTS}", self._answer)]

    async def close(self, _: web.Application) -> None:
        await self._hub.close()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        """Raises Problem."""
        admitted = await self._gate.admit(request, Scope.EVENTS_READ)
        given = await read(request, {"query": EventsQuery})
        query = given["query"]
        assert isinstance(query, EventsQuery)
        last = _last_event(request, query)
        watcher = Watcher(admitted.holder, query.action)
        try:
            async with self._hub.watching(watcher):
                return await self._stream(request, watcher, last)
        except Full as full:
            if full.of_one:
                raise Problem(429, f"this token has {MOST_OF_ONE} streams open: close one", headers=COME_BACK) from None
            raise Problem(503, "too many streams are open; try again", headers=COME_BACK) from None

    async def _stream(self, request: web.Request, watcher: Watcher, last: int | None) -> web.StreamResponse:
        response = web.StreamResponse(headers=HEADERS)
        await response.prepare(request)
        try:
            await _write(response, RETRY)
            async for sent in self._hub.missed(watcher, last):
                await _write(response, sent)
            await self._pass_on(request, response, watcher)
        except (ConnectionError, *Away):
            # It does not read: nothing more is kept for it, and nothing waits for it.
            if request.transport:
                request.transport.abort()
        return response

    async def _pass_on(self, request: web.Request, response: web.StreamResponse, watcher: Watcher) -> None:
        """Until the watcher is cut, the process ends, or the token opens nothing any more."""
        checked = time.monotonic()
        ended: Ended = asyncio.ensure_future(watcher.ended.wait())
        try:
            while not ended.done():
                if time.monotonic() - checked > CHECK_S:
                    if not await self._still_admitted(request):
                        return
                    checked = time.monotonic()
                await _write(response, await _next(watcher, ended))
        finally:
            ended.cancel()

    async def _still_admitted(self, request: web.Request) -> bool:
        try:
            await self._gate.admit(request, Scope.EVENTS_READ)
        except Problem:
            return False
        except Away:
            log.info("a stream goes on unchecked: the database does not answer")
        return True


async def _next(watcher: Watcher, ended: Ended) -> bytes:
    """What waits, all at once; a sign of life when nothing comes."""
    coming = asyncio.ensure_future(watcher.waiting.get())
    try:
        first: set[asyncio.Future[Any]] = {coming, ended}
        await asyncio.wait(first, timeout=HEARTBEAT_S, return_when=asyncio.FIRST_COMPLETED)
        sent = coming.result() if coming.done() else b"" if ended.done() else HEARTBEAT
    finally:
        coming.cancel()
    pieces = [sent]
    while not watcher.waiting.empty():
        pieces.append(watcher.waiting.get_nowait())
    return b"".join(pieces)


async def _write(response: web.StreamResponse, sent: bytes) -> None:
    """Raises TimeoutError when it cannot leave, ConnectionError when nobody is there."""
    if sent:
        async with asyncio.timeout(WRITE_S):
            await response.write(sent)


def _last_event(request: web.Request, query: EventsQuery) -> int | None:
    """The event after which to begin: what a browser sends when it comes back, else what is asked for. Raises
    Problem."""
    given = request.headers.get("Last-Event-ID", "").strip()
    if not given:
        return query.after
    if given.isascii() and given.isdigit() and len(given) <= LONGEST_ID:
        return int(given)
    wrong = fault("header", "must be the id of an event of this stream", "#/Last-Event-ID")
    raise Problem(400, "the request has faults: see `errors`", [wrong])
