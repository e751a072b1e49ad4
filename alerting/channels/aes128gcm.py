"""Sealing a notification for one browser (RFC 8291): the push service that carries it cannot read it."""

from __future__ import annotations

import os

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

RECORD = 4096
SALT_BYTES = 16
LAST_RECORD = b"\x02"


def sealed(
    plain: bytes,
    browser: bytes,
    secret: bytes,
    salt: bytes | None = None,
    own: EllipticCurvePrivateKey | None = None,
) -> bytes:
    """`browser`: its public point (p256dh), `secret` its auth secret. `salt` and `own` are fresh ones unless given.
    Raises ValueError for what is no point of the curve."""
    salt, own = salt or os.urandom(SALT_BYTES), own or generate_private_key(SECP256R1())
    shared = own.exchange(ECDH(), EllipticCurvePublicKey.from_encoded_point(SECP256R1(), browser))
    point = own.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    keyed = _derived(secret, b"WebPush: info\0" + browser + point, shared, 32)
    key = _derived(salt, b"Content-Encoding: aes128gcm\0", keyed, 16)
    nonce = _derived(salt, b"Content-Encoding: nonce\0", keyed, 12)
    record = AESGCM(key).encrypt(nonce, plain + LAST_RECORD, None)
    return salt + RECORD.to_bytes(4, "big") + bytes([len(point)]) + point + record


def _derived(salt: bytes, info: bytes, secret: bytes, size: int) -> bytes:
    return HKDF(SHA256(), size, salt=salt, info=info).derive(secret)
