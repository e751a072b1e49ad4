"""Notifications in browsers, by their push services (RFC 8030)."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
)

from actions.models import DeliveryState, Kind, MessageKind, now
from actions.reachability import Gone
from alerting.channels import Sending
from alerting.channels.aes128gcm import sealed
from alerting.channels.email import UNSUBSCRIBE
from alerting.channels.push_hosts import origin_allowed
from alerting.channels.vapid import Vapid
from alerting.errors import Fault, SendError, Unanswered, Whose
from alerting.gate import Gate
from alerting.passes import Passes, Use
from alerting.previews import picture_url
from alerting.receipts import Receipt
from alerting.renditions import Notice, push

SHOWN = "/shown"
ANSWER_S, CONNECT_S = 10.0, 5.0
# A push service that asks for a pause is waited for so long; then the attempt ends and another one follows.
PATIENCE_S = 8.0
PAUSE_S, SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 5.0, 0.5, 60.0
REPAIR_S = 30.0
LONGEST_TTL_S = 7 * 24 * 3600
LARGEST_ANSWER = 1024

URGENT = {Kind.AMBER, Kind.MISSING_CHILD, Kind.LOOK_OUT}

NOT_ALLOWED = Fault(False, Whose.US, "this push service may not be asked (BURGERNET_PUSH_HOSTS)")
BROKEN = Fault(False, Whose.RECIPIENT, "this browser's subscription cannot be used")
GONE = Fault(False, Whose.RECIPIENT, "this browser takes no notifications any more", Gone.CERTAIN)
TOO_LARGE = Fault(False, Whose.US, "the notification is too large for this push service")
OUR_KEY = Fault(
    True, Whose.US, "the push service refuses our key: check BURGERNET_VAPID_KEY and BURGERNET_VAPID_CONTACT"
)
TOO_MANY = Fault(True, Whose.PROVIDER, "the push service takes no more for a moment")
NOT_THERE = Fault(True, Whose.PROVIDER, "the push service cannot be reached")
FAILED = Fault(True, Whose.PROVIDER, "the push service failed")


@dataclass(frozen=True)
class Browser:
    """A subscription, opened."""

    endpoint: str
    origin: str
    point: bytes
    secret: bytes


@dataclass(frozen=True)
class Places:
    """`public`: the address at which our pages are; `link`: where a tap leads; `free_number` as people read it."""

    public: str
    link: str
    free_number: str


class Push:
    """`hosts`: the push services that may be asked (see push_hosts)."""

    provider = "web-push"

    def __init__(self, vapid: Vapid, passes: Passes, places: Places, hosts: Collection[str]) -> None:
        self._vapid, self._passes, self._places, self._hosts = vapid, passes, places, hosts
        self._gates: dict[str, Gate] = {}
        self._session: ClientSession | None = None

    async def send(self, sending: Sending) -> Receipt:
        """Raises SendError, Unanswered."""
        browser = read(sending.to, self._hosts)
        try:
            body = sealed(self._payload(sending), browser.point, browser.secret)
        except ValueError:
            raise SendError(BROKEN) from None
        gate = self._gates.setdefault(browser.origin, Gate())
        if not await gate.passed(_moment() + PATIENCE_S):
            raise SendError(TOO_MANY)
        headers = {**headers_of(sending.notice), "Authorization": self._vapid.authorization(browser.origin)}
        try:
            async with self._opened().post(
                browser.endpoint, data=body, headers=headers, allow_redirects=False
            ) as answer:
                await answer.content.read(LARGEST_ANSWER)
                return _receipt(answer, gate)
        except (ClientConnectorError, ConnectionTimeoutError) as fault:
            raise SendError(NOT_THERE) from fault
        except (ClientError, OSError, TimeoutError) as fault:
            raise Unanswered(f"no answer from the push service ({type(fault).__name__})") from fault

    async def close(self) -> None:
        if self._session:
            await self._session.close()

    def _payload(self, sending: Sending) -> bytes:
        places, notice = self._places, sending.notice
        made = push(
            notice,
            places.free_number,
            places.link,
            f"{places.public}{UNSUBSCRIBE}/{self._passes.make(Use.SIGN_OFF, sending.attempt_id)}",
            f"{places.public}{SHOWN}/{self._passes.make(Use.SHOWN, sending.attempt_id)}",
            picture_url(places.public, notice),
        )
        return made.payload()

    def _opened(self) -> ClientSession:
        if self._session is None:
            self._session = ClientSession(timeout=ClientTimeout(total=ANSWER_S, connect=CONNECT_S))
        return self._session


def read(subscription: str, hosts: Collection[str]) -> Browser:
    """A subscription as the register keeps it. Raises SendError."""
    try:
        known: Any = json.loads(subscription)
        endpoint, keys = str(known["endpoint"]), known["keys"]
        point, secret = _plain(keys["p256dh"]), _plain(keys["auth"])
    except (ValueError, KeyError, TypeError):
        raise SendError(BROKEN) from None
    origin = origin_allowed(endpoint, hosts)
    if origin is None:
        raise SendError(NOT_ALLOWED)
    return Browser(endpoint, origin, point, secret)


def headers_of(notice: Notice) -> dict[str, str]:
    """What the push service is told: how long it is of use, how urgent it is, and what it replaces."""
    left = int((notice.deadline - now()).total_seconds()) if notice.deadline else LONGEST_TTL_S
    urgent = notice.action_kind in URGENT and notice.kind != MessageKind.RESULT
    return {
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(min(max(left, 0), LONGEST_TTL_S)),
        "Urgency": "high" if urgent else "normal",
        "Topic": f"action-{notice.action_id}",
    }


def _receipt(answer: ClientResponse, gate: Gate) -> Receipt:
    """What the push service said. Raises SendError."""
    status = answer.status
    if status in (200, 201, 202, 204):
        return Receipt(DeliveryState.SENT, None, str(status))
    if status in (404, 410):
        raise SendError(GONE)
    if status == 413:
        raise SendError(TOO_LARGE)
    if status in (401, 403):
        raise SendError(OUR_KEY, REPAIR_S)
    if status == 429 or (status == 503 and "Retry-After" in answer.headers):
        gate.shut(_pause(answer.headers.get("Retry-After", "")))
        raise SendError(TOO_MANY)
    raise SendError(FAILED if status >= 500 else BROKEN)


def _plain(encoded: str) -> bytes:
    return base64.b64decode(encoded + "=" * (-len(encoded) % 4), b"-_", validate=True)


def _pause(said: str) -> float:
    """Seconds, from a header that may hold anything."""
    known = said.isascii() and said.isdigit() and 0 < len(said) < 6
    return min(max(float(said), SHORTEST_PAUSE_S), LONGEST_PAUSE_S) if known else PAUSE_S


def _moment() -> float:
    return asyncio.get_running_loop().time()
