"""Calls that are placed through a real trunk: only to allowed numbers, never more than agreed, never longer than the
longest."""

from __future__ import annotations

import asyncio
import dataclasses
import secrets
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import pytest_asyncio

from burgernet.node import CARRIER
from telephony.calls import Call
from telephony.handset import PhoneBox
from telephony.outbound import AllInUse, MayNotCall, Outgoing
from tests.conversations.exchange import FREE_NUMBER, until
from tests.voice.real_street import Country, country_with_a_network, real_street
from tests.voice.street import Street

pytestmark = pytest.mark.asyncio(loop_scope="session")

MOST = 2


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def network(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Country]:
    file = shutil.copyfile(sqlite_template, tmp_path_factory.mktemp("outbound") / "country.db")
    async with country_with_a_network(f"sqlite+aiosqlite:///{file}", range(1, 4)) as country:
        few = country.real.settings.model_copy(update={"outbound_channels": MOST})
        yield dataclasses.replace(country, real=dataclasses.replace(country.real, settings=few))


@pytest_asyncio.fixture(loop_scope="session")
async def street(
    network: Country, box: PhoneBox, sqlite_url: str, redis_url: str, tmp_path: Path
) -> AsyncIterator[Street]:
    async with real_street(network, box, sqlite_url, redis_url, tmp_path / "spool") as street:
        yield street


async def until_it_is_hung_up(call: Call) -> None:
    await asyncio.shield(call.leg.ended)


def places(street: Street, to: str) -> asyncio.Task[str]:
    """A call that we do not end."""
    outgoing = Outgoing(to, (CARRIER,), FREE_NUMBER, 10.0, secrets.token_hex(8))
    controller = street.exchange.controller
    return asyncio.create_task(
        controller.place(outgoing, until_it_is_hung_up, asyncio.get_running_loop().create_future())
    )


async def ended(call: asyncio.Task[str]) -> str:
    async with asyncio.timeout(10):
        return await call


@pytest.mark.parametrize(
    "to", ["+442079460958", "+319008844", "112", "0612345678", "", "+31612345678@192.0.2.1", "+31" + "6" * 40]
)
async def test_a_number_that_may_not_be_called_is_refused_before_asterisk_hears_of_it(street: Street, to: str) -> None:
    ari = street.exchange.controller.ari
    really, asked = ari.request, list[str]()

    async def request(method: str, path: str, *body: Any, **query: Any) -> Any:
        if path.startswith("channels"):  # the rest of the role goes on with its own work
            asked.append(path)
        return await really(method, path, *body, **query)

    with patch.object(ari, "request", request), pytest.raises(MayNotCall) as refused:
        await ended(places(street, to))
    assert asked == []
    assert not to or to not in str(refused.value)
    assert street.exchange.controller.calls == 0


async def test_never_more_calls_at_once_than_agreed_and_one_that_ends_makes_room(street: Street) -> None:
    first, second, third = [await street.person(name) for name in range(1, 4)]
    talking, ringing = places(street, first.number), places(street, second.number)
    await first.answers()
    await second.rings()
    with pytest.raises(AllInUse, match=f"all {MOST} outbound channels are in use"):
        await ended(places(street, third.number))
    assert not third.rang
    await second.picks_up()
    await second.hangs_up()
    assert await ended(ringing) == "answered"
    after = places(street, third.number)
    await third.answers()
    for phone, call in ((first, talking), (third, after)):
        await phone.hangs_up()
        assert await ended(call) == "answered"


async def test_a_call_that_is_rejected_gives_its_channel_back(street: Street) -> None:
    phone = await street.person(1)
    for _ in range(MOST + 1):
        call = places(street, phone.number)
        await phone.rejects()
        assert await ended(call) != "answered"


async def test_the_longest_call_ends_by_itself(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(street.exchange.controller, "max_call_s", 1.0)
    phone = await street.person(1)
    call = places(street, phone.number)
    await phone.answers()
    await phone.is_hung_up(bound_s=5)
    assert await ended(call) == "answered"
    await until(lambda: _none_led(street), "no conversation left")


async def _none_led(street: Street) -> bool:
    return street.exchange.controller.calls == 0
