"""A real SMTP server on loopback, with STARTTLS and a certificate of its own: what arrives is kept."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from asterisk_conf.secured import AUTHORITIES, CERTIFICATE, KEY
from burgernet.embedded import free_port

USER, PASSWORD = "burgernet", "a password of the mail server"


@dataclass
class Mailbox:
    """`refuses` answers RCPT of an address, `refuses_mail` the mail itself; each is taken once a time from its list."""

    port: int
    authorities: Path
    letters: list[EmailMessage] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    refuses: dict[str, list[str]] = field(default_factory=dict)
    refuses_mail: list[str] = field(default_factory=list)
    hangs_up: int = 0
    connections: set[str] = field(default_factory=set)
    encrypted: list[bool] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.refuses.get(address):
            return self.refuses[address].pop(0)
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.connections.add(str(session.peer))
        self.encrypted.append(session.ssl is not None)
        if self.hangs_up:
            self.hangs_up -= 1
            _cut(server)
            return "250 never seen"
        if self.refuses_mail:
            return self.refuses_mail.pop(0)
        assert isinstance(envelope.content, bytes)
        self.raw.append(envelope.content)
        letter = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        self.envelopes.append(envelope)
        self.recipients += envelope.rcpt_tos
        return "250 2.0.0 queued as 4711"


def _cut(server: SMTP) -> None:
    if isinstance(server.transport, asyncio.WriteTransport):
        server.transport.abort()


def _known(server: SMTP, session: Session, envelope: Envelope, mechanism: str, proof: object) -> AuthResult:
    right = isinstance(proof, LoginPassword) and (proof.login, proof.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right)


@asynccontextmanager
async def mail_server(papers: Path, port: int | None = None) -> AsyncIterator[Mailbox]:
    """Serves while the block lasts; nobody is served without STARTTLS and log-in."""
    box = Mailbox(port or free_port(), papers / AUTHORITIES)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(papers / CERTIFICATE, papers / KEY)
    opened: list[SMTP] = []

    def served() -> SMTP:
        server = SMTP(
            box,
            hostname="mail.test",
            tls_context=context,
            require_starttls=True,
            authenticator=_known,
            auth_required=True,
            loop=asyncio.get_running_loop(),
        )
        opened.append(server)
        return server

    listening = await asyncio.get_running_loop().create_server(served, "127.0.0.1", box.port)
    try:
        yield box
    finally:
        listening.close()
        for server in opened:
            _cut(server)
        await asyncio.gather(
            *(server._handler_coroutine for server in opened if server._handler_coroutine), return_exceptions=True
        )
        await listening.wait_closed()
