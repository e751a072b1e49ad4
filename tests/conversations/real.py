"""The real Asterisk as an exchange: a node rendered for the test, real phones with sound, keys as RFC 4733."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

from asterisk_conf.render import Line
from burgernet import asterisk
from burgernet.base import opened
from burgernet.embedded import free_port
from burgernet.node import instance, node, sip_password
from burgernet.settings import Settings
from ivr_flows.catalogue import catalogue
from ivr_flows.switchboard import Patience
from telephony.ari import Ari
from telephony.handset import PhoneBox, Registrar
from telephony.hearing import Samples, samples_in
from telephony.speech import Prompt, Speech
from tests.conversations.exchange import CARRIER, LINES, Exchange, exchange_on, noise, seeded, settings_of
from tests.conversations.phones import Music, Phone

_nodes = count(1)
PATIENCE = Patience(
    starter_rings=2, operator_rings=2, in_one_room=4, first_told=2, told_again=4, match=2, key=1, tip=10
)


@dataclass(frozen=True)
class RealNode:
    """A running Asterisk. `settings` hold its addresses and secrets; database and Redis differ from test to test."""

    settings: Settings
    speech: Speech
    asterisk: asterisk.Instance

    @property
    def registrar(self) -> Registrar:
        host, _, port = self.settings.sip_bind.rpartition(":")
        return Registrar(host, int(port))


@contextmanager
def settings_of_a_node(country_url: str) -> Iterator[Settings]:
    settings = settings_of(
        country_url,
        "redis://127.0.0.1:1/0",
        ari_url=f"http://127.0.0.1:{free_port()}",
        ami_url=f"tcp://127.0.0.1:{free_port()}",
        sip_bind=f"127.0.0.1:{free_port(socket.SOCK_DGRAM)}",
        rtp_ports="20000-21999",
        asterisk_instance=f"test-{os.getpid()}-{next(_nodes)}",
    )
    yield settings
    shutil.rmtree(instance(settings).folder)


@asynccontextmanager
async def real_node(country_url: str) -> AsyncIterator[RealNode]:
    """An Asterisk of its own with the phones of every operator, two lines and a carrier. `country_url`: an SQLite
    database with the newest schema, which gets the country. Nothing of it stays."""
    with settings_of_a_node(country_url) as settings:
        ours = instance(settings)
        async with opened(settings) as base:
            await seeded(base)
            lines = [Line(name, sip_password(settings, name), number) for name, number in LINES.items()]
            asterisk.write(ours, await node(settings, base.desk, lines))
        speech = Speech(catalogue(), ours.sounds, ours.sounds_inside, noise)
        await speech.build(lambda _: None)
        with asterisk.running(ours):
            yield RealNode(settings, speech, ours)


class RealWiring:
    """Phones of the phone box on a real node."""

    _numbers = count(1)

    def __init__(self, real: RealNode, box: PhoneBox) -> None:
        self._real, self._box = real, box
        self._accounts: set[str] = set()

    async def operator(self, account: str, tone: int) -> Phone:
        phone = await self._phone(account, tone, sip_password(self._real.settings, account))
        self._accounts.add(account)
        await phone.registers()
        return phone

    async def line(self, account: str, tone: int) -> Phone:
        return await self.operator(account, tone)

    async def carrier(self, caller_id: str, tone: int, *, withheld: bool) -> Phone:
        headers = f"Privacy: id\r\nP-Asserted-Identity: <sip:{caller_id}@{CARRIER}>\r\n" if withheld else ""
        return await self._phone(caller_id, tone, "", ip=CARRIER, headers=headers)

    async def passes(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def forget_phones(self) -> None:
        """No phone stays registered, not even one that vanished: a new one takes its place and signs off."""
        for account in self._accounts:
            phone = await self._phone(account, 0, sip_password(self._real.settings, account))
            await phone.registers()
            await phone.unregisters()

    @asynccontextmanager
    async def cut(self, ari: Ari) -> AsyncIterator[None]:
        assert ari._socket
        nowhere = f"http://127.0.0.1:{free_port()}/ari"
        with patch.object(ari, "_url", nowhere):
            await ari._socket.close()
            yield

    def plain_recordings(self) -> list[str]:
        return [file.name for file in (self._real.asterisk.folder / "spool").rglob("*.wav")]

    def fills_disk(self) -> None:
        raise NotImplementedError("a full disk is tried on Asterisk in memory")

    def parts(self) -> Mapping[str, Any]:
        return {"speech_of": lambda _: self._real.speech}

    async def _phone(self, user: str, tone: int, password: str, **more: str) -> Phone:
        name = f"{user}#{next(self._numbers)}"
        handset = await self._box.phone(name, self._real.registrar, password, user=user, tone=tone, **more)
        return Phone(handset, self._sound_of)

    async def _sound_of(self, prompt: Prompt | Music, language: str) -> Samples:
        if isinstance(prompt, Music):
            return samples_in(self._real.asterisk.sounds / "music/waiting.wav")
        return samples_in(self._real.speech.path(await self._real.speech.media(prompt, language)))


@asynccontextmanager
async def real_exchange(
    real: RealNode, box: PhoneBox, database_url: str, redis_url: str, spool: Path, patience: Patience = PATIENCE
) -> AsyncIterator[Exchange]:
    """The product's telephony role on a real node, with an empty database and Redis of its own, seeded here."""
    mine = {"database_url": database_url, "redis_url": redis_url, "spool_file": spool}
    async with opened(real.settings.model_copy(update=mine)) as base:
        await seeded(base)
        wiring = RealWiring(real, box)
        try:
            async with exchange_on(base, wiring, patience) as exchange:
                yield exchange
        finally:
            await wiring.forget_phones()
