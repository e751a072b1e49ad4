"""Our connections to the mail server: opened when they are needed, used for mail after mail, closed when they are idle.

A refusal is told apart by the step at which it came: until the mail itself was handed over nothing can have left."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiosmtplib
from aiosmtplib import (
    SMTPConnectError,
    SMTPException,
    SMTPResponseException,
    SMTPServerDisconnected,
    SMTPTimeoutError,
)

from alerting.channels import smtp_faults
from alerting.errors import Fault, SendError, Unanswered

log = logging.getLogger(__name__)

ANSWER_S = 20.0
# Servers close what is idle after five minutes or less.
IDLE_S = 60.0
# Mails by one connection: then a fresh one, as some servers count.
MOST_MAILS = 100
PAUSE_S, REPAIR_S = 5.0, 30.0


@dataclass(frozen=True)
class Server:
    """`security`: starttls, tls or none. `authorities`: a PEM file; None: the system's."""

    host: str
    port: int
    security: str
    user: str = ""
    password: str = ""
    authorities: Path | None = None
    connections: int = 4


@dataclass(frozen=True)
class Envelope:
    """`id` comes back with what did not arrive, where the servers can do that (RFC 3461)."""

    id: str
    sender: str
    recipient: str


@dataclass
class _Line:
    client: aiosmtplib.SMTP
    used_at: float
    mails: int = 0

    def fresh(self) -> bool:
        rested = asyncio.get_running_loop().time() - self.used_at
        return self.client.is_connected and self.mails < MOST_MAILS and rested < IDLE_S


class PostOffice:
    def __init__(self, server: Server) -> None:
        self._server = server
        self._context = ssl.create_default_context(cafile=server.authorities)
        self._free: list[_Line] = []
        self._room = asyncio.Semaphore(server.connections)

    async def take(self, envelope: Envelope, message: bytes) -> str:
        """Hands a mail over; what the server said when it took it. Raises SendError, Unanswered."""
        async with self._line() as line:
            await self._address(line.client, envelope)
            try:
                answer = await line.client.data(message)
            except (SMTPServerDisconnected, SMTPTimeoutError, OSError) as lost:
                raise Unanswered(f"no answer from the mail server ({type(lost).__name__})") from lost
            except SMTPResponseException as refused:
                raise SendError(smtp_faults.of_message(refused.code, refused.message)) from refused
            line.mails += 1
        return f"{answer.code} {answer.message.split()[0]}"[:20] if answer.message else str(answer.code)

    async def greet(self) -> None:
        """Connects, logs in, and asks the server whether it is there. Raises SendError."""
        async with self._line() as line:
            with _refusals(smtp_faults.BUSY, PAUSE_S):
                await line.client.noop()

    async def close(self) -> None:
        for line in self._free:
            await _left(line.client)
        self._free.clear()

    async def _address(self, client: aiosmtplib.SMTP, envelope: Envelope) -> None:
        reports = client.supports_extension("dsn")
        with _refusals(smtp_faults.SENDER, REPAIR_S):
            await client.mail(envelope.sender, options=["RET=HDRS", f"ENVID={envelope.id}"] if reports else [])
        try:
            await client.rcpt(envelope.recipient, options=["NOTIFY=FAILURE"] if reports else [])
        except SMTPResponseException as refused:
            fault = smtp_faults.of_recipient(refused.code, refused.message)
            raise SendError(fault, REPAIR_S if fault is smtp_faults.NO_RELAY else 0.0) from refused
        except (SMTPException, OSError) as lost:
            raise SendError(smtp_faults.BUSY, PAUSE_S) from lost

    @asynccontextmanager
    async def _line(self) -> AsyncIterator[_Line]:
        """A connection that nobody else uses; after a failure it is not used again."""
        async with self._room:
            line = await self._free_line()
            try:
                yield line
            except SendError:
                if await _reset(line.client):
                    self._free.append(line)
                raise
            except BaseException:
                line.client.close()
                raise
            line.used_at = asyncio.get_running_loop().time()
            self._free.append(line)

    async def _free_line(self) -> _Line:
        while self._free:
            line = self._free.pop()
            if line.fresh():
                return line
            await _left(line.client)
        return _Line(await self._connected(), asyncio.get_running_loop().time())

    async def _connected(self) -> aiosmtplib.SMTP:
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            tls_context=self._context if server.security != "none" else None,
            timeout=ANSWER_S,
        )
        try:
            await client.connect()
            await self._log_in(client)
        except SendError:
            client.close()
            raise
        except (SMTPConnectError, SMTPTimeoutError, SMTPServerDisconnected, OSError) as fault:
            client.close()
            tls = isinstance(fault.__cause__ or fault, ssl.SSLError)
            raise SendError(smtp_faults.NO_TLS if tls else smtp_faults.NOT_THERE, PAUSE_S) from fault
        except SMTPException as fault:
            client.close()
            raise SendError(smtp_faults.NO_TLS, REPAIR_S) from fault
        except BaseException:
            client.close()
            raise
        return client

    async def _log_in(self, client: aiosmtplib.SMTP) -> None:
        """Raises SendError, and what a lost connection raises."""
        if self._server.user:
            try:
                await client.login(self._server.user, self._server.password)
            except SMTPException as fault:
                # Some servers hang up on a wrong password.
                raise SendError(smtp_faults.NO_LOGIN, REPAIR_S) from fault


class _refusals:  # noqa: N801 - used as a verb
    """Within the block a refusal, or a lost connection, means that nothing was sent. `fault`: a final refusal's."""

    def __init__(self, fault: Fault, pause_s: float) -> None:
        self._fault, self._pause_s = fault, pause_s

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, fault: BaseException | None, trace: object) -> None:
        if isinstance(fault, SMTPResponseException) and 500 <= fault.code < 600:
            raise SendError(self._fault, self._pause_s) from fault
        if isinstance(fault, (SMTPException, OSError)):
            raise SendError(smtp_faults.BUSY, PAUSE_S) from fault


async def _reset(client: aiosmtplib.SMTP) -> bool:
    """Ready for the next mail after a refusal; whether it is."""
    if not client.is_connected:
        return False
    try:
        await client.rset()
    except (SMTPException, OSError):
        client.close()
        return False
    return True


async def _left(client: aiosmtplib.SMTP) -> None:
    with suppress(SMTPException, OSError):
        if client.is_connected:
            await client.quit()
    client.close()
