"""What somebody who is called hears, and what each answer does."""

from __future__ import annotations

import pytest

from actions.call_book import SOUND
from actions.vault import Sealed
from telephony.given_sound import fit_for_telephone
from telephony.speech import NoVoice, Sound
from tests.conversations.exchange import FREE_NUMBER, Music, until, whispered
from tests.rules.test_given_sound import tone
from tests.voice.street import TITLE, WORDS, Street, Subscriber, alert, in_short

DUTCH = {"nl": WORDS["nl"]}


async def _is(street: Street, phone: Subscriber, state: str) -> bool:
    return await street.state(phone) == state


async def test_key_1_leads_to_the_room_on_the_same_call(street: Street) -> None:
    operator, phone = await street.exchange.operator("rotterdam-1"), await street.person()
    action = await street.starts(by="rotterdam-1")
    await phone.answers()
    await phone.hears_the_message(action)
    await phone.presses("1")
    await phone.hears("connecting")
    await operator.answers()
    await operator.hears(whispered(action))
    await phone.says(620)
    await operator.talks_with(phone)
    await phone.hangs_up()
    await operator.is_hung_up()
    call = await street.call("caller hung up: talking")
    assert (call.direction, call.match_how, call.action_id) == ("out", "alert", action.id)
    assert (call.room_id, call.operator_id) == ("rotterdam", "rotterdam-1")
    assert call.waiting_at
    await street.becomes(phone, "confirmed")
    assert await street.texts(action) == []


async def test_key_1_waits_in_the_same_line_as_who_calls_the_free_number(street: Street) -> None:
    operator, phone = await street.exchange.operator("rotterdam-1"), await street.person()
    action = await street.starts(by="rotterdam-1")
    caller = await street.exchange.caller("+31688888888")
    await caller.dials(FREE_NUMBER)
    await caller.hears("ask-code")
    await caller.presses(action.code)
    await operator.answers()
    await operator.talks_with(caller)
    await phone.answers()
    await phone.presses("1")
    await phone.hears(Music())
    assert await street.base.redis.zcard("burgernet:line:rotterdam") == 1
    await caller.hangs_up()
    await operator.answers()
    await operator.hears(whispered(action))


async def test_key_1_with_nobody_on_duty_leads_to_a_tip(street: Street) -> None:
    phone = await street.person()
    await street.starts()
    await phone.answers()
    await phone.presses("1")
    await phone.hears("leave-tip")


async def test_key_2_tells_it_again_but_not_for_ever(street: Street) -> None:
    phone = await street.person()
    action = await street.starts()
    await phone.answers()
    for _ in range(4):
        await phone.hears_the_message(action)
        await phone.presses("2")
    await phone.is_hung_up()
    await street.call("told")
    await street.becomes(phone, "confirmed")


async def test_key_3_keeps_a_tip_sealed(street: Street) -> None:
    phone = await street.person()
    action = await street.starts()
    await phone.answers()
    await phone.hears_the_message(action)
    await phone.says(620)
    await phone.presses("3")
    await phone.hears("tip-after-alert")
    await street.exchange.wiring.passes(6)
    await phone.presses("#")
    await phone.hears("tip-thanks")
    call = await street.call("tip left")
    ((tip, recording),) = await street.exchange.tips()
    assert (tip.action_id, tip.call_id, recording.call_id) == (action.id, call.id, call.id)
    assert b"RIFF" not in recording.sealed
    opened = street.base.vaults.police.open(Sealed(recording.sealed, recording.key_version), SOUND)
    assert opened.startswith(b"RIFF")
    await street.becomes(phone, "confirmed")


async def test_key_3_without_a_word_says_that_nothing_was_heard(street: Street) -> None:
    phone = await street.person()
    await street.starts()
    await phone.answers()
    await phone.presses("3")
    await phone.hears("tip-empty")
    await street.call("no tip left")
    assert await street.exchange.tips() == []


@pytest.mark.parametrize("then", ["", "1"], ids=["nothing", "another key"])
async def test_key_9_ends_the_action_for_this_telephone_alone(street: Street, then: str) -> None:
    phone, other = await street.person(1), await street.person(2)
    action = await street.starts()
    await other.answers()
    await other.presses("2")
    await phone.answers()
    await phone.hears_the_message(action)
    await phone.presses("9")
    await phone.hears("withdrawn")
    if then:
        await phone.presses(then)
    await phone.is_hung_up()
    await other.hangs_up()
    assert not await street.opted_out(phone)
    await street.becomes(phone, "confirmed")
    await street.ends(action)
    assert [row.to for row in await street.town.rows(action, "result")] == [other.number]


