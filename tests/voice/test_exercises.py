"""An exercise calls by its own trunk, or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlmodel import update

from actions.desk import NewAction
from actions.matching import OpenAction
from actions.models import Participant
from alerting.channels.ringing import NO_EXERCISES
from burgernet.node import CARRIER, EXERCISE
from telephony.fake_phone import FakePhone
from tests.alerting.town import ACTOR, circle, number, somebody
from tests.conversations.exchange import settings_of
from tests.conversations.pretend import FakeWiring
from tests.voice.conftest import TRUNK, _street
from tests.voice.street import WORDS, Street, Subscriber

PRACTICE = "sip:127.0.0.9:5060"


@pytest.fixture
def trunk() -> str:
    return PRACTICE


@pytest.fixture
async def street(
    short_waits: None, url: str, redis_url: str, tmp_path: Path, sounds: Path, trunk: str
) -> AsyncIterator[Street]:
    spool = tmp_path / "spool"
    settings = settings_of(url, redis_url, spool_file=spool, trunk_contact=TRUNK, exercise_trunk_contact=trunk)
    async with _street(settings, sounds) as street:
        yield street


async def a_phone(street: Street, trunk: str, name: int = 1) -> Subscriber:
    wiring = street.exchange.wiring
    assert isinstance(wiring, FakeWiring)
    phone = FakePhone(wiring.asterisk, f"{number(name)}@{trunk}", f"from-{trunk}", number(name), 0)
    await phone.registers()
    subscriber = Subscriber(name, phone, wiring._media)
    street.exchange.phones.append(subscriber)
    return subscriber


async def practises(street: Street, *, practising: bool = True) -> None:
    await street.town.has(somebody(1, channels=("voice",)))
    async with street.base.store.writing() as session:
        await session.exec(update(Participant).values(exercise=practising))


async def starts_exercise(street: Street) -> OpenAction:
    new = NewAction("look_out", "rotterdam", circle(2000), WORDS, exercise=True)
    action = await street.base.desk.start_action(new, ACTOR)
    await street._wake()
    return action


async def test_an_exercise_rings_through_its_own_trunk_and_says_what_it_is(street: Street) -> None:
    await practises(street)
    phone, public = await a_phone(street, EXERCISE), await a_phone(street, CARRIER)
    await starts_exercise(street)
    await phone.answers()
    await phone.hears_all("Oefening. Burgernet.")
    await phone.hears("alert-keys", bound_s=20)
    assert not public.rang


@pytest.mark.parametrize("trunk", [""])
async def test_without_a_trunk_of_its_own_an_exercise_rings_nobody_and_the_reason_says_so(street: Street) -> None:
    await practises(street)
    public = await a_phone(street, CARRIER)
    action = await starts_exercise(street)
    await street.becomes(public, "failed")
    assert (await street.town.row(action, 1)).reason == NO_EXERCISES.operator_message
    assert not public.rang
