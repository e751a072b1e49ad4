"""A node that listens to its own networks alone, and takes no more calls than it may."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio

from actions.seed import seed
from burgernet import asterisk
from burgernet.base import opened
from burgernet.node import instance, node
from burgernet.settings import Settings
from tests.conversations.exchange import CARRIER, FREE_NUMBER, ME
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
        settings = settings_of_an_open_one.model_copy(update={"sip_networks": ["127.0.0.1/32"], "most_calls": 1})
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
