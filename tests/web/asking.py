"""Asking the API, and what every answer of it must look like."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession
from multidict import CIMultiDictProxy

from burgernet.base import Base

CIRCLE = {"type": "circle", "lat": 51.9225, "lon": 4.4792, "radius": 2000}
WORDS = {"nl": {"title": "de blauwe Golf", "text": "Kijk uit naar een blauwe Golf."}}
FOUND = {"nl": {"title": "de blauwe Golf", "text": "De auto is gevonden. Dank u wel."}}
ACTION = {"kind": "look_out", "region": "rotterdam", "area": CIRCLE, "words": WORDS}
INCIDENT = {
    "number": "2026-0815",
    "kind": "missing_child",
    "region": "rotterdam",
    "place": CIRCLE,
    "title": "een meisje van zes",
    "text": "Kijk uit naar een meisje van zes met een rode jas.",
}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: CIMultiDictProxy[str]
    body: Any

    @property
    def faults(self) -> list[str]:
        """Each fault as "where pointer: what"."""
        return [f"{one['in']} {one['pointer']}: {one['detail']}" for one in self.body["errors"]]


@dataclass(frozen=True)
class Site:
    base: Base
    client: ClientSession
    url: str

    def asking(self, secret: str | None) -> Asking:
        return Asking(self, secret)


@dataclass(frozen=True)
class Asking:
    """Whoever holds a token (None: without one). Each answer is checked for what all of them must have."""

    site: Site
    secret: str | None

    async def get(self, path: str, **parameters: object) -> Answer:
        return await self.ask("GET", path, params={name: str(value) for name, value in parameters.items()})

    async def post(self, path: str, body: object) -> Answer:
        return await self.ask("POST", path, data=json.dumps(body), headers={"Content-Type": "application/json"})

    async def sends(self, path: str, raw: bytes, content_type: str = "application/json") -> Answer:
        return await self.ask("POST", path, data=raw, headers={"Content-Type": content_type})

    async def ask(self, method: str, path: str, headers: Mapping[str, str] | None = None, **more: Any) -> Answer:
        sent = {**(headers or {}), **({"Authorization": f"Bearer {self.secret}"} if self.secret else {})}
        url = f"{self.site.url}{path}"
        async with self.site.client.request(method, url, headers=sent, **more) as response:
            text = await response.text()
            _is_hardened(response.headers)
            kind = response.headers["Content-Type"].partition(";")[0]
            assert kind == ("application/json" if response.status < 400 else "application/problem+json"), text
            return Answer(response.status, response.headers, json.loads(text))


def _is_hardened(headers: CIMultiDictProxy[str]) -> None:
    assert headers["API-Version"] == "1.0.0"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "max-age" in headers["Strict-Transport-Security"]
    assert "aiohttp" not in headers["Server"]
    assert "Python" not in headers["Server"]
