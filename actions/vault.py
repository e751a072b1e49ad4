"""Sealing what must not be read at rest: AES-GCM ciphertext, and a keyed hash by which a row is found again.

One master key a group of data (participant register, police data) and version; HKDF derives from it the key that seals
and the key that hashes. `purpose` (table.column) is bound to the ciphertext, so a value moved elsewhere does not open.
"""

from __future__ import annotations

import base64
import hmac
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
NONCE_BYTES = 12
_VERSION = re.compile(r"[0-9]{1,9}")


class BadKeys(ValueError):
    """The key setting cannot be read; the message says where."""


class NoSuchKey(LookupError):
    """A row is sealed under a key version that the settings no longer hold."""


class NotOurs(ValueError):
    """The sealed value does not open: other key, other purpose, or changed since."""


@dataclass(frozen=True)
class Sealed:
    blob: bytes
    version: int


class Vault:
    """The keys of one group of data, by version; the highest version seals. Versions kept only open and find."""

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        if not keys:
            raise BadKeys("at least one key is needed; make one with `burgernet keys new`")
        self.newest = max(keys)
        self._seal = {version: AESGCM(_derive(key, b"seal")) for version, key in keys.items()}
        self._hash = {version: _derive(key, b"hash") for version, key in keys.items()}

    def seal(self, plain: bytes, purpose: str) -> Sealed:
        nonce = os.urandom(NONCE_BYTES)
        return Sealed(nonce + self._seal[self.newest].encrypt(nonce, plain, purpose.encode()), self.newest)

    def open(self, sealed: Sealed, purpose: str) -> bytes:
        """The plain value. Raises NoSuchKey or NotOurs."""
        if sealed.version not in self._seal:
            raise NoSuchKey(f"key version {sealed.version} is not in the settings; add it back, then rotate")
        nonce, ciphertext = sealed.blob[:NONCE_BYTES], sealed.blob[NONCE_BYTES:]
        try:
            return self._seal[sealed.version].decrypt(nonce, ciphertext, purpose.encode())
        except (InvalidTag, ValueError) as fault:
            raise NotOurs(f"a sealed {purpose} does not open") from fault

    def digest(self, text: str, purpose: str) -> bytes:
        """The keyed hash under the newest key, 32 bytes."""
        return self._digest(self.newest, text, purpose)

    def digests(self, text: str, purpose: str) -> list[bytes]:
        """The keyed hash under every key held: in mid-rotation a row may have either."""
        return [self._digest(version, text, purpose) for version in sorted(self._hash, reverse=True)]

    def _digest(self, version: int, text: str, purpose: str) -> bytes:
        return hmac.digest(self._hash[version], f"{purpose}\0{text}".encode(), "sha256")


@dataclass(frozen=True)
class Vaults:
    """The two groups have keys of their own: who reads the register cannot read police data, nor the other way."""

    register: Vault
    police: Vault


def read_keys(setting: str) -> dict[int, bytes]:
    """Keys by version from "1:BASE64,2:BASE64". Raises BadKeys; the message never holds a key."""
    keys: dict[int, bytes] = {}
    for place, part in enumerate(setting.split(","), start=1):
        version, _, encoded = part.strip().partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError:
            raise BadKeys(f"key {place} is not base64; make one with `burgernet keys new`") from None
        if not _VERSION.fullmatch(version) or len(key) != KEY_BYTES or int(version) in keys:
            raise BadKeys(f"key {place} must read VERSION:BASE64, a new version and {KEY_BYTES} bytes")
        keys[int(version)] = key
    return keys


def new_key() -> str:
    """A fresh master key, in base64."""
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()


def _derive(key: bytes, use: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"burgernet " + use).derive(key)
