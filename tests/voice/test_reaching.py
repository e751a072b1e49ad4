"""Whom a wave reaches: who does not answer and why, tries again, texts that follow, and nobody after the end."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from actions.numbers import CallerKind
from telephony import fake_ari
from tests.alerting.town import somebody
from tests.conversations.exchange import FREE_NUMBER, until, whispered
from tests.voice.street import Street, Subscriber, alert, result, update

MANY = range(1, 6)


async def tried(street: Street, phone: Subscriber, times: int) -> bool:
    return len([attempt for attempt in await street.attempts(phone) if attempt.ended_at]) >= times


@pytest.mark.parametrize(
    ("how", "states", "reason"),
    [
        ("busy", ["busy"] * 3, "the line was busy"),
        ("does not answer", ["no_answer"] * 3, "nobody answered"),
        ("refuses", ["failed"], "the call was refused"),
        ("is out of reach", ["failed"] * 3, "the telephone is out of reach"),
    ],
)
async def test_who_does_not_answer_is_told_apart_and_tried_three_times_at_most(
    street: Street, how: str, states: list[str], reason: str
) -> None:
    phone = await street.person(plugged=how != "is out of reach")
    if how == "busy":
        await phone.is_engaged()
    action = await street.starts()
    if how == "refuses":
        await phone.rejects()
    await until(lambda: tried(street, phone, len(states)), "all attempts made")
    await street.becomes(phone, states[-1])
    row = next(row for row in await street.town.rows(action) if row.channel == "voice")
    assert row.reason == reason
    assert await street.texts(action) == [phone.number]
    assert await street.texts(action) == [phone.number]
    await asyncio.sleep(0.4)  # the wait between two attempts is 0.1 s here
    assert [attempt.state for attempt in await street.attempts(phone)] == states
    assert await street.exchange.calls() == []


async def test_a_busy_telephone_is_called_again_and_then_answers(street: Street) -> None:
    phone = await street.person()
    await phone.is_engaged()
    action = await street.starts()
    await until(lambda: tried(street, phone, 1), "a first attempt")
    await phone.is_free()
    await phone.answers()
    await phone.hears_the_message(action)
    await phone.presses("3")
    await street.becomes(phone, "confirmed")
    states = [attempt.state for attempt in await street.attempts(phone)]
    assert states[:-1] == ["busy"] * (len(states) - 1)
    assert states[-1] == "confirmed"


async def test_the_display_shows_the_free_number_and_calling_back_finds_the_action(street: Street) -> None:
    operator, phone = await street.exchange.operator("rotterdam-1"), await street.person()
    action = await street.starts(by="rotterdam-1")
    await phone.rings()
    assert phone.display == "+318000011"
    await phone.rejects()
    await until(lambda: tried(street, phone, 1), "the refusal known")
    await phone.dials(FREE_NUMBER)
    await operator.answers()
    await operator.hears(whispered(action))
    await phone.hangs_up()
    call = await street.call_over()
    assert (call.direction, call.action_id, call.match_how) == ("in", action.id, "number")


async def test_a_telephone_that_rings_when_the_action_ends_stops_ringing(street: Street) -> None:
    phone = await street.person()
    action = await street.starts()
    await phone.rings()
    await street.ends(action)
    await phone.is_hung_up()
    await street.becomes(phone, "no_answer")
    assert len(await street.town.attempts(phone.person)) >= 1
    assert await street.texts(action) == []
    await phone.answers()
    await phone.hears_all(*result(action))
    await street.call("told, no key")


async def test_who_listens_when_the_action_ends_hears_so_and_then_the_result(street: Street) -> None:
    phone = await street.person()
    action = await street.starts()
    await phone.answers()
    await phone.hears_all(alert(action)[0])
    await street.ends(action)
    await phone.hears("already-over")
    await phone.is_hung_up()
    await street.call("the action ended meanwhile")
    await street.becomes(phone, "answered")
    await phone.answers()
    await phone.hears_all(*result(action))
    await phone.is_hung_up()
    assert await street.texts(action) == []


async def test_who_presses_1_just_after_the_end_hears_that_it_is_over(street: Street) -> None:
    phone = await street.person()
    action = await street.starts()
    await phone.answers()
    await phone.hears_the_message(action)
    await street.ends(action)
    await phone.presses("1")
    await phone.hears("already-over")
    await phone.is_hung_up()


async def test_a_talk_goes_on_when_the_action_ends(street: Street) -> None:
    operator, phone = await street.exchange.operator("rotterdam-1"), await street.person()
    action = await street.starts()
    await phone.answers()
    await phone.presses("1")
    await operator.answers()
    await operator.hears(whispered(action))
    await phone.says(620)
    await operator.talks_with(phone)
    await street.ends(action)
    await street.exchange.wiring.passes(20)
    await operator.talks_with(phone)
    await operator.hangs_up()
    await phone.hears("operator-left")
    await street.call("operator hung up")


async def test_update_and_result_go_by_the_channel_that_alerted(street: Street) -> None:
    """Also to who did not answer; not to who said 9; by text alone to whom a text had to follow."""
    confirmed, absent, tired = [await street.person(name) for name in (1, 2, 3)]
    action = await street.starts()
    await asyncio.gather(*(phone.answers() for phone in (confirmed, tired)))
    await confirmed.presses("2")
    await tired.presses("9")
    await asyncio.gather(confirmed.is_hung_up(30), tired.is_hung_up(30))
    await until(lambda: tried(street, absent, 1), "nobody came to the telephone")
    await street.updates(action)
    told = {row.to: row.channel for row in await street.town.rows(action, "update")}
    assert told == {confirmed.number: "voice", absent.number: "voice"}
    await confirmed.answers()
    await confirmed.hears_all(*update(action))
    await confirmed.presses("2")
    await street.ends(action)
    rows = {row.to: row.channel for row in await street.town.rows(action, "result")}
    assert rows == {confirmed.number: "voice", absent.number: "voice"}


async def test_who_signed_off_by_stop_gets_no_update_and_no_result(street: Street) -> None:
    phone = await street.person()
    action = await street.starts()
    await phone.answers()
    await phone.presses("2")
    await phone.is_hung_up(30)
    await street.town.opts_out(phone.person)
    await street.updates(action)
    await street.ends(action)
    assert await street.town.rows(action, "update") == []
    assert await street.town.rows(action, "result") == []


async def test_an_update_stops_the_ringing_for_what_it_replaces_only_in_the_queue(street: Street) -> None:
    """A busy one is not called again with the old description, but with the new one."""
    phone = await street.person()
    await phone.is_engaged()
    action = await street.starts()
    await until(lambda: tried(street, phone, 1), "a first attempt")
    await street.updates(action)
    await phone.is_free()
    await phone.answers()
    await phone.hears_all(*update(action))


class TestOneChannel:
    @pytest.fixture
    def channels(self) -> int:
        return 1

    async def test_a_full_trunk_waits_and_goes_on(self, street: Street) -> None:
        phones = [await street.person(name) for name in MANY]
        await street.starts()
        left = list(phones)
        while left:
            ringing = [phone for phone in left if phone.rang]
            assert len(ringing) <= 1
            if ringing:
                await ringing[0].picks_up()
                left.remove(ringing[0])
                assert not any(phone.rang for phone in left)
                await ringing[0].hangs_up()
            await asyncio.sleep(0.01)
        for phone in phones:
            await street.becomes(phone, "machine")
            assert len(await street.attempts(phone)) == 1


@pytest.mark.parametrize("number", ["+31900123456", "+32475123456", "+31676123456"])
async def test_a_number_outside_the_ranges_is_never_rung(street: Street, number: str) -> None:
    stranger = replace(somebody(7, channels=("voice",)), e164=number, kind=CallerKind.MOBILE)
    await street.town.has(stranger)
    action = await street.starts()

    async def refused() -> bool:
        (row,) = [row for row in await street.town.rows(action) if row.channel == "voice"]
        return row.state == "failed" and "BURGERNET_ALLOWED_PREFIXES" in (row.reason or "")

    await until(refused, "the number refused")
    assert await street.exchange.controller.ari.listing("channels") == []


async def test_while_asterisk_is_away_nobody_loses_an_attempt(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fake_ari, "ANSWER_S", 0.1)
    phone = await street.person()
    async with street.exchange.asterisk_unreachable():
        await street.starts()
        await until(lambda: _claimed(street, phone), "the alert taken from the queue")
        await asyncio.sleep(0.5)  # several times what a request waits for Asterisk
        assert await _claimed(street, phone)
    await phone.answers()
    await phone.presses("2")
    await street.becomes(phone, "confirmed")
    assert [attempt.state for attempt in await street.attempts(phone)] == ["confirmed"]


async def _claimed(street: Street, phone: Subscriber) -> bool:
    return await street.state(phone) == "sending"
