"""What a participant can be reached by: a telephone, a mailbox, a browser."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

LONGEST_MAIL = 254
LONGEST_ENDPOINT = 1000
LONGEST_BROWSER = 4000
# What RFC 8291 asks of a browser's keys: a point on P-256, uncompressed, and a secret.
P256DH_BYTES, AUTH_BYTES = 65, 16
_MAIL = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}"
)
_HOST = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")
LOCAL_HOSTS = {"127.0.0.1", "localhost"}


class ContactKind(StrEnum):
    MOBILE = "mobile"
    LANDLINE = "landline"
    MAIL = "mail"
    BROWSER = "browser"


# By which channels each kind can be told something.
CHANNELS = {
    ContactKind.MOBILE: frozenset({"sms", "voice"}),
    ContactKind.LANDLINE: frozenset({"voice"}),
    ContactKind.MAIL: frozenset({"email"}),
    ContactKind.BROWSER: frozenset({"push"}),
}
TELEPHONES = frozenset({ContactKind.MOBILE, ContactKind.LANDLINE})


@dataclass(frozen=True)
class Contact:
    """`value`: an E.164 number, a mail address in lower case, or a push subscription as read_browser gives it."""

    kind: ContactKind
    value: str


def read_mail(given: str) -> str | None:
    """A mail address in lower case; None when it is none. People write their own now this way, now that."""
    address = given.strip().lower()
    local = address.partition("@")[0]
    return address if len(address) <= LONGEST_MAIL and len(local) <= 64 and _MAIL.fullmatch(address) else None


def read_browser(given: str, *, trial: bool = False) -> str:
    """A push subscription (the JSON of the Push API) as it is kept: endpoint and keys alone, always written the same.

    `trial`: a push service on this machine will do. Never for what strangers send: we would knock where they say.
    Raises ValueError with what is wrong; it holds nothing of the subscription."""
    try:
        subscription: Any = json.loads(given) if len(given) <= LONGEST_BROWSER else None
        endpoint, keys = subscription["endpoint"], subscription["keys"]
        kept = {"endpoint": endpoint, "keys": {name: keys[name] for name in ("auth", "p256dh")}}
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ValueError("not a push subscription: JSON with endpoint, keys.p256dh and keys.auth") from None
    if not _is_push_service(endpoint, trial):
        raise ValueError("the endpoint of a push subscription is an https address of a push service")
    if not _has_bytes(keys["p256dh"], P256DH_BYTES) or not _has_bytes(keys["auth"], AUTH_BYTES):
        raise ValueError(f"keys.p256dh must be {P256DH_BYTES} bytes and keys.auth {AUTH_BYTES}, each as base64url")
    return json.dumps(kept, sort_keys=True, separators=(",", ":"))


def _is_push_service(endpoint: object, trial: bool) -> bool:
    if not isinstance(endpoint, str) or len(endpoint) > LONGEST_ENDPOINT or not endpoint.isascii():
        return False
    if not endpoint.isprintable() or " " in endpoint:
        return False
    try:
        parts = urlsplit(endpoint)
        port = parts.port
    except ValueError:
        return False
    if trial and parts.scheme in ("http", "https") and parts.hostname in LOCAL_HOSTS:
        return True
    named = _HOST.fullmatch(parts.hostname or "") is not None
    return parts.scheme == "https" and named and port in (None, 443) and parts.username is None


def _has_bytes(encoded: object, size: int) -> bool:
    if not isinstance(encoded, str) or not encoded.isascii():
        return False
    try:
        plain = base64.b64decode(encoded.rstrip("=") + "=" * (-len(encoded.rstrip("=")) % 4), b"-_", validate=True)
    except ValueError:
        return False
    return len(plain) == size
