"""The settings of mail and of notifications in browsers."""

from __future__ import annotations

import base64
import re
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings

LOOPBACK = ("127.0.0.1", "localhost", "::1")
PUSH_SERVICES = [
    "fcm.googleapis.com",
    "updates.push.services.mozilla.com",
    "*.push.apple.com",
    "*.notify.windows.com",
]
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+")
_HOST = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")


def _mailbox(given: str) -> str:
    if given and not (_ADDRESS.fullmatch(parseaddr(given)[1]) and "\n" not in given):
        raise ValueError(f"{given!r} is no mail address: write NAME <ADDRESS@DOMAIN>, or the address alone")
    return given


def _vapid_key(secret: SecretStr) -> SecretStr:
    plain = secret.get_secret_value()
    try:
        size = len(base64.urlsafe_b64decode(plain + "=" * (-len(plain) % 4)))
    except ValueError:
        size = 0
    if plain and size != 32:
        raise ValueError("this is no VAPID key: make one with `burgernet keys vapid`")
    return secret


def _push_host(given: str) -> str:
    """A host, `*.` before it for all below it; an address with http is for trials on this machine alone."""
    parts = urlsplit(given)
    if not (_HOST.fullmatch(given) or (parts.scheme == "http" and parts.hostname in LOOPBACK and not parts.path)):
        raise ValueError(f"{given!r} is no host of a push service, like fcm.googleapis.com or *.push.apple.com")
    return given


def _web_address(given: str) -> str:
    if urlsplit(given).scheme not in ("http", "https") or not urlsplit(given).hostname:
        raise ValueError(f"{given!r} is no web address: write it with https://")
    return given


Mailbox = Annotated[str, AfterValidator(_mailbox)]
VapidKey = Annotated[SecretStr, AfterValidator(_vapid_key)]
PushHost = Annotated[str, AfterValidator(_push_host)]
WebAddress = Annotated[str, AfterValidator(_web_address)]


class ChannelSettings(BaseSettings):
    site_url: WebAddress = Field(
        "https://www.burgernet.nl", description="Where people read more: posts and notifications lead there"
    )
    smtp_host: str = Field(
        "", pattern=r"^[A-Za-z0-9.:-]*$", description="Mail server that takes our mail; empty: no mail is sent"
    )
    smtp_port: int = Field(587, ge=1, le=65535, description="Its port")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="`starttls`, `tls` from the first byte (port 465), or `none`: on this machine alone"
    )
    smtp_user: str = Field("", description="User at the mail server; empty: it knows us by our address")
    smtp_password: SecretStr = Field(SecretStr(""), description="Password of that user")
    smtp_authorities: Path | None = Field(
        None, description="Certificates of the authorities that vouch for it, a PEM file; empty: the system's"
    )
    smtp_connections: int = Field(4, ge=1, le=100, description="Connections to the mail server side by side")
    mail_from: Mailbox = Field("", description="From whom mail comes: `Burgernet <bericht@burgernet.example>`")
    mail_bounces: Mailbox = Field(
        "", description="Where mail that did not arrive comes back (see README); empty: the address of who sends"
    )
    mail_dkim_key: Path | None = Field(
        None, description="Private key (RSA, PEM) that signs mail (DKIM); empty: the mail server signs, or nobody"
    )
    mail_dkim_selector: str = Field(
        "burgernet", pattern=r"^[A-Za-z0-9.-]{1,63}$", description="Name under which DNS holds the public half"
    )
    vapid_key: VapidKey = Field(
        SecretStr(""), description="Key by which push services know us (`burgernet keys vapid`); empty: none are sent"
    )
    vapid_contact: str = Field(
        "", pattern=r"^((mailto:|https://)[^\s]+)?$", description="Where push services reach us: `mailto:...`"
    )
    push_hosts: list[PushHost] = Field(
        default_factory=lambda: list(PUSH_SERVICES),
        description="Push services that may be asked, as JSON; a browser's subscription names one, and no other is",
    )
    push_at_once: int = Field(50, ge=1, le=1000, description="Notifications on their way side by side, in each process")

    @model_validator(mode="after")
    def _whole(self) -> ChannelSettings:
        if self.smtp_host and not self.mail_from:
            raise ValueError("BURGERNET_SMTP_HOST needs BURGERNET_MAIL_FROM")
        if self.smtp_host and self.smtp_security == "none" and self.smtp_host not in LOOPBACK:
            raise ValueError("mail leaves this machine encrypted alone: set BURGERNET_SMTP_SECURITY to starttls or tls")
        if self.vapid_key.get_secret_value() and not self.vapid_contact:
            raise ValueError("BURGERNET_VAPID_KEY needs BURGERNET_VAPID_CONTACT")
        return self
