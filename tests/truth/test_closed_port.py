"""A node that listens to its own networks alone, takes no more calls than it may, and asks whether its trunk lives."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import cast

import pytest_asyncio

from actions.seed import seed
from burgernet import asterisk
from burgernet.base import opened
from burgernet.embedded import free_port
from burgernet.node import CARRIER as CARRIER_ACCOUNT
from burgernet.node import instance, node
from burgernet.settings import Settings
from telephony.ami import Ami
from telephony.contacts import Contacts
from tests.conversations.exchange import CARRIER, FREE_NUMBER, ME, until
from tests.conversations.real import settings_of_a_node
from tests.truth.strangers import request, stranger_at

KEEP_ALIVE = b"\r\n\r\n"
SOUND = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.2\r\ns=-\r\nc=IN IP4 127.0.0.2\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
)


@pytest_asyncio.fixture
async def closed(sqlite_url: str) -> AsyncIterator[Settings]:
    with settings_of_a_node(sqlite_url) as settings_of_an_open_one:
        settings = settings_of_an_open_one.model_copy(
            update={
                "sip_networks": ["127.0.0.1/32"],
                "most_calls": 1,
                "trunk_contact": f"sip:{CARRIER}:{free_port(socket.SOCK_DGRAM)}",
            }
        )
        async with opened(settings) as base:
            await seed(base.store, ME, operators_a_room=1)
            asterisk.write(instance(settings), await node(settings, base.desk))
        with asterisk.running(instance(settings)):
            yield settings


def invite(branch: str) -> bytes:
    return (
        f"INVITE sip:{FREE_NUMBER}@127.0.0.1 SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {CARRIER}:5070;branch=z9hG4bK{branch};rport\r\n"
        "Max-Forwards: 70\r\n"
        f"From: <sip:+31612345678@{CARRIER}>;tag={branch}\r\n"
        f"To: <sip:{FREE_NUMBER}@127.0.0.1>\r\n"
        f"Call-ID: {branch}\r\n"
        "CSeq: 1 INVITE\r\n"
        f"Contact: <sip:+31612345678@{CARRIER}:5070>\r\n"
        "Content-Type: application/sdp\r\n"
        f"Content-Length: {len(SOUND)}\r\n\r\n{SOUND}"
    ).encode()


async def test_strangers_are_shut_out_before_any_password_and_a_call_too_many_is_sent_elsewhere(
    closed: Settings,
) -> None:
    with stranger_at(closed.sip_bind) as stranger:
        assert "403 Forbidden" in await stranger.asks(request("REGISTER", "rotterdam-1"))
    with stranger_at(closed.sip_bind, "127.0.0.1") as known:
        assert "401 Unauthorized" in await known.asks(request("REGISTER", "rotterdam-1"))
    with stranger_at(closed.sip_bind, CARRIER) as carrier:
        answers = await carrier.asks(invite("0"))
        for branch in "12345678":
            carrier.sends(invite(branch))
        async with asyncio.timeout(10):
            while "200 OK" not in answers or "503 Service Unavailable" not in answers:
                answers += await carrier.asks(KEEP_ALIVE)


class Answering(asyncio.DatagramProtocol):
    """A carrier that lives: every OPTIONS gets its 200."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        kept = (
            line for line in data.decode().split("\r\n") if line.startswith(("Via", "From", "To", "Call-ID", "CSeq"))
        )
        self._transport.sendto("\r\n".join(("SIP/2.0 200 OK", *kept, "Content-Length: 0", "", "")).encode(), address)


async def test_a_trunk_that_stops_answering_is_away_and_one_that_answers_again_is_back(closed: Settings) -> None:
    async def changed(account: str, reachable: bool) -> None:
        if account == CARRIER_ACCOUNT:
            told.append(reachable)

    async def asked_anew() -> None:
        await asyncio.to_thread(instance(closed).console, f"pjsip qualify {CARRIER_ACCOUNT}")  # as every 30 s by itself

    async def is_told(*all_of_it: bool) -> None:
        async def so() -> bool:
            return told == list(all_of_it)

        await until(so, f"told {all_of_it}")

    told: list[bool] = []
    host, _, port = closed.trunk_contact.removeprefix("sip:").rpartition(":")
    ami = Ami(closed.ami_url, closed.ami_user, closed.ami_password.get_secret_value(), [Contacts(changed)])
    observing = asyncio.create_task(ami.run())
    loop = asyncio.get_running_loop()
    try:
        carrier, _ = await loop.create_datagram_endpoint(Answering, (host, int(port)))
        await asked_anew()
        await is_told(True)
        carrier.close()
        await asked_anew()
        await is_told(True, False)
        carrier, _ = await loop.create_datagram_endpoint(Answering, (host, int(port)))
        await asked_anew()
        await is_told(True, False, True)
        late = Contacts(changed)
        looking = asyncio.create_task(
            Ami(closed.ami_url, closed.ami_user, closed.ami_password.get_secret_value(), [late]).run()
        )
        await is_told(True, False, True, True)  # who looks only now is told of what is there
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        carrier.close()
    finally:
        observing.cancel()
        await asyncio.gather(observing, return_exceptions=True)
