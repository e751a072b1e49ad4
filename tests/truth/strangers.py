"""What comes to a SIP port on the internet: strangers, guessers, and noise."""

from __future__ import annotations

import asyncio
import re
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

STRANGER = "127.0.0.9"
GARBAGE = (
    b"REGISTER\r\n\r\n",
    b"INVITE sip:x SIP/2.0\r\nVia: garbage\r\n\r\n",
    b"INVITE sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.9;branch=z9hG4bK\r\nContent-Length: 999\r\n\r\nv",
    b"OPTIONS sip:" + b"a" * 2000 + b" SIP/2.0\r\n" + b"X: y\r\n" * 200 + b"\r\n",
    b"\x00" * 200,
    b"BYE sip:%00@%ff SIP/9.9\r\nCSeq: 99999999999 INVITE\r\nFrom: <>\r\nTo: \r\nCall-ID:\r\n\r\n",
)


@dataclass(frozen=True)
class Port:
    """A SIP port of somebody, and a socket that speaks to it."""

    address: tuple[str, int]
    socket: socket.socket

    def sends(self, packet: bytes) -> None:
        self.socket.sendto(packet, self.address)

    async def asks(self, packet: bytes) -> str:
        """The answer; "" when there is none within a second."""
        self.sends(packet)
        try:
            async with asyncio.timeout(1):
                return (await asyncio.get_running_loop().sock_recv(self.socket, 4096)).decode()
        except TimeoutError:
            return ""

    async def guesses_a_password(self, account: str) -> str:
        """Challenged, it answers with a wrong password."""
        challenge = await self.asks(request("REGISTER", account))
        nonce, opaque = (re.search(rf'{word}="([^"]+)"', challenge) for word in ("nonce", "opaque"))
        assert nonce
        assert opaque
        proof = (
            f'Authorization: Digest username="{account}", realm="asterisk", nonce="{nonce[1]}", opaque="{opaque[1]}", '
            f'uri="sip:127.0.0.1", response="{"0" * 32}", algorithm=MD5, cnonce="aa", qop=auth, nc=00000001\r\n'
        )
        return await self.asks(request("REGISTER", account, proof))


@contextmanager
def stranger_at(address: str, source: str = STRANGER) -> Iterator[Port]:
    """`address`: HOST:PORT."""
    host, _, port = address.rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.bind((source, 0))
        yield Port((host, int(port)), sock)


def request(method: str, account: str, more: str = "") -> bytes:
    mark = secrets.token_hex(6)
    return (
        f"{method} sip:127.0.0.1 SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {STRANGER}:5070;branch=z9hG4bK{mark};rport\r\n"
        "Max-Forwards: 70\r\n"
        f"From: <sip:{account}@127.0.0.1>;tag={mark}\r\n"
        f"To: <sip:{account}@127.0.0.1>\r\n"
        f"Call-ID: {mark}\r\n"
        f"CSeq: 1 {method}\r\n"
        f"Contact: <sip:{account}@{STRANGER}:5070>\r\n"
        f"{more}Content-Length: 0\r\n\r\n"
    ).encode()
