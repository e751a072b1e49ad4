"""Voice alerts through a real trunk: what the memory's Asterisk only says, sounds here."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from actions import call_backs as rows
from actions.models import DeliveryState
from alerting import bell, pacing
from alerting.channels import voice
from alerting.throttle import Throttle
from burgernet import lost_calls, voice_ways
from ivr_flows import voice_alert
from ivr_flows.catalogue import said_in
from telephony.given_sound import fit_for_telephone
from telephony.handset import PhoneBox, phone_box
from telephony.speech import Sound
from tests.conversations.exchange import FREE_NUMBER, until, whispered
from tests.rules.test_given_sound import tone
from tests.voice.real_street import Country, country_with_a_network, real_street
from tests.voice.street import Street, Subscriber, alert, in_short, result

pytestmark = pytest.mark.asyncio(loop_scope="session")

PEOPLE = range(1, 4)
SOON = (1.0, 1.0)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def network(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Country]:
    file = shutil.copyfile(sqlite_template, tmp_path_factory.mktemp("node") / "country.db")
    async with country_with_a_network(f"sqlite+aiosqlite:///{file}", PEOPLE) as country:
        yield country


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def box() -> AsyncIterator[PhoneBox]:
    async with phone_box() as phones:
        yield phones


@pytest_asyncio.fixture(loop_scope="session")
async def street(
    network: Country,
    box: PhoneBox,
    sqlite_url: str,
    redis_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Street]:
    monkeypatch.setattr(bell, "POLL_S", 0.1)
    monkeypatch.setattr(pacing, "WAITS_S", SOON)
    monkeypatch.setattr(pacing, "WAITS_AFTER", dict.fromkeys((DeliveryState.BUSY, DeliveryState.NO_ANSWER), SOON))
    monkeypatch.setattr(voice, "RING_S", 4.0)
    monkeypatch.setattr(voice_ways, "VOICE", Throttle(apart_s=0, an_hour=100))
    monkeypatch.setattr(voice_ways, "ATTEMPT_S", 14.0)
    monkeypatch.setattr(voice_alert, "KEY_S", 2.0)
    monkeypatch.setattr(lost_calls, "LOOK_AGAIN_S", 0.5)
    async with real_street(network, box, sqlite_url, redis_url, tmp_path / "spool") as street:
        yield street


async def test_the_recording_sounds_and_key_1_leads_to_the_room(street: Street) -> None:
    operator, phone = await street.exchange.operator("rotterdam-1"), await street.person()
    own = fit_for_telephone(tone(rate=44100, channels=2, seconds=2.0), 120)
    action = await street.starts(sounds={"nl": own}, by="rotterdam-1")
    await phone.answers()
    opening, *_, closing = alert(action)
    await phone.hears_all(opening)
    await phone.hears(Sound(own))
    await phone.hears_all(closing)
    await phone.presses("1")
    await operator.answers()
    await operator.hears(whispered(action))
    await phone.says(620)
    await operator.talks_with(phone)
    await phone.hangs_up()
    await street.call("caller hung up: talking")
    await street.becomes(phone, "confirmed")


async def test_a_busy_one_is_called_again_and_leaves_a_tip(street: Street) -> None:
    phone = await street.person()
    await phone.is_engaged()
    action = await street.starts()

    async def tried() -> bool:
        return any(attempt.state == "busy" for attempt in await street.attempts(phone))

    await until(tried, "the busy tone heard")
    await phone.is_free()
    await phone.answers()
    await phone.hears_the_message(action)
    await phone.presses("3")
    await phone.hears("tip-after-alert")
    await asyncio.sleep(1)  # the beep
    await phone.says(800, 3)
    await asyncio.sleep(3)
    await phone.presses("#")
    await phone.hears("tip-thanks")
    await street.call("tip left")
    ((tip, recording),) = await street.exchange.tips()
    assert tip.action_id == action.id
    assert 2 < recording.seconds < 4


async def test_who_does_not_answer_is_told_apart(street: Street) -> None:
    refuses, absent = await street.person(1), await street.person(2)
    away = await street.person(3, plugged=False)
    await street.starts()
    await refuses.rejects()
    await street.becomes(refuses, "failed")

    async def known() -> bool:
        first = [(await street.attempts(phone))[0] for phone in (absent, away)]
        return all(attempt.ended_at for attempt in first)

    await until(known, "every first attempt known")
    reasons = [(await street.attempts(phone))[0].error for phone in (refuses, absent, away)]
    assert reasons == ["the call was refused", "nobody answered", "the telephone is out of reach"]
    assert len(await street.attempts(refuses)) == 1


async def test_a_machine_hears_the_short_message_after_its_greeting(street: Street) -> None:
    phone = await street.person()
    action = await street.starts()
    await phone.answers()
    await phone.says(900, 5)
    await phone.hears_all(in_short(action, street.base.settings.free_number_read))
    await street.call("told a machine")
    await street.becomes(phone, "machine")
    assert await street.texts(action) == [phone.number]


async def test_the_end_stops_the_ringing_and_the_result_is_told(street: Street) -> None:
    phone = await street.person()
    action = await street.starts()
    shown = str(await phone.rings())
    assert shown.lstrip("+") in ("318000011", "08000011")
    await street.ends(action)
    await phone.is_hung_up()
    await street.becomes(phone, "no_answer")
    await phone.answers()
    await phone.hears_all(*result(action)[:2])


async def test_who_calls_the_shown_number_back_speaks_about_this_action(street: Street) -> None:
    operator, phone = await street.exchange.operator("rotterdam-1"), await street.person()
    action = await street.starts(by="rotterdam-1")
    await phone.rejects()
    await street.becomes(phone, "failed")
    await phone.dials(FREE_NUMBER)
    await operator.answers()
    await operator.hears(whispered(action))


@pytest.mark.parametrize("heard", [0, 2, 5])
async def test_a_hang_up_in_the_message_leaves_nothing_behind(street: Street, heard: int) -> None:
    phone = await street.person()
    action = await street.starts()
    await phone.answers()
    await phone.hears_all(*alert(action)[:heard])
    await phone.hangs_up()
    assert (await street.call_over()).ended_how == "caller hung up: alert"
    await street.exchange.is_quiet()


async def test_who_was_told_when_the_controller_ended_is_not_called_again_but_gets_a_text(street: Street) -> None:
    phone = await street.person()
    action = await street.starts()
    await phone.answers()
    await phone.hears_all(alert(action)[0])
    await street.exchange.stops()
    await street.exchange.starts()
    await phone.is_hung_up()
    await street.call("broken off")
    assert await street.texts(action) == [phone.number]
    assert len(await street.attempts(phone)) == 1


async def test_a_caller_keeps_the_place_and_is_called_back_through_the_trunk(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "FIRST_AFTER", timedelta(seconds=1))
    action = await street.exchange.action("rotterdam")
    operator = await street.exchange.operator("rotterdam-1")
    first, caller = await street.person(1), await street.person(2)
    for phone in (first, caller):
        await street.exchange.alerted(phone.number, action)
    await first.dials(FREE_NUMBER)
    await operator.answers()
    await operator.hears_tone(await _says(first))
    await caller.dials(FREE_NUMBER)
    await caller.hears("line-menu-keep", bound_s=30)
    await caller.presses("1")
    await caller.hears("call-back-promised")
    await caller.is_hung_up()

    await first.hangs_up()
    await caller.answers(bound_s=30)
    await caller.hears("call-back")
    await caller.presses("1")
    await operator.answers(bound_s=30)
    await operator.hears(said_in("nl", "calls-back"))
    await operator.hears_tone(await _says(caller))


async def _says(phone: Subscriber) -> int:
    await phone.says(1130)
    return 1130
