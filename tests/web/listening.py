"""Somebody who listens to the live stream, as a browser does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientResponse

from tests.web.asking import Site

BOUND_S = 20.0


@dataclass
class Listener:
    """`last`: the Last-Event-ID of what was heard so far."""

    response: ClientResponse
    last: str | None = None
    heartbeats: int = 0
    heard: list[dict[str, Any]] = field(default_factory=list)

    async def next(self) -> dict[str, Any]:
        """The next event."""
        lines: dict[str, str] = {}
        async with asyncio.timeout(BOUND_S):
            while raw := await self.response.content.readline():
                line = raw.decode().rstrip("\n")
                if not line and "data" in lines:
                    return self._take(lines)
                if line.startswith(":"):
                    self.heartbeats += 1
                elif line:
                    name, _, value = line.partition(": ")
                    lines[name] = value
        raise EOFError("the stream ended")

    async def until(self, kind: str) -> dict[str, Any]:
        """The next event of this type, without nl.burgernet in front."""
        while (event := await self.next())["type"] != f"nl.burgernet.{kind}":
            pass
        return event

    async def ends(self) -> None:
        async with asyncio.timeout(BOUND_S):
            await self.response.content.read()

    def _take(self, lines: dict[str, str]) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(lines["data"])
        assert lines["event"] == event["type"]
        if "id" in lines:
            self.last = lines["id"]
            assert event["id"] == lines["id"]
        self.heard.append(event)
        return event


@asynccontextmanager
async def listening(site: Site, secret: str, last: str | None = None, **query: object) -> AsyncIterator[Listener]:
    headers = {"Authorization": f"Bearer {secret}"} | ({"Last-Event-ID": last} if last is not None else {})
    params = {name: str(value) for name, value in query.items()}
    async with site.client.get(f"{site.url}/v1/events", headers=headers, params=params) as response:
        assert response.status == 200, await response.text()
        assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert response.headers["X-Accel-Buffering"] == "no"
        assert response.headers["Cache-Control"] == "no-store"
        await response.content.readuntil(b"retry: 3000\n\n")
        yield Listener(response, last)
