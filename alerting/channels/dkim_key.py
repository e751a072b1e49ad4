"""Signing mail (DKIM, RFC 6376), so that its reader's server can tell that it is ours and was not changed."""

from __future__ import annotations

from pathlib import Path

import dkim
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

# RFC 8058: who wants one click to sign off must sign both headers of it.
SIGNED = (
    b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type",
    b"list-unsubscribe", b"list-unsubscribe-post", b"auto-submitted",
)  # fmt: skip
LEAST_BITS = 2048


class NoKey(ValueError):
    """The key cannot be used; the message says why."""


class DkimKey:
    """`domain` is that of the sender; DNS holds the public half under SELECTOR._domainkey.DOMAIN."""

    def __init__(self, pem: bytes, selector: str, domain: str) -> None:
        """Raises NoKey."""
        try:
            key = load_pem_private_key(pem, None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as fault:
            raise NoKey(f"this is no private key without passphrase in PEM form ({type(fault).__name__})") from None
        if not isinstance(key, RSAPrivateKey) or key.key_size < LEAST_BITS:
            raise NoKey(f"mail is signed with an RSA key of at least {LEAST_BITS} bits: openssl genrsa {LEAST_BITS}")
        self._pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        self._selector, self._domain = selector.encode(), domain.encode()

    def signed(self, message: bytes) -> bytes:
        """The message with its signature in front. Takes some milliseconds: call it in a thread."""
        signature: bytes = dkim.sign(
            message,
            self._selector,
            self._domain,
            self._pem,
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=SIGNED,
        )
        return signature + message


def read_key(file: Path | None, selector: str, sender: str) -> DkimKey | None:
    """The key in a file; None without a file. `sender`: the address that mail comes from. Raises NoKey."""
    if file is None:
        return None
    try:
        pem = file.read_bytes()
    except OSError as fault:
        raise NoKey(f"the key in {file} cannot be read: {fault.strerror}") from None
    return DkimKey(pem, selector, sender.rpartition("@")[2])
