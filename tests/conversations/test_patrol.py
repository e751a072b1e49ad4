"""A patrol in a talk: somebody outside, over the trunk; on Asterisk in memory (a real trunk is in tests/voice)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from burgernet.node import CARRIER as TRUNK
from telephony.fake_phone import FakePhone
from tests.conversations.exchange import Exchange, settings_of, whispered
from tests.conversations.pretend import FakeWiring, fake_exchange
from tests.conversations.test_operator_keys import all_hear_each_other, talking

PATROL, TONE = "+31612340009", 2370


@pytest_asyncio.fixture(loop_scope="session")
async def country(sqlite_url: str, redis_url: str, tmp_path: Path, sounds: Path) -> AsyncIterator[Exchange]:
    settings = settings_of(
        sqlite_url,
        redis_url,
        spool_file=tmp_path / "spool",
        trunk_contact="sip:127.0.0.2:5060",
        patrols={"rotterdam": {"1": PATROL}},
    )
    async with fake_exchange(settings, sounds) as exchange:
        yield exchange


@pytest.mark.parametrize("keyed", ["1", "0612340009"], ids=["speed dial", "number"])
async def test_a_patrol_is_asked_in_and_out_again(country: Exchange, keyed: str) -> None:
    assert isinstance(country.wiring, FakeWiring)
    handset = FakePhone(country.wiring.asterisk, f"{PATROL}@{TRUNK}", "from-trunk", PATROL, TONE)
    patrol = await country.wiring._registered(handset)
    talk = await talking(country)
    await talk.operator.presses("*4")
    await talk.operator.hears("which-patrol")
    await talk.operator.presses(f"{keyed}#")
    await patrol.answers()
    await patrol.hears(whispered(talk.action))
    await all_hear_each_other(talk.caller, talk.operator, patrol)
    assert country.controller.guard._in_use == 1

    await talk.operator.presses("*4")
    await patrol.is_hung_up()
    await talk.operator.hears("third-left")
    assert country.controller.guard._in_use == 0


async def test_a_number_outside_the_ranges_is_not_called(country: Exchange) -> None:
    talk = await talking(country)
    await talk.operator.presses("*40906123456#")
    await talk.operator.hears("number-unknown")
    await talk.operator.talks_with(talk.caller)
