"""Serving the endpoints: who asks, how often, what they may; then the work; every refusal as problem+json."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable
from contextlib import asynccontextmanager

from aiohttp import web

from actions.desk import OutOfStep, Refused
from actions.store import Away
from web.access.origin import address_of
from web.access.rate import Rate
from web.access.tokens import Holder, Scope, Tokens
from web.api.description import DOCUMENT, JPEG, described
from web.api.endpoint import Asked, Endpoint, Jpeg, Office
from web.api.problem import Problem, fault, refusal
from web.api.request import read

log = logging.getLogger(__name__)

ROOT = "/v1"
WORK_S = 10.0
TURN_S = 30.0
# Calls use the same database: the API never takes more than this many of its connections.
SIDE_BY_SIDE = 8
DETAILS = {
    404: "there is nothing at this address",
    405: "this address does not take this method",
    413: "the body is too large",
}
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Gate:
    """Lets a request in, or says why not. `proxies`: whom we believe about where a request comes from."""

    def __init__(self, tokens: Tokens, rate: Rate, proxies: Collection[str] = ()) -> None:
        self._tokens, self._rate, self._proxies = tokens, rate, proxies
        self._turns = asyncio.Semaphore(SIDE_BY_SIDE)

    async def serve(self, request: web.Request, endpoint: Endpoint, office: Office) -> web.Response:
        """Raises Problem, Refused, Away."""
        asked = await self.admit(request, endpoint.scope)
        given = await read(request, endpoint.takes)
        async with self._turn():
            reply = await endpoint.work(office, asked, **given)
        if isinstance(reply.body, Jpeg):
            return web.Response(body=reply.body.content, status=reply.status, content_type=JPEG)
        return web.json_response(
            text=reply.body.model_dump_json(by_alias=True),
            status=reply.status,
            headers={"Location": reply.location} if reply.location else None,
        )

    async def admit(self, request: web.Request, scope: Scope) -> Asked:
        """Who asks, when that is allowed and not too often. Raises Problem, Away."""
        origin = await self.counted(request)
        async with self._turn():
            holder = await self._holder(request, scope)
        _not_too_often(await self._rate.of_token(holder.token_id))
        return Asked(holder, origin)

    async def counted(self, request: web.Request) -> str:
        """The address that asks, counted. Raises Problem (429)."""
        origin = address_of(request, self._proxies)
        _not_too_often(await self._rate.of_address(origin))
        return origin

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """One of the few places at the database, for a bounded time. Raises TimeoutError."""
        async with asyncio.timeout(TURN_S):
            await self._turns.acquire()
        try:
            async with asyncio.timeout(WORK_S):
                yield
        finally:
            self._turns.release()

    async def _holder(self, request: web.Request, scope: Scope) -> Holder:
        kind, _, secret = request.headers.get("Authorization", "").partition(" ")
        holder = await self._tokens.holder(secret.strip()) if kind.lower() == "bearer" else None
        if holder is None:
            raise Problem(401, "send a valid token: Authorization: Bearer ...", headers={"WWW-Authenticate": "Bearer"})
        if scope not in holder.scopes:
            raise Problem(403, f"this token may not do this: it lacks the scope {scope}")
        return holder


def routes(endpoints: Iterable[Endpoint], office: Office, gate: Gate, public_url: str) -> list[web.RouteDef]:
    """The endpoints, and their description at /v1/openapi.json."""
    endpoints = list(endpoints)
    document = described(endpoints, f"{public_url.rstrip('/')}{ROOT}")

    async def description(request: web.Request) -> web.Response:
        await gate.counted(request)
        return web.json_response(text=document, headers={"Access-Control-Allow-Origin": "*"})

    return [
        *(_route(endpoint, office, gate) for endpoint in endpoints),
        web.get(f"{ROOT}{DOCUMENT}", description),
    ]


def _route(endpoint: Endpoint, office: Office, gate: Gate) -> web.RouteDef:
    async def answer(request: web.Request) -> web.Response:
        return await gate.serve(request, endpoint, office)

    return web.route(endpoint.method, f"{ROOT}{endpoint.path}", answer)


@web.middleware
async def problems(request: web.Request, handler: Answer) -> web.StreamResponse:
    """Whatever goes wrong below /v1 is answered as problem+json; a fault of ours is logged, without the request."""
    if not request.path.startswith(f"{ROOT}/"):
        return await handler(request)
    try:
        return await handler(request)
    except Problem as problem:
        return refusal(problem)
    except OutOfStep as late:
        return refusal(Problem(409, str(late), [fault("body", said) for said in late.faults]))
    except Refused as refused:
        faults = [fault("body", said) for said in refused.faults]
        return refusal(Problem(400, "the request has faults: see `errors`", faults))
    except web.HTTPException as plain:
        return refusal(_of_http(plain))
    except Away as away:
        log.warning("a request was not answered: %s", type(away).__name__)
        return refusal(Problem(503, "the database does not answer; try again", headers={"Retry-After": "5"}))
    except Exception:
        log.exception("a request to the API failed")
        return refusal(Problem(500, "a fault of ours, written down here; try again later"))


def _of_http(plain: web.HTTPException) -> Problem:
    kept = {"Allow": plain.headers["Allow"]} if "Allow" in plain.headers else {}
    return Problem(plain.status, DETAILS.get(plain.status, plain.reason), headers=kept)


def _not_too_often(wait_s: int) -> None:
    if wait_s:
        raise Problem(429, f"too many requests; try again in {wait_s} s", headers={"Retry-After": str(wait_s)})
