"""The pages behind one-time links, served, with the line for texts that carries the links."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from io import BytesIO

import pytest
from aiohttp import ClientSession, FormData
from PIL import Image
from redis.asyncio import Redis

from actions.link_tips import LinkTips
from actions.links import Purpose
from actions.store import Store
from actions.vault import Vaults
from alerting.inbound.answers import Answers
from alerting.inbound.link_texts import LinkTexts
from burgernet.embedded import free_port
from tests.inbound.line import FREE_NUMBER, ME, Clock, Line, _allowed, open_line
from web.access.rate import Limits, Rate
from web.links.serving import ROOT, LinkPages
from web.server import application, serve

GPS, MAKER = 0x8825, 0x010F


@dataclass
class Reached:
    """What a browser gets."""

    status: int
    text: str
    headers: dict[str, str]


@dataclass
class Links:
    """`url`: where the pages are. Every verb returns when what it says is so."""

    line: Line
    texts: LinkTexts
    url: str
    client: ClientSession

    async def sent(self, number: str, code: str, purpose: Purpose = Purpose.PHOTO, language: str = "nl") -> str:
        """A link is texted to this number; its address, as the telephone reads it."""
        await self.texts.for_action(code, number, purpose, language, ME)
        return self.address_in((await self.line.answered(number))[-1])

    @staticmethod
    def address_in(text: str) -> str:
        found = re.search(r"http\S+", text)
        assert found, text
        return found[0]

    async def looks(self, address: str, **headers: str) -> Reached:
        async with self.client.get(address, headers=headers) as answer:
            return Reached(answer.status, await answer.text(), dict(answer.headers))

    async def posts_photo(self, address: str, content: bytes) -> Reached:
        form = FormData()
        form.add_field("photo", b"", filename="", content_type="application/octet-stream")
        form.add_field("photo", BytesIO(content), filename="foto.jpg", content_type="image/jpeg")
        async with self.client.post(address, data=form) as answer:
            return Reached(answer.status, await answer.text(), dict(answer.headers))

    async def posts_place(self, address: str, **fields: object) -> Reached:
        sent = {name: str(value) for name, value in fields.items()}
        async with self.client.post(address, data=sent) as answer:
            return Reached(answer.status, await answer.text(), dict(answer.headers))


def photo(width: int = 400, height: int = 300, kind: str = "JPEG") -> bytes:
    """A photo as a telephone makes it: on its side, and telling by which telephone and where."""
    out, exif = BytesIO(), Image.Exif()
    exif[0x0112], exif[MAKER] = 6, "Telefoon van Anna"
    exif.get_ifd(GPS).update({1: "N", 2: (51.0, 55.0, 21.0)})
    Image.new("RGB", (width, height), "navy").save(out, kind, exif=exif)
    return out.getvalue()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in ("alerting.inbound.answers", "alerting.inbound.lookup", "alerting.inbound.reception"):
        monkeypatch.setattr(f"{module}.now", clock)
    for module in ("actions.links", "alerting.inbound.link_texts"):
        monkeypatch.setattr(f"{module}.now", clock)
    return clock


@pytest.fixture
async def links(country: Store, redis: Redis, vaults: Vaults, clock: Clock) -> AsyncIterator[Links]:
    bind = f"127.0.0.1:{free_port()}"
    pages = LinkPages(country, LinkTips(country, vaults.police), Rate(redis, Limits()), (), FREE_NUMBER)
    ready = asyncio.Event()
    serving = asyncio.create_task(serve(application(pages.routes()), bind, ready))
    async with asyncio.timeout(10):
        await ready.wait()
    async with open_line(country, redis, vaults, clock) as line, ClientSession() as client:
        url = f"http://{bind}{ROOT}"
        line.answers = worker(line, url)
        yield Links(line, LinkTexts(country, redis, vaults.police, _allowed, able=True), url, client)
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


def worker(line: Line, url: str) -> Answers:
    """As Line.worker, knowing where the pages are."""
    known = line.worker()
    known._links_url = url
    return known
