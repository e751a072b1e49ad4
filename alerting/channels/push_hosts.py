"""Which push services we ask. A stranger's browser names the address, so only those on a list are knocked at."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

BELOW = "*."


def origin_allowed(endpoint: str, hosts: Collection[str]) -> str | None:
    """The origin (https://host) of an endpoint that may be asked; None for all others. `hosts`: names, `*.` before one
    for all below it; an origin with http:// is for trials on this machine."""
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    if parts.username is not None or parts.password is not None or not parts.netloc.isascii():
        return None
    if parts.scheme == "http":
        origin = f"http://{host}:{port}"
        return origin if origin in hosts else None
    if parts.scheme != "https" or port not in (None, 443):
        return None
    return f"https://{host}" if any(_matches(host, allowed) for allowed in hosts) else None


def _matches(host: str, allowed: str) -> bool:
    return host.endswith(allowed[1:]) if allowed.startswith(BELOW) else host == allowed
