"""Twilio's official client on our own HTTP session: bounded, silent about numbers, at an address of our choice."""

from __future__ import annotations

import logging
from typing import Any

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    TCPConnector,
    encode_basic_auth,
)
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from alerting.errors import Fault, SendError, TooMany, Unanswered, Whose

API = "https://api.twilio.com"
ANSWER_S = 10.0
CONNECT_S = 5.0
PAUSE_S = 5.0
PIECE = 64 * 1024
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 60.0
TOO_MANY = Fault(True, Whose.PROVIDER, "Twilio takes no more messages for a moment")
NOT_THERE = Fault(True, Whose.PROVIDER, "Twilio cannot be reached: check the network and BURGERNET_TWILIO_API_URL")


class _Http(AsyncHttpClient):
    """`base`: where the API is. Unlike the library's own client it logs no address: it would hold numbers."""

    def __init__(self, base: str) -> None:
        super().__init__(logging.getLogger(__name__), is_async=True)
        self._base = base.rstrip("/")
        self.session: ClientSession | None = None

    async def request(
        self,
        method: str,
        uri: str,
        params: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's name; the session has its own bound
        allow_redirects: bool = False,
    ) -> Response:
        """Raises Unanswered when nobody knows what became of it; SendError, with a pause, when Twilio was not reached
        or asks for one."""
        proof = {"Authorization": encode_basic_auth(*auth)} if auth else {}
        try:
            async with self.opened().request(
                method,
                uri.replace(API, self._base, 1),
                params=params,
                data=data,
                headers={**(headers or {}), **proof},
                allow_redirects=allow_redirects,
            ) as answer:
                text = await answer.text()
        except (ClientConnectorError, ConnectionTimeoutError) as fault:
            raise SendError(NOT_THERE, PAUSE_S) from fault
        except (ClientError, OSError, TimeoutError) as fault:
            raise Unanswered(f"no answer from Twilio ({type(fault).__name__})") from fault
        if answer.status == 429:
            raise TooMany(TOO_MANY, pause_of(answer.headers.get("Retry-After", "")))
        if answer.status >= 500:
            raise Unanswered(f"Twilio answered {answer.status}")
        return Response(answer.status, text, answer.headers)

    async def fetch(self, path: str, most: int, auth: tuple[str, str]) -> bytes:
        """A file of at most `most` bytes; the library's client knows only texts. Raises Unanswered."""
        try:
            async with self.opened().get(
                f"{self._base}{path}", headers={"Authorization": encode_basic_auth(*auth)}, allow_redirects=False
            ) as answer:
                answer.raise_for_status()
                kept = bytearray()
                async for piece in answer.content.iter_chunked(PIECE):
                    kept += piece
                    if len(kept) > most:
                        raise Unanswered(f"Twilio's file is larger than {most} bytes")
        except (ClientError, OSError, TimeoutError) as fault:
            raise Unanswered(f"no file from Twilio ({type(fault).__name__})") from fault
        return bytes(kept)

    def opened(self) -> ClientSession:
        if self.session is None:
            bounds = ClientTimeout(total=ANSWER_S, connect=CONNECT_S)
            # How many side by side is the dispatcher's to say: a wait for a connection would look like Twilio away.
            self.session = ClientSession(timeout=bounds, connector=TCPConnector(limit=0))
        return self.session


class TwilioClient:
    """`account` and `token` as Twilio gave them; `rest` is the official client."""

    def __init__(self, account: str, token: str, api_url: str) -> None:
        self._http = _Http(api_url)
        self._account, self._auth = account, (account, token)
        self.rest = Client(account, token, http_client=self._http)

    async def recording(self, sid: str, most: int) -> bytes:
        """The sound (WAV) of a recording, of at most `most` bytes. Raises Unanswered."""
        return await self._http.fetch(f"/2010-04-01/Accounts/{self._account}/Recordings/{sid}.wav", most, self._auth)

    async def close(self) -> None:
        if self._http.session:
            await self._http.session.close()


def pause_of(said: str) -> float:
    """Seconds, from a header that may hold anything."""
    known = said.isascii() and said.isdigit() and 0 < len(said) < 6
    return min(max(float(said), SHORTEST_PAUSE_S), LONGEST_PAUSE_S) if known else PAUSE_S
