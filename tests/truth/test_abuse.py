"""A real Asterisk under what the internet sends: scanners, guessers, noise; and with its disk full."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import pytest_asyncio

from telephony.handset import PhoneBox
from tests.conversations.exchange import FREE_NUMBER, Exchange, until
from tests.conversations.real import RealNode, real_exchange
from tests.truth.strangers import GARBAGE, STRANGER, request, stranger_at

NUMBER = "+31612345678"


@pytest_asyncio.fixture(loop_scope="session")
async def exchange(
    real: RealNode, box: PhoneBox, sqlite_url: str, redis_url: str, tmp_path: Path
) -> AsyncIterator[Exchange]:
    async with real_exchange(real, box, sqlite_url, redis_url, tmp_path / "spool") as exchange:
        yield exchange


async def refused_at_least(exchange: Exchange, count: int) -> bool:
    return (await exchange.facts()).get(("refused_a_minute", STRANGER), 0) >= count


async def test_scanners_and_guessers_learn_nothing_and_are_counted_by_source(
    exchange: Exchange, real: RealNode
) -> None:
    with stranger_at(real.settings.sip_bind) as stranger:
        answers = [await stranger.asks(request(method, "nobody")) for method in ("REGISTER", "INVITE", "OPTIONS")]
        answers += [await stranger.asks(request("REGISTER", "rotterdam-1"))]
        # Whether an account is there cannot be told from the answer.
        assert {answer.splitlines()[0] for answer in answers} == {"SIP/2.0 401 Unauthorized"}
        assert {tuple(re.findall(r"^([\w-]+):", answer, re.MULTILINE)) for answer in (answers[0], answers[3])} == {
            tuple(re.findall(r"^([\w-]+):", answers[0], re.MULTILINE))
        }
        for _ in range(17):
            assert "401" in await stranger.guesses_a_password("rotterdam-1")
    await until(lambda: refused_at_least(exchange, 20), "counted")
    assert "rotterdam-1" not in str(await exchange.facts())


@contextmanager
def sipp_garbage(real: RealNode, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """SIPp sends, 20 times a second, an INVITE whose description of the sound is no such thing, as the carrier."""
    host, _, port = real.settings.sip_bind.rpartition(":")
    (scenario := folder / "garbage.xml").write_text(_SCENARIO)
    command = [
        "sipp",
        f"{host}:{port}",
        "-sf",
        str(scenario),
        "-i",
        "127.0.0.2",
        "-r",
        "20",
        "-m",
        "60",
        "-timeout",
        "20s",
    ]
    process = subprocess.Popen(
        [*command, "-p", str(_free_udp()), "-nostdin"],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(10)


def _free_udp() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.2", 0))
        return int(sock.getsockname()[1])


def rtp_noise(ports: range) -> None:
    """Garbage, and RTP of a stranger, at every media port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((STRANGER, 0))
        for port in ports:
            for packet in (os.urandom(172), b"\x80\x00" + os.urandom(170), b"\x80\xc8\x00\x06" + os.urandom(24)):
                with suppress(OSError):
                    sock.sendto(packet, ("127.0.0.1", port))


async def test_a_talk_goes_on_through_malformed_sip_and_rtp_noise_and_its_quality_is_kept(
    exchange: Exchange, real: RealNode, tmp_path: Path
) -> None:
    await exchange.alerted(NUMBER, await exchange.action())
    operator, caller = await exchange.operator("rotterdam-1"), await exchange.caller(NUMBER)
    await caller.dials(FREE_NUMBER)
    await operator.answers()
    await caller.talks_with(operator)
    first, last = map(int, real.settings.rtp_ports.split("-"))
    with sipp_garbage(real, tmp_path) as sipp, stranger_at(real.settings.sip_bind) as stranger:
        for _ in range(10):
            for packet in (*GARBAGE, secrets.token_bytes(500), request("INVITE", "nobody")[: secrets.randbelow(200)]):
                stranger.sends(packet)
            await asyncio.to_thread(rtp_noise, range(first, last))
        await caller.talks_with(operator)
        await until(lambda: _heard(exchange), "a report of RTCP")  # every five seconds by itself
        assert await asyncio.to_thread(sipp.wait, 30) == 0, "SIPp sent all of it"
    await caller.talks_with(operator)
    await caller.hangs_up()
    call = await _ended(exchange)
    assert call.quality
    assert call.quality["caller"]["jitter_ms"] is not None
    assert call.connected_at


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """A disk of its own, full, in the place of this folder."""
    owner = folder.stat()
    size = f"size=16k,uid={owner.st_uid},gid={owner.st_gid}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "full", str(folder)], check=True)
    try:
        with suppress(OSError):
            (folder / "filling").write_bytes(bytes(1 << 20))
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a disk of its own")
async def test_a_tip_that_the_disk_does_not_take_is_said_to_the_caller_and_is_an_alarm(
    exchange: Exchange, real: RealNode
) -> None:
    await exchange.alerted(NUMBER, await exchange.action())
    caller = await exchange.caller(NUMBER)
    with full(real.asterisk.folder / "spool/recording"):
        assert (await exchange.facts())["disk_free", "recordings"] < 0.03
        await caller.dials(FREE_NUMBER)
        await caller.hears("leave-tip")
        await caller.hears("tip-not-kept")
        await caller.is_hung_up()
    assert (await exchange.ended("tip not kept")).ended_at
    assert await exchange.tips() == []


async def _heard(exchange: Exchange) -> bool:
    return exchange.base.quality.lately()[0] >= 2


async def _ended(exchange: Exchange):  # type: ignore[no-untyped-def]
    async def over() -> bool:
        return any(call.connected_at and call.ended_at for call in await exchange.calls())

    await until(over, "the call ended in the book")
    return next(call for call in await exchange.calls() if call.connected_at)


_SCENARIO = """<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="garbage">
  <send><![CDATA[
INVITE sip:08000011@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:+3161234%ff@[local_ip]>;tag=[call_number]
To: <sip:08000011@[remote_ip]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:x@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=- nonsense
m=audio -1 RTP/AVP 999 banana
c=IN IP9 300.300.300.300
  ]]></send>
</scenario>
"""
