"""Proof to push services of who sends (VAPID, RFC 8292): a token signed with our key, one for each service."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, derive_private_key
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEY_BYTES = 32
# RFC 8292 allows 24 hours; clocks differ.
LIFE_S = 12 * 3600
RENEWED_S = 3600
MOST_SERVICES = 100


class BadVapidKey(ValueError):
    """This is no VAPID key; the message says what to do."""


class Vapid:
    """`key`: as `new_key` makes it; `contact`: mailto: or https:, for the people behind a push service."""

    def __init__(self, key: str, contact: str, clock: Callable[[], float] = time.time) -> None:
        """Raises BadVapidKey."""
        self._key, self._contact, self._clock = _private(key), contact, clock
        self._tokens: dict[str, tuple[str, float]] = {}

    @property
    def public(self) -> str:
        """The key as a browser is given it (applicationServerKey)."""
        return _base64(self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))

    def authorization(self, origin: str) -> str:
        """The Authorization header for a push service (https://host)."""
        token, until = self._tokens.get(origin, ("", 0.0))
        if self._clock() > until - RENEWED_S:
            until = self._clock() + LIFE_S
            token = self._signed({"aud": origin, "exp": int(until), "sub": self._contact})
            if len(self._tokens) >= MOST_SERVICES:
                self._tokens.clear()
            self._tokens[origin] = token, until
        return f"vapid t={token}, k={self.public}"

    def _signed(self, claims: dict[str, object]) -> str:
        said = ".".join(_base64(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": "ES256"}, claims))
        r, s = decode_dss_signature(self._key.sign(said.encode(), ECDSA(SHA256())))
        return f"{said}.{_base64(r.to_bytes(KEY_BYTES, 'big') + s.to_bytes(KEY_BYTES, 'big'))}"


def new_key() -> str:
    """A fresh key, in base64url."""
    while True:
        made = _base64(os.urandom(KEY_BYTES))
        try:
            _private(made)
        except BadVapidKey:
            continue  # one in four thousand million is no number of the curve
        return made


def _private(key: str) -> EllipticCurvePrivateKey:
    try:
        plain = base64.urlsafe_b64decode(key + "=" * (-len(key) % 4))
        if len(plain) != KEY_BYTES:
            raise ValueError
        return derive_private_key(int.from_bytes(plain, "big"), SECP256R1())
    except ValueError:
        raise BadVapidKey("BURGERNET_VAPID_KEY is no key: make one with `burgernet keys vapid`") from None


def _base64(plain: bytes) -> str:
    return base64.urlsafe_b64encode(plain).decode().rstrip("=")
