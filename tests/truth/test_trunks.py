"""A carrier with several contacts: calls go by the first that takes them, and who looks is told which does not."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio

from burgernet import doctor, node
from burgernet.doctor import Colour
from burgernet.embedded import free_port
from telephony.calls import Call
from telephony.handset import PhoneBox
from telephony.outbound import Outgoing
from tests.conversations.exchange import CARRIER, FREE_NUMBER, until
from tests.voice.real_street import country_with_a_network, real_street
from tests.voice.street import Street

pytestmark = pytest.mark.asyncio(loop_scope="session")

DEAD, FULL = (f"sip:{CARRIER}:{free_port(socket.SOCK_DGRAM)}" for _ in range(2))


class Full(asyncio.DatagramProtocol):
    """A carrier that lives and takes no call: OPTIONS gets 200, INVITE 503."""

    def __init__(self) -> None:
        self.asked = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        first, *lines = data.decode().split("\r\n")
        if first.startswith("ACK"):
            return
        called = first.startswith("INVITE")
        self.asked += called
        kept = (line for line in lines if line.startswith(("Via", "From", "To", "Call-ID", "CSeq")))
        status = "SIP/2.0 503 Service Unavailable" if called else "SIP/2.0 200 OK"
        self._transport.sendto("\r\n".join((status, *kept, "Content-Length: 0", "", "")).encode(), address)


@pytest_asyncio.fixture(loop_scope="session")
async def full() -> AsyncIterator[Full]:
    _, _, port = FULL.rpartition(":")
    transport, carrier = await asyncio.get_running_loop().create_datagram_endpoint(Full, (CARRIER, int(port)))
    yield carrier
    transport.close()


@pytest_asyncio.fixture(loop_scope="session")
async def street(
    full: Full,
    sqlite_template: Path,
    tmp_path: Path,
    box: PhoneBox,
    sqlite_url: str,
    redis_url: str,
) -> AsyncIterator[Street]:
    file = shutil.copyfile(sqlite_template, tmp_path / "country.db")
    async with (
        country_with_a_network(f"sqlite+aiosqlite:///{file}", [1], before=[DEAD, FULL]) as country,
        real_street(country, box, sqlite_url, redis_url, tmp_path / "spool") as street,
    ):
        yield street


async def until_it_is_hung_up(call: Call) -> None:
    await asyncio.shield(call.leg.ended)


async def test_a_call_goes_past_a_dead_contact_and_one_that_takes_no_calls_and_the_doctor_names_the_dead(
    street: Street, full: Full
) -> None:
    async def told() -> bool:
        (trunk,) = [finding for finding in await doctor.examine(street.exchange.base) if finding.part == "trunk"]
        others = [contact for contact in street.exchange.base.settings.carriers if contact != DEAD]
        return trunk.colour is Colour.YELLOW and DEAD in trunk.words and not any(one in trunk.words for one in others)

    await until(told, "the dead contact is told of, and it alone", bound_s=30)
    phone = await street.person(1)
    controller, never = street.exchange.controller, asyncio.get_running_loop().create_future()
    ways = node.ways_out(street.exchange.base.settings)
    outgoing = Outgoing(phone.number, ways, FREE_NUMBER, 10.0, secrets.token_hex(8))
    call = asyncio.create_task(controller.place(outgoing, until_it_is_hung_up, never))
    await phone.answers()
    await phone.hangs_up()
    async with asyncio.timeout(10):
        assert await call == "answered"
    assert full.asked == 1
