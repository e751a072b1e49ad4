"""A trunk over TLS with SRTP, registered at the carrier: each side refuses sound that is not encrypted."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from asterisk_conf.secured import KEY
from burgernet.node import instance
from telephony.handset import PhoneBox
from tests.conversations.exchange import CARRIER, until, whispered
from tests.voice.papers import written_papers
from tests.voice.real_street import country_with_a_network, real_street
from tests.voice.street import Street, alert

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def street(
    sqlite_template: Path, tmp_path: Path, box: PhoneBox, sqlite_url: str, redis_url: str
) -> AsyncIterator[Street]:
    file = shutil.copyfile(sqlite_template, tmp_path / "country.db")
    papers = written_papers(tmp_path, "127.0.0.1", CARRIER)
    async with (
        country_with_a_network(f"sqlite+aiosqlite:///{file}", [1], papers=papers) as country,
        real_street(country, box, sqlite_url, redis_url, tmp_path / "spool") as street,
    ):
        yield street


async def test_the_node_registers_and_a_call_is_heard_both_ways_over_tls_and_srtp(street: Street) -> None:
    async def registered() -> bool:
        return "Registered" in await asyncio.to_thread(ours.console, "pjsip show registrations")

    ours = instance(street.base.settings)
    assert (ours.folder / "etc" / KEY).stat().st_mode & 0o077 == 0
    await until(registered, "the node registered at the carrier", bound_s=30)
    operator, phone = await street.exchange.operator("rotterdam-1"), await street.person(1)
    action = await street.starts()
    await phone.answers()
    await phone.hears_all(*alert(action))
    await phone.presses("1")
    await operator.answers()
    await operator.hears(whispered(action))
    await phone.says(620)
    await operator.talks_with(phone)
    await phone.hangs_up()
    await street.call("caller hung up: talking")


async def test_a_call_comes_in_by_the_registration(street: Street) -> None:
    async def registered() -> bool:
        return "Registered" in await asyncio.to_thread(
            instance(street.base.settings).console, "pjsip show registrations"
        )

    await until(registered, "the node registered at the carrier", bound_s=30)
    phone = await street.person(1)
    await phone.dials("08000011")
    await phone.hears("welcome")
    await phone.hangs_up()
