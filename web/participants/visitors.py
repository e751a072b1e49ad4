"""Strangers at our pages: counted, so that nobody asks without end."""

from __future__ import annotations

from collections.abc import Collection

from aiohttp import web

from web.access.origin import address_of
from web.access.rate import Rate


class Visitors:
    """`proxies`: whom we believe about where a request comes from."""

    def __init__(self, rate: Rate, proxies: Collection[str]) -> None:
        self._rate, self._proxies = rate, proxies

    async def let_in(self, request: web.Request) -> None:
        """Raises HTTPTooManyRequests."""
        if wait_s := await self._rate.of_address(address_of(request, self._proxies)):
            raise web.HTTPTooManyRequests(headers={"Retry-After": str(wait_s)})
