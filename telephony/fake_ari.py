"""The connections to Asterisk in memory: ARI with its lost events and replaced sockets, and the observer of phones."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from telephony.ami import Ami, Watcher
from telephony.ari import ANSWER_S, Ari, AriAway, AriError, Event, Replaced
from telephony.fake import FakeAsterisk

RECONNECT_S = 0.02


class FakeAri(Ari):
    """Ari, on Asterisk in memory."""

    def __init__(self, asterisk: FakeAsterisk, app: str) -> None:
        self.app, self._asterisk = app, asterisk
        self.connected = asyncio.Event()
        self.connections = 0
        self.lost_at: datetime | None = None
        self._lost: asyncio.Future[None]
        self._on_event: Callable[[Event], None]

    async def run(self, on_event: Callable[[Event], None], on_connected: Callable[[], Awaitable[None]]) -> None:
        self._on_event = on_event
        while True:
            await self._asterisk.reachable.wait()
            await self._connected_once(on_event, on_connected)
            await asyncio.sleep(RECONNECT_S)

    def receives(self, event: Event) -> None:
        """An event on its way; it is lost when the connection is cut before it arrives."""
        asyncio.get_running_loop().call_soon(lambda: self.connected.is_set() and self._on_event(event))

    def cut(self) -> None:
        if not self._lost.done():
            self._lost.set_result(None)

    def replaced(self) -> None:
        if not self._lost.done():
            self._lost.set_exception(Replaced(f"another controller runs as {self.app}"))

    async def request(self, method: str, path: str, body: Mapping[str, Any] | None = None, **query: Any) -> Any:
        await self._there(method, path)
        answer = self._asterisk.request(self.app, method, path, body or {}, query)
        await asyncio.sleep(0)  # what happened before the answer is told before it
        return answer

    async def fetch(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> bytes:
        await self._there(method, path)
        name = path.split("/")[2]
        if name not in self._asterisk.recordings:
            raise AriError(404, "Recording not found")
        return self._asterisk.recordings.pop(name) if method == "DELETE" else self._asterisk.recordings[name]

    async def listing(self, what: str) -> list[Any]:
        await self._there("GET", what)
        return self._asterisk.listing(what)

    async def _there(self, method: str, path: str) -> None:
        try:
            async with asyncio.timeout(ANSWER_S):
                await self.connected.wait()
        except TimeoutError as fault:
            raise AriAway(f"no answer to {method} {path.partition('/')[0]}") from fault

    async def _connected_once(
        self, on_event: Callable[[Event], None], on_connected: Callable[[], Awaitable[None]]
    ) -> None:
        self._lost = asyncio.get_running_loop().create_future()
        if earlier := self._asterisk.sockets.get(self.app):
            earlier.replaced()
        self._asterisk.sockets[self.app] = self
        self.connections += 1
        self.connected.set()
        greeting = asyncio.ensure_future(on_connected())
        try:
            await self._lost
        finally:
            self.connected.clear()
            self.lost_at = datetime.now(UTC)
            if self._asterisk.sockets.get(self.app) is self:
                del self._asterisk.sockets[self.app]
            greeting.cancel()
            with suppress(asyncio.CancelledError, AriAway, AriError):
                await greeting


class FakeAmi(Ami):
    """Ami, on Asterisk in memory: it tells of contacts, and of whatever a test lets happen."""

    def __init__(self, asterisk: FakeAsterisk, watchers: Sequence[Watcher]) -> None:
        self._asterisk, self._watchers = asterisk, watchers

    async def run(self) -> None:
        self._asterisk.observers.append(self._heard)
        looking = [asyncio.create_task(watcher.look(self._ask)) for watcher in self._watchers]
        self._heard({"Event": "FullyBooted"})
        try:
            await asyncio.gather(*looking, asyncio.get_running_loop().create_future())
        finally:
            self._asterisk.observers.remove(self._heard)
            for task in looking:
                task.cancel()
            await asyncio.gather(*looking, return_exceptions=True)

    async def _ask(self, action: str) -> list[Mapping[str, str]]:
        if action == "PJSIPShowEndpoints":
            return []  # no trunk has its contact here
        assert action == "PJSIPShowContacts"
        return [
            {"Event": "ContactList", "Endpoint": account, "Status": "NonQualified"}
            for account, phone in self._asterisk.phones.items()
            if phone.registered
        ]

    def _heard(self, event: Mapping[str, str]) -> None:
        for watcher in self._watchers:
            if hear := watcher.hears.get(event["Event"]):
                hear(event)
