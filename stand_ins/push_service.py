"""A stand-in for a push service (RFC 8030) with browsers behind it, on loopback.

It checks what a real one checks: the sender's signed token (RFC 8292), sizes, TTL and topics. Its browsers open each
notification (RFC 8291) with keys of their own: what cannot be opened is kept as such.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

LARGEST = 4096
LONGEST_TOPIC = 32
URGENCIES = {"very-low", "low", "normal", "high"}
DAY_S = 86_400


@dataclass(frozen=True)
class Notification:
    """What a browser got. `content` as the page's script reads it."""

    content: Any
    ttl: int
    urgency: str
    topic: str | None


@dataclass(frozen=True)
class Refusal:
    """How one request is answered instead. `lose_answer`: it is taken, then the connection is closed."""

    status: int = 500
    retry_after: str | None = None
    lose_answer: bool = False


@dataclass
class Browser:
    """`waiting`: what a browser that was away would get, by topic the newest alone."""

    endpoint: str
    sender: str  # the public key of who may send
    key: EllipticCurvePrivateKey = field(default_factory=lambda: generate_private_key(SECP256R1()))
    secret: bytes = field(default_factory=lambda: os.urandom(16))
    got: list[Notification] = field(default_factory=list)
    waiting: dict[str, Notification] = field(default_factory=dict)

    def subscription(self) -> str:
        """As the Push API gives it to a page."""
        keys = {"auth": encoded(self.secret), "p256dh": encoded(self.point)}
        return json.dumps({"endpoint": self.endpoint, "keys": keys}, sort_keys=True, separators=(",", ":"))

    @property
    def point(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def opened(self, body: bytes) -> bytes:
        """Raises ValueError for what was not sealed for this browser."""
        salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        theirs, record = body[21 : 21 + length], body[21 + length :]
        if size < len(record):
            raise ValueError("more than one record")
        shared = self.key.exchange(ECDH(), EllipticCurvePublicKey.from_encoded_point(SECP256R1(), theirs))
        keyed = _derived(self.secret, b"WebPush: info\0" + self.point + theirs, shared, 32)
        key = _derived(salt, b"Content-Encoding: aes128gcm\0", keyed, 16)
        nonce = _derived(salt, b"Content-Encoding: nonce\0", keyed, 12)
        try:
            padded = AESGCM(key).decrypt(nonce, record, None).rstrip(b"\0")
        except InvalidTag:
            raise ValueError("not sealed for this browser") from None
        if padded[-1:] != b"\x02":
            raise ValueError("not the last record")
        return padded[:-1]


@dataclass
class PushService:
    """`answers`: how the next requests fare; then they are taken. `requests` counts all."""

    answers: deque[Refusal] = field(default_factory=deque)
    requests: int = 0
    refused: list[str] = field(default_factory=list)
    browsers: dict[str, Browser] = field(default_factory=dict)
    origin: str = ""

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=2 * LARGEST)
        app.add_routes([web.post("/push/{browser}", self._take)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.origin = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def browser(self, sender: str) -> Browser:
        """A browser signs on for the sender with this public key."""
        name = secrets.token_urlsafe(16)
        made = Browser(f"{self.origin}/push/{name}", sender)
        self.browsers[name] = made
        return made

    def leaves(self, browser: Browser) -> None:
        """A browser signs off: its address is gone."""
        del self.browsers[browser.endpoint.rpartition("/")[2]]

    async def _take(self, request: web.Request) -> web.Response:
        self.requests += 1
        answer = self.answers.popleft() if self.answers else None
        if answer and not answer.lose_answer:
            more = {"Retry-After": answer.retry_after} if answer.retry_after else {}
            return web.Response(status=answer.status, headers=more)
        browser = self.browsers.get(request.match_info["browser"])
        if browser is None:
            return web.Response(status=410)
        body = await request.read()
        if fault := self._fault(request, browser, body):
            self.refused.append(fault[1])
            return web.Response(status=fault[0], text=fault[1])
        self._deliver(request, browser, body)
        if answer and request.transport:
            request.transport.close()
        return web.Response(status=201, headers={"Location": f"{self.origin}/message/{secrets.token_urlsafe(8)}"})

    def _deliver(self, request: web.Request, browser: Browser, body: bytes) -> None:
        topic = request.headers.get("Topic")
        content = json.loads(browser.opened(body))
        urgency = request.headers.get("Urgency", "normal")
        notification = Notification(content, int(request.headers["TTL"]), urgency, topic)
        browser.got.append(notification)
        browser.waiting[topic or secrets.token_hex(8)] = notification

    def _fault(self, request: web.Request, browser: Browser, body: bytes) -> tuple[int, str] | None:
        if len(body) > LARGEST:
            return 413, "too large"
        if request.headers.get("Content-Encoding") != "aes128gcm":
            return 415, "unknown encoding"
        if not request.headers.get("TTL", "").isdigit():
            return 400, "no TTL"
        if request.headers.get("Urgency", "normal") not in URGENCIES:
            return 400, "unknown urgency"
        if not _is_topic(request.headers.get("Topic", "a")):
            return 400, "bad topic"
        said = _proof_fault(request.headers.get("Authorization", ""), self.origin, browser.sender)
        return (403, said) if said else None


def _is_topic(topic: str) -> bool:
    return 0 < len(topic) <= LONGEST_TOPIC and topic.replace("-", "").replace("_", "").isalnum()


def _proof_fault(given: str, origin: str, sender: str) -> str | None:
    """What is wrong with an Authorization header of the scheme vapid."""
    scheme, _, rest = given.partition(" ")
    parts = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
    if scheme != "vapid" or not {"t", "k"} <= set(parts):
        return "no vapid token"
    if parts["k"] != sender:
        return "another sender's key"
    said, _, signature = parts["t"].rpartition(".")
    signed = decoded(signature)
    key = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), decoded(parts["k"]))
    der = encode_dss_signature(int.from_bytes(signed[:32], "big"), int.from_bytes(signed[32:], "big"))
    try:
        key.verify(der, said.encode(), ECDSA(SHA256()))
    except InvalidSignature:
        return "the signature does not fit"
    header, claims = (json.loads(decoded(part)) for part in said.split("."))
    if header.get("alg") != "ES256" or claims.get("aud") != origin:
        return "a token for somebody else"
    if not time.time() < claims.get("exp", 0) <= time.time() + DAY_S:
        return "the token is too old, or lives too long"
    return None if str(claims.get("sub", "")).startswith(("mailto:", "https:")) else "nobody to reach"


def encoded(plain: bytes) -> str:
    return base64.urlsafe_b64encode(plain).decode().rstrip("=")


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _derived(salt: bytes, info: bytes, secret: bytes, size: int) -> bytes:
    return HKDF(SHA256(), size, salt=salt, info=info).derive(secret)
