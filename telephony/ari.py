"""Asterisk's REST interface: one websocket a controller and node carries requests, answers and events in order.

Large listings, files and the event filter go over HTTP, so that one long answer blocks no call.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any

import aiohttp
import orjson

log = logging.getLogger(__name__)

ANSWER_S = 5.0
HEARTBEAT_S = 5.0
LONGEST_PAUSE_S = 5.0
# Asterisk spends a third of its time writing events that nobody reads: only these come. Answers count as events.
EVENTS = (
    "RESTResponse",
    "StasisStart",
    "StasisEnd",
    "ChannelDestroyed",
    "ChannelDtmfReceived",
    "ChannelTalkingStarted",
    "ChannelTalkingFinished",
    "PlaybackFinished",
    "RecordingFinished",
    "RecordingFailed",
    "ApplicationReplaced",
)

Event = Mapping[str, Any]


class AriError(Exception):
    """Asterisk refused a request: HTTP status and reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status


class AriAway(Exception):
    """The connection with Asterisk is gone. Calls go on in Asterisk and are adopted after the reconnect."""


class Replaced(Exception):
    """Another controller opened a socket under our name: this one is deaf from now on and must stop."""


class Ari:
    """`url`: http://HOST:PORT. `app`: the controller's lease name."""

    def __init__(self, url: str, app: str, user: str, password: str) -> None:
        self.app = app
        self._url = f"{url.rstrip('/')}/ari"
        self._headers = {"Authorization": aiohttp.encode_basic_auth(user, password)}
        self._numbers = count(1)
        self._answers: dict[str, asyncio.Future[Event]] = {}
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._session: aiohttp.ClientSession | None = None
        self.connected = asyncio.Event()
        # How many times a connection was made.
        self.connections = 0
        self.lost_at: datetime | None = None

    async def run(self, on_event: Callable[[Event], None], on_connected: Callable[[], Awaitable[None]]) -> None:
        """Keeps connected until cancelled. `on_event` must return at once; `on_connected` runs after every connect
        while events already flow. Raises Replaced."""
        pause = 0.2
        async with aiohttp.ClientSession(headers=self._headers) as self._session:
            while True:
                try:
                    await self._connected_once(on_event, on_connected)
                    pause = 0.2
                except (aiohttp.ClientError, OSError, TimeoutError, AriAway, AriError) as fault:
                    log.warning("Asterisk at %s is away (%s); trying again in %.1f s", self._url, fault, pause)
                await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - spreads reconnects
                pause = min(pause * 2, LONGEST_PAUSE_S)

    async def request(self, method: str, path: str, body: Mapping[str, Any] | None = None, **query: Any) -> Any:
        """Call control over the websocket; the answer's JSON or None. While the socket is away waits at most 5 s for
        it. Raises AriError when refused, AriAway when there is no answer."""
        try:
            async with asyncio.timeout(ANSWER_S):
                await self.connected.wait()
                answer = await self._answered(method, path, body, query)
        except (TimeoutError, ConnectionError) as fault:
            raise AriAway(f"no answer to {method} {path.partition('/')[0]}") from fault
        if answer["status_code"] >= 300:
            raise AriError(answer["status_code"], answer.get("reason_phrase", ""))
        return orjson.loads(answer["message_body"]) if answer.get("message_body") else None

    async def fetch(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> bytes:
        """A request over HTTP, for listings and files. Raises AriError or AriAway."""
        if self._session is None:
            raise AriAway("not connected yet")
        try:
            async with (
                asyncio.timeout(ANSWER_S * 2),
                self._session.request(method, f"{self._url}/{path}", json=body) as answer,
            ):
                content = await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as fault:
            raise AriAway(f"no answer to {method} {path.partition('/')[0]}") from fault
        if answer.status >= 300:
            raise AriError(answer.status, answer.reason or "")
        return content

    async def listing(self, what: str) -> list[Any]:
        """All channels, bridges or stored recordings. Raises AriError or AriAway."""
        found: list[Any] = orjson.loads(await self.fetch("GET", what))
        return found

    async def endpoint(self, name: str) -> Mapping[str, Any]:
        """An endpoint as Asterisk shows it: `state`, `channel_ids`. Raises AriError or AriAway."""
        found: Mapping[str, Any] = orjson.loads(await self.fetch("GET", f"endpoints/{name}"))
        return found

    async def _connected_once(
        self, on_event: Callable[[Event], None], on_connected: Callable[[], Awaitable[None]]
    ) -> None:
        assert self._session is not None
        async with asyncio.timeout(ANSWER_S):
            socket = await self._session.ws_connect(
                f"{self._url}/events",
                params={"app": self.app, "subscribeAll": "false"},
                heartbeat=HEARTBEAT_S,
                max_msg_size=0,
            )
        async with socket as self._socket:
            greeting: asyncio.Task[None] | None = None
            try:
                await self._only_these_events()
                self.connections += 1
                self.connected.set()
                greeting = asyncio.create_task(self._greet(on_connected))
                async for message in self._socket:
                    if message.type is not aiohttp.WSMsgType.TEXT:
                        raise AriAway(f"the socket broke: {message.data}")  # as after a missed heartbeat
                    self._received(orjson.loads(message.data), on_event)
                raise AriAway("the socket ended")
            finally:
                self.connected.clear()
                self.lost_at = datetime.now(UTC)
                if greeting:
                    greeting.cancel()
                self._forget_questions()

    async def _greet(self, on_connected: Callable[[], Awaitable[None]]) -> None:
        try:
            await on_connected()
        except (AriAway, AriError) as fault:
            log.warning("reconciling with Asterisk broke off (%s); reconnecting", fault)
            if self._socket is not None:
                await self._socket.close()

    async def _only_these_events(self) -> None:
        allowed = {"allowed": [{"type": kind} for kind in EVENTS]}
        await self.fetch("PUT", f"applications/{self.app}/eventFilter", allowed)

    def _received(self, event: Event, on_event: Callable[[Event], None]) -> None:
        match event["type"]:
            case "RESTResponse":
                answer = self._answers.pop(event["request_id"], None)
                if answer and not answer.done():
                    answer.set_result(event)
            case "ApplicationReplaced":
                raise Replaced(f"another controller runs as {self.app}")
            case _:
                on_event(event)

    async def _answered(
        self, method: str, path: str, body: Mapping[str, Any] | None, query: Mapping[str, Any]
    ) -> Event:
        assert self._socket is not None
        number = str(next(self._numbers))
        question: dict[str, Any] = {"type": "RESTRequest", "request_id": number, "method": method, "uri": path}
        if query:
            question["query_strings"] = [{"name": name, "value": str(value)} for name, value in query.items()]
        if body is not None:
            question |= {"content_type": "application/json", "message_body": orjson.dumps(body).decode()}
        answer: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            await self._socket.send_str(orjson.dumps(question).decode())
            return await answer
        finally:
            self._answers.pop(number, None)

    def _forget_questions(self) -> None:
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(ConnectionError("the socket ended"))
        self._answers.clear()
