"""Where a request comes from."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection

from aiohttp import web

UNKNOWN = "unknown"


def address_of(request: web.Request, proxies: Collection[str]) -> str:
    """The address of whoever asks. Only our own `proxies` are believed about for whom they ask."""
    address = request.remote or UNKNOWN
    hops = [hop.strip() for value in request.headers.getall("X-Forwarded-For", ()) for hop in value.split(",")]
    while address in proxies and hops:
        address = _address(hops.pop())
    return address


def _address(hop: str) -> str:
    try:
        return str(ipaddress.ip_address(hop))
    except ValueError:
        return UNKNOWN
