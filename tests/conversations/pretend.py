"""Asterisk in memory as an exchange, with the product's telephony role on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path, PurePath
from typing import Any

from asterisk_conf.render import forms_of
from burgernet.base import Base, opened
from burgernet.node import node
from burgernet.settings import Settings
from ivr_flows.catalogue import catalogue
from ivr_flows.switchboard import Patience
from telephony.ari import Ari
from telephony.fake import MUSIC, FakeAsterisk
from telephony.fake_ari import FakeAmi, FakeAri
from telephony.fake_dialplan import FakeDialplan
from telephony.fake_phone import FakePhone
from telephony.speech import Prompt, Speech
from tests.conversations.exchange import LINES, Exchange, exchange_on, noise, seeded
from tests.conversations.phones import Music, Phone

PACE = 40
PATIENCE = Patience(
    starter_rings=0.4, operator_rings=0.4, in_one_room=1, first_told=0.5, told_again=0.5, match=2, key=0.3, tip=10
)


class ReadySpeech(Speech):
    """Nothing sounds, so nothing needs to be rendered at the start of each test."""

    async def build(self, say: Any) -> int:
        return 0


class FakeWiring:
    """Phones on Asterisk in memory."""

    def __init__(self, asterisk: FakeAsterisk, speech: Speech) -> None:
        self.asterisk, self._speech = asterisk, speech
        self._numbers = count(1)

    async def operator(self, account: str, tone: int) -> Phone:
        return await self._registered(FakePhone(self.asterisk, account, "from-operators", account, tone))

    async def line(self, account: str, tone: int) -> Phone:
        return await self._registered(FakePhone(self.asterisk, account, "from-lines", LINES[account], tone))

    async def carrier(self, caller_id: str, tone: int, *, withheld: bool) -> Phone:
        phone = FakePhone(self.asterisk, "carrier", "from-trunk", caller_id, tone, withheld=withheld)
        return Phone(phone, self._media)

    async def passes(self, seconds: float) -> None:
        await asyncio.sleep(seconds / PACE)

    @asynccontextmanager
    async def cut(self, ari: Ari) -> AsyncIterator[None]:
        self.asterisk.reachable.clear()
        self.asterisk.sockets[ari.app].cut()
        yield
        self.asterisk.reachable.set()

    def plain_recordings(self) -> list[str]:
        return list(self.asterisk.recordings)

    def fills_disk(self) -> None:
        self.asterisk.conferences.disk_is_full()

    def parts(self) -> Mapping[str, Any]:
        return {
            "speech_of": lambda _: self._speech,
            "Ari": lambda _url, app, _user, _password: FakeAri(self.asterisk, app),
            "Ami": lambda _url, _user, _password, watchers: FakeAmi(self.asterisk, watchers),
        }

    async def _registered(self, phone: FakePhone) -> Phone:
        await phone.registers()
        return Phone(phone, self._media)

    async def _media(self, prompt: Prompt | Music, language: str) -> str:
        return MUSIC if isinstance(prompt, Music) else await self._speech.media(prompt, language)


@asynccontextmanager
async def fake_exchange(settings: Settings, sounds: Path, patience: Patience = PATIENCE) -> AsyncIterator[Exchange]:
    """The product's telephony role on Asterisk in memory, with an empty database and Redis, seeded here."""
    async with opened(settings) as base:
        await seeded(base)
        speech = ReadySpeech(catalogue(), sounds, PurePath("/sounds"), noise)
        asterisk = FakeAsterisk(PACE)
        asterisk.dialplan = await _dialplan(asterisk, base, speech)
        async with exchange_on(base, FakeWiring(asterisk, speech), patience) as exchange:
            yield exchange


async def _dialplan(asterisk: FakeAsterisk, base: Base, speech: Speech) -> FakeDialplan:
    """With the globals that the real one would be rendered with."""
    real = await node(base.settings, base.desk)
    rooms: dict[str, list[str]] = {}
    for phone in real.operators:
        rooms.setdefault(phone.room, []).append(phone.name)
    return FakeDialplan(
        asterisk,
        real.apps,
        real.free_number,
        {form for number in (real.free_number, *real.callback_numbers) for form in forms_of(number)},
        rooms,
        real.rooms_of_area_codes,
        real.fallback_room,
        await speech.media("fallback-warning", "nl"),
        await speech.media("fallback-closing", "nl"),
    )
