"""The roles as they are composed: an alert that our own exchange cannot place goes by Twilio, and key 1 comes back."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from sqlmodel import col, select

from actions.geography import to_rd
from actions.live import wake
from actions.models import Attempt, Call, Delivery, DeliveryState
from actions.numbers import CallerKind
from actions.register import Entry
from actions.tips import Tips
from alerting.audience import write_next
from alerting.bell import DELIVERIES
from burgernet.embedded import free_port
from burgernet.web_role import web_role
from stand_ins.twilio_voice import Callee, TwilioVoice
from tests.conversations.exchange import FREE_NUMBER, ME, PLACES, Exchange, settings_of, until, whispered
from tests.conversations.pretend import fake_exchange
from tests.texts.wave import number
from tests.twilio_voice.conftest import ACCOUNT
from tests.twilio_voice.round import CALLER_ID, NL, SIP

TRUNK = "sip:127.0.0.9:5060"


@pytest.fixture
async def lines() -> AsyncIterator[TwilioVoice]:
    async with TwilioVoice(ACCOUNT, secrets.token_hex(16)) as stand_in:
        yield stand_in


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return found


@asynccontextmanager
async def composed(lines: TwilioVoice, url: str, redis_url: str, folder: Path, **more: Any) -> AsyncIterator[Exchange]:
    """The telephony role on Asterisk in memory, and the web role for Twilio."""
    bind = f"127.0.0.1:{free_port()}"
    settings = settings_of(
        url,
        redis_url,
        spool_file=folder / "spool",
        trunk_contact=TRUNK,
        web_bind=bind,
        public_url=f"http://{bind}",
        twilio_account_sid=lines.account_sid,
        twilio_auth_token=lines.auth_token,
        twilio_api_url=lines.url,
        twilio_caller_id=CALLER_ID,
        sip_public=SIP,
        **more,
    )
    async with fake_exchange(settings, folder) as exchange:
        ready = asyncio.Event()
        web = asyncio.create_task(web_role(exchange.base, lambda _: None, ready))
        try:
            async with asyncio.timeout(10):
                await ready.wait()
            yield exchange
        finally:
            web.cancel()
            await asyncio.gather(web, return_exceptions=True)


async def alerts(exchange: Exchange, people: int = 1) -> str:
    """An action in Rotterdam starts among so many people; its code."""
    x, y = to_rd(*PLACES["rotterdam"])
    entries = [
        Entry("nl", "3011", x + place, y, number(place), CallerKind.MOBILE, frozenset({"voice"}))
        for place in range(people)
    ]
    await exchange.base.register.add(entries, ME)
    action = await exchange.action("rotterdam")
    while await write_next(exchange.base.store, exchange.base.redis):
        pass
    await wake(exchange.base.redis, DELIVERIES)
    return action.code


async def states(exchange: Exchange) -> list[str]:
    async with exchange.base.store.reading() as session:
        return list(await session.exec(select(Delivery.state).order_by(col(Delivery.id))))


async def providers(exchange: Exchange) -> set[str]:
    async with exchange.base.store.reading() as session:
        return set(await session.exec(select(Attempt.provider)))


async def test_with_the_trunk_full_key_1_in_the_call_by_twilio_ends_at_the_operator_of_the_action(
    lines: TwilioVoice, url: str, redis_url: str, redis: Redis, tmp_path: Path
) -> None:
    lines.usual_callee = Callee(keys=["1"])
    async with composed(lines, url, redis_url, tmp_path, outbound_channels=0) as exchange:
        operator = await exchange.operator("rotterdam-1")
        code = await alerts(exchange)

        async def dialled() -> bool:
            return bool(lines.calls and lines.calls[0].dialled)

        await until(dialled, "key 1 dials our exchange")
        ((address, shown),) = lines.calls[0].dialled
        assert address == SIP
        caller = await exchange.caller(shown)
        await caller.dials(FREE_NUMBER)
        await operator.answers()
        action = exchange.board.actions.by_code(code)
        assert action
        await operator.hears(whispered(action))
        await operator.talks_with(caller)
        await caller.hangs_up()
        await operator.is_hung_up()
        assert await states(exchange) == [DeliveryState.CONFIRMED]
        assert await providers(exchange) == {"twilio"}
        async with exchange.base.store.reading() as session:
            inbound = (await session.exec(select(Call).where(Call.direction == "in"))).one()
        assert (inbound.match_how, inbound.room_id) == ("number", "rotterdam")
        await lines.settled()


async def test_with_asterisk_away_alerts_go_by_twilio_and_a_tip_is_fetched(
    lines: TwilioVoice, url: str, redis_url: str, redis: Redis, tmp_path: Path
) -> None:
    lines.usual_callee = Callee(keys=["3"])
    async with composed(lines, url, redis_url, tmp_path) as exchange:
        async with exchange.asterisk_unreachable():
            code = await alerts(exchange)

            async def confirmed() -> bool:
                return await states(exchange) == [DeliveryState.CONFIRMED]

            await until(confirmed, "confirmed by Twilio")
            tips = Tips(exchange.base.store, exchange.base.vaults.police)

            async def fetched() -> bool:
                return any(tip.has_sound for tip in await tips.of_action(code, ME)) and not lines.recordings

            await until(fetched, "the recording fetched")
        await lines.settled()


async def test_with_the_trunk_down_the_rest_of_the_wave_goes_by_twilio(
    lines: TwilioVoice, url: str, redis_url: str, redis: Redis, tmp_path: Path
) -> None:
    async with composed(lines, url, redis_url, tmp_path, outbound_channels=20) as exchange:
        # Nobody is at the other end of the trunk: whatever goes into it cannot be put through.
        await alerts(exchange, people=30)

        async def tried() -> bool:
            found = await states(exchange)
            return DeliveryState.PENDING not in found and found.count(DeliveryState.ANSWERED) == len(lines.calls) >= 20

        await until(tried, "everybody tried, and whoever was called by Twilio has answered")
        await lines.settled()
        assert await providers(exchange) == {"asterisk", "twilio"}


async def test_when_the_action_ends_the_telephones_that_ring_by_twilio_stop(
    lines: TwilioVoice, url: str, redis_url: str, redis: Redis, tmp_path: Path
) -> None:
    lines.picks_up.clear()
    async with composed(lines, url, redis_url, tmp_path, outbound_channels=0) as exchange:
        code = await alerts(exchange, people=3)

        async def ring() -> bool:
            return [call.row["status"] for call in lines.calls] == ["ringing"] * 3

        await until(ring, "three telephones ring")
        await exchange.base.desk.end_action(code, "none", {"nl": ("Klaar", "De actie is voorbij.")}, ME)
        await wake(exchange.base.redis, DELIVERIES)

        async def stopped() -> bool:
            return {call.row["status"] for call in lines.calls[:3]} == {"canceled"}

        await until(stopped, "they stop")
        lines.picks_up.set()
        assert not any(NL["alert-keys"] in call.words() for call in lines.calls)
        await lines.settled()