async def test_a_second_9_signs_off_for_good(street: Street) -> None:
    phone = await street.person()
    action = await street.starts()
    await phone.answers()
    await phone.hears_the_message(action)
    await phone.presses("9")
    await phone.hears("withdrawn")
    await phone.presses("9")
    await phone.hears("signed-off-for-good")
    await street.call("signed off")
    assert await street.opted_out(phone)
    await street.ends(action)
    assert await street.town.rows(action, "result") == []


async def test_a_withdrawal_that_cannot_be_written_is_not_promised(street: Street) -> None:
    phone = await street.person()
    action = await street.starts()
    await phone.answers()
    await phone.hears_the_message(action)
    with street.exchange.database("away"):
        await phone.presses("9")
        await phone.hears("not-now")
        await phone.is_hung_up()
    assert not await street.opted_out(phone)


async def test_star_tells_it_in_the_other_language_and_back(street: Street) -> None:
    phone = await street.person()
    action = await street.starts()
    await phone.answers()
    for language in ("nl", "en", "nl"):
        await phone.hears_the_message(action, language)
        await phone.presses("*")


async def test_a_message_without_the_other_language_keeps_its_own(street: Street) -> None:
    phone = await street.person(language="en")
    action = await street.starts(DUTCH)
    await phone.answers()
    await phone.hears_the_message(action)
    await phone.presses("*")
    await phone.hears_all(*alert(action))
    await phone.hears("alert-keys", "en")


async def test_a_wrong_key_is_said_and_the_next_one_counts(street: Street) -> None:
    phone = await street.person()
    action = await street.starts()
    await phone.answers()
    await phone.hears_the_message(action)
    await phone.presses("5")
    await phone.hears("wrong-key")
    await phone.hears_the_message(action)
    await phone.presses("9")
    await phone.hears("withdrawn")


@pytest.mark.parametrize(
    ("keys", "heard"),
    [
        ("12", "connecting"),
        ("21", "connecting"),
        ("31", "tip-after-alert"),
        ("99", "signed-off-for-good"),
        ("91", "withdrawn"),
        ("55", "wrong-key"),
        ("##", "wrong-key"),
        ("*1", "connecting"),
    ],
)
async def test_two_keys_at_once_count_in_their_order(street: Street, keys: str, heard: str) -> None:
    await street.exchange.operator("rotterdam-1")
    phone = await street.person()
    action = await street.starts()
    await phone.answers()
    await phone.hears_the_message(action)
    await phone.presses(keys)
    await phone.hears(heard, "en" if "*" in keys else "nl")


async def test_a_key_before_the_first_word_counts(street: Street) -> None:
    await street.exchange.operator("rotterdam-1")
    phone = await street.person()
    await street.starts()
    await phone.answers()
    await phone.presses("1")
    await phone.hears("connecting")
    await street.becomes(phone, "confirmed")


@pytest.mark.parametrize("sentence", range(5))
async def test_a_key_interrupts_the_message_anywhere(street: Street, sentence: int) -> None:
    phone = await street.person()
    action = await street.starts()
    await phone.answers()
    await phone.hears_all(*alert(action)[: sentence + 1])
    await phone.presses("3")
    await phone.hears("tip-after-alert")


async def test_who_pressed_a_key_is_no_machine_however_long_somebody_talks_in_the_room(street: Street) -> None:
    phone = await street.person()
    action = await street.starts()
    await phone.answers()
    await phone.hears_the_message(action)
    await phone.presses("2")
    await phone.says(900, 60)
    await phone.hears_the_message(action)
    await phone.is_hung_up()
    await street.becomes(phone, "confirmed")


async def test_who_pressed_a_key_and_hangs_up_while_it_is_told_again_has_confirmed(street: Street) -> None:
    phone = await street.person()
    action = await street.starts()
    await phone.answers()
    await phone.hears_the_message(action)
    await phone.presses("2")
    await phone.hears_all(alert(action)[0])
    await phone.hangs_up()
    await street.becomes(phone, "confirmed")
    assert await street.texts(action) == []


