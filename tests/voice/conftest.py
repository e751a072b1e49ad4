"""A street on Asterisk in memory, where waits are short."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from actions.models import DeliveryState
from alerting import bell, pacing
from alerting.channels import voice
from alerting.throttle import Throttle
from burgernet import lost_calls, voice_ways
from burgernet.node import CARRIER
from burgernet.settings import Settings
from ivr_flows import voice_alert
from telephony import legs
from telephony.fake_phone import FakePhone
from tests.alerting.town import number
from tests.conversations.exchange import settings_of
from tests.conversations.pretend import FakeWiring, fake_exchange
from tests.voice.street import Street, Subscriber

TRUNK = "sip:127.0.0.2:5060"
SOON = (0.1, 0.1)


@pytest.fixture(scope="session")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sounds")


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bell, "POLL_S", 0.2)
    monkeypatch.setattr(pacing, "WAITS_S", SOON)
    monkeypatch.setattr(pacing, "WAITS_AFTER", dict.fromkeys((DeliveryState.BUSY, DeliveryState.NO_ANSWER), SOON))
    monkeypatch.setattr(voice, "RING_S", 3.0)
    monkeypatch.setattr(voice, "PAUSE_S", 0.1)
    monkeypatch.setattr(voice_ways, "VOICE", Throttle(apart_s=0, an_hour=100))
    monkeypatch.setattr(voice_ways, "ATTEMPT_S", 8.0)
    monkeypatch.setattr(voice_alert, "KEY_S", 0.4)
    monkeypatch.setattr(lost_calls, "LOOK_AGAIN_S", 0.2)
    monkeypatch.setattr(lost_calls, "GRACE", timedelta(seconds=1))
    monkeypatch.setattr(legs, "LONG_TALK_S", 0.4)


@pytest.fixture
def channels() -> int:
    """How many outbound channels there are."""
    return 30


@pytest.fixture
def url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
async def street(
    short_waits: None, url: str, redis_url: str, tmp_path: Path, sounds: Path, channels: int
) -> AsyncIterator[Street]:
    settings = settings_of(
        url, redis_url, spool_file=tmp_path / "spool", trunk_contact=TRUNK, outbound_channels=channels
    )
    async with _street(settings, sounds) as street:
        yield street


@pytest.fixture
async def street_operator_first(
    short_waits: None, url: str, redis_url: str, tmp_path: Path, sounds: Path
) -> AsyncIterator[Street]:
    """A street in which the operator is rung first when somebody is called back."""
    spool = tmp_path / "spool"
    settings = settings_of(url, redis_url, spool_file=spool, trunk_contact=TRUNK, callback_first="operator")
    async with _street(settings, sounds) as street:
        yield street


@asynccontextmanager
async def _street(settings: Settings, sounds: Path) -> AsyncIterator[Street]:
    async with fake_exchange(settings, sounds) as exchange:
        wiring = exchange.wiring
        assert isinstance(wiring, FakeWiring)

        async def plug(name: int) -> Subscriber:
            phone = FakePhone(wiring.asterisk, f"{number(name)}@{CARRIER}", "from-trunk", number(name), 0)
            await phone.registers()
            return Subscriber(name, phone, wiring._media)

        yield Street(exchange, plug)