async def test_no_key_of_somebody_who_spoke_is_answered_and_a_text_follows(street: Street) -> None:
    phone = await street.person()
    action = await street.starts()
    await phone.answers()
    await phone.hears_all(alert(action)[0])
    await phone.says(620, 0.6)
    await phone.hears("alert-keys")
    await phone.is_hung_up()
    await street.call("told, no key")
    assert await street.state(phone) == "answered"
    assert await street.texts(action) == [phone.number]


async def test_silence_counts_as_a_machine_and_a_text_follows(street: Street) -> None:
    phone = await street.person()
    action = await street.starts()
    await phone.answers()
    await phone.is_hung_up()
    await street.call("told, no key")
    assert await street.state(phone) == "machine"
    assert await street.texts(action) == [phone.number]


async def test_a_long_greeting_counts_as_a_machine_which_gets_the_short_message_after_it(street: Street) -> None:
    phone = await street.person()
    action = await street.starts()
    await phone.answers()
    await phone.hears_all(alert(action)[0])
    await phone.says(900, 40)
    await street.becomes(phone, "machine")
    await phone.hears_all(in_short(action, street.base.settings.free_number_read))
    await phone.is_hung_up()
    await street.call("told a machine")
    assert await street.texts(action) == [phone.number]


async def test_a_key_of_somebody_behind_a_long_greeting_is_too_late_but_harmless(street: Street) -> None:
    phone = await street.person()
    action = await street.starts()
    await phone.answers()
    await phone.hears_all(alert(action)[0])
    await phone.says(900, 40)
    await street.becomes(phone, "machine")
    await phone.presses("1")
    await phone.is_hung_up()
    await street.call("told a machine")


async def test_the_operators_own_recording_is_heard_instead_of_the_text(street: Street) -> None:
    phone, english = await street.person(1), await street.person(2, language="en")
    own = fit_for_telephone(tone(rate=16000), 120)
    action = await street.starts(sounds={"nl": own})
    await phone.answers()
    opening, *_, closing = alert(action)
    await phone.hears_all(opening)
    await phone.hears(Sound(own))
    await phone.hears_all(closing)
    await phone.hears("alert-keys")
    await english.answers()
    await english.hears_the_message(action, "en")
    await phone.presses("*")
    await phone.hears_the_message(action, "en")


@pytest.mark.parametrize("how", ["away", "stuck"])
async def test_with_the_database_away_the_text_alone_is_told(street: Street, how: str) -> None:
    phone = await street.person()
    action = await street.starts(sounds={"nl": fit_for_telephone(tone(), 120)})
    await phone.rings()
    await until(lambda: _is(street, phone, "sending"), "the attempt known")
    with street.exchange.database(how):
        await phone.picks_up()
        await phone.hears_the_message(action)
        await phone.hangs_up()


@pytest.mark.parametrize(
    "body",
    [
        "Kijk uit 🚓🔥 naar 👧🏽 Noor!",
        "🙂🙂🙂 !!! 🙂.",
        "شوهدت سيارة زرقاء. اتصل بنا!",
        "רכב כחול נראה כאן. התקשרו!",
        "0123456789" * 100,
        "cm " * 300,
        "x" * 1000,
        "a. " * 300,
        "Regel een\n\n\nregel twee",
    ],
    ids=["emoji", "nothing to say", "arabic", "hebrew", "digits", "abbreviations", "no spaces", "dots", "lines"],
)
async def test_a_text_of_any_signs_is_told_without_failure(street: Street, body: str) -> None:
    phone = await street.person()
    action = await street.starts({"nl": (TITLE, body)})
    await phone.answers()
    opening, title, *_, closing = alert(action)
    await phone.hears_all(opening, title, closing)
    await phone.hears("alert-keys", bound_s=30)
    await phone.presses("2")


async def test_when_the_voice_fails_the_call_ends_and_a_text_follows(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def mute(*_: object) -> str:
        raise NoVoice("espeak-ng is missing")

    phone = await street.person()
    action = await street.starts()
    await phone.rings()
    monkeypatch.setattr(street.exchange.controller, "wording", mute)
    await phone.picks_up()
    await phone.is_hung_up()
    await street.becomes(phone, "failed")
    assert await street.texts(action) == [phone.number]
    assert len(await street.attempts(phone)) == 1
    await street.exchange.is_quiet()
