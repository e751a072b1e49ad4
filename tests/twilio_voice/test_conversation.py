"""What is heard in a voice alert by Twilio, and what each key does: as in a call through our own exchange."""

from __future__ import annotations

import pytest

from actions.desk import NewAction
from actions.models import DeliveryState, MessageKind
from stand_ins.twilio_voice import Callee
from tests.texts.wave import GOLF, KILOMETRE, WHY, number, until
from tests.twilio_voice.round import EN, NL, SIP, Round, wav

BOTH = {**GOLF, "en": ("the blue Golf", "Blue Golf, seen on the Coolsingel.")}
SEEN = "Blauwe Golf, gezien op de Coolsingel."


async def test_who_answers_hears_the_message_and_what_can_be_answered(calls: Round) -> None:
    call = await calls.calls_one(Callee())
    said = [words for _, words in call.heard]
    assert said[:3] == ["Burgernet.", "de blauwe Golf.", SEEN]
    assert said[-1] == NL["alert-keys"]
    assert {language for language, _ in call.heard} == {"nl-NL"}
    assert call.fetched == [200, 200]


async def test_without_a_key_the_call_was_answered_and_not_confirmed(calls: Round) -> None:
    await calls.calls_one(Callee())
    assert await calls.state() == DeliveryState.ANSWERED
    assert (await calls.call_row()).ended_how == "told, no key"


async def test_the_message_is_told_in_the_language_of_the_participant(calls: Round) -> None:
    await calls.lives(number(0), language="en")
    await calls.desk.start_action(NewAction("look_out", "rotterdam", KILOMETRE, BOTH), WHY)
    await calls.audience()
    await calls.sends()
    (call,) = calls.lines.calls
    assert ("en-GB", "Blue Golf, seen on the Coolsingel.") in call.heard
    assert call.heard[-1] == ("en-GB", EN["alert-keys"])


async def test_star_goes_on_in_the_other_language(calls: Round) -> None:
    calls.lines.usual_callee = Callee(keys=["*"])
    await calls.lives(number(0))
    await calls.desk.start_action(NewAction("look_out", "rotterdam", KILOMETRE, BOTH), WHY)
    await calls.audience()
    await calls.sends()
    (call,) = calls.lines.calls
    assert call.heard[-1] == ("en-GB", EN["alert-keys"])
    assert ("en-GB", "Blue Golf, seen on the Coolsingel.") in call.heard


async def test_a_message_without_text_in_the_other_language_keeps_its_own_voice(calls: Round) -> None:
    call = await calls.calls_one(Callee(keys=["*"]))
    assert call.heard[-1] == ("en-GB", EN["alert-keys"])
    assert call.heard.count(("nl-NL", SEEN)) == 2


async def test_the_operators_own_recording_is_played_instead_of_the_text(calls: Round) -> None:
    spoken = wav(2)
    calls.lines.usual_callee = Callee(keys=["*"])
    await calls.lives(number(0))
    new = NewAction("look_out", "rotterdam", KILOMETRE, BOTH, sounds={"nl": spoken})
    await calls.desk.start_action(new, WHY)
    await calls.audience()
    await calls.sends()
    (call,) = calls.lines.calls
    assert call.played == [spoken]
    assert ("nl-NL", SEEN) not in call.heard
    assert ("en-GB", "Blue Golf, seen on the Coolsingel.") in call.heard


async def test_key_2_tells_it_again(calls: Round) -> None:
    call = await calls.calls_one(Callee(keys=["2"]))
    assert [words for _, words in call.heard].count(SEEN) == 2
    assert await calls.state() == DeliveryState.CONFIRMED


async def test_a_key_that_means_nothing_is_said_so_and_the_message_told_again(calls: Round) -> None:
    call = await calls.calls_one(Callee(keys=["7"]))
    said = [words for _, words in call.heard]
    assert said.count(SEEN) == 2
    assert NL["wrong-key"] in said
    assert await calls.state() == DeliveryState.CONFIRMED


async def test_who_presses_2_for_ever_hears_it_four_times(calls: Round) -> None:
    call = await calls.calls_one(Callee(keys=["2"] * 30))
    assert [words for _, words in call.heard].count(SEEN) == 4
    assert (await calls.call_row()).ended_how == "told"


# --- 1: the room -----------------------------------------------------------------------------------------------------


async def test_key_1_calls_the_free_number_at_our_exchange_which_sees_who_calls(calls: Round) -> None:
    call = await calls.calls_one(Callee(keys=["1"]))
    assert call.dialled == [(SIP, number(0))]
    assert call.heard[-1][1] == NL["connecting"]
    assert await calls.state() == DeliveryState.CONFIRMED
    row = await calls.call_row()
    assert (row.match_how, row.ended_how, row.direction) == ("alert", "was connected", "out")


@pytest.mark.parametrize("room", ["busy", "no-answer", "failed", "canceled"])
async def test_when_our_exchange_cannot_be_reached_a_tip_can_be_left(calls: Round, room: str) -> None:
    call = await calls.calls_one(Callee(keys=["1"], room=room))
    assert [NL["leave-tip"], NL["tip-thanks"]] == [words for _, words in call.heard][-2:]


# --- 3: a tip --------------------------------------------------------------------------------------------------------


async def test_key_3_records_a_tip_which_is_fetched_sealed_and_taken_away_from_twilio(calls: Round) -> None:
    call = await calls.calls_one(Callee(keys=["3"], says_s=4))
    assert [NL["tip-after-alert"], NL["tip-thanks"]] == [words for _, words in call.heard][-2:]
    assert [tip.said for tip in await calls.told()] == ["seen it earlier"]
    ((_, sound),) = calls.lines.recordings.values()
    await calls.left_tips.step()
    assert {(tip.said, tip.source) for tip in await calls.told()} == {
        ("seen it earlier", "key"),
        ("recording of 4 s", "call"),
    }
    (tip,) = [tip for tip in await calls.told() if tip.has_sound]
    assert await calls.tips.sound(tip.id, WHY) == sound
    assert calls.lines.recordings == {}


async def test_a_tip_broken_off_by_a_hang_up_is_kept_too(calls: Round) -> None:
    await calls.calls_one(Callee(keys=["3"], breaks_off=True))
    await calls.left_tips.step()
    assert sum(tip.has_sound for tip in await calls.told()) == 1


async def test_a_tip_is_fetched_once(calls: Round) -> None:
    await calls.calls_one(Callee(keys=["3"]))
    for _ in range(3):
        await calls.left_tips.step()
    assert sum(tip.has_sound for tip in await calls.told()) == 1


async def test_who_says_nothing_after_3_is_told_so_and_still_counts_as_having_seen_it(calls: Round) -> None:
    call = await calls.calls_one(Callee(keys=["3"], says_s=0))
    assert call.heard[-1][1] == NL["tip-empty"]
    await calls.left_tips.step()
    assert [tip.said for tip in await calls.told()] == ["seen it earlier"]


async def test_a_tip_that_cannot_be_fetched_yet_stays_at_twilio_and_is_fetched_later(calls: Round) -> None:
    await calls.calls_one(Callee(keys=["3"]))
    calls.lines.auth_token, right = "changed meanwhile", calls.lines.auth_token
    await calls.left_tips.step()
    assert len(calls.lines.recordings) == 1
    calls.lines.auth_token = right
    later = type(calls.left_tips)(calls.store, calls.book, calls.client)
    await later.step()
    assert sum(tip.has_sound for tip in await calls.told()) == 1


async def test_a_recording_larger_than_any_tip_is_not_taken_in(calls: Round, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alerting.left_tips.LARGEST", 1000)
    await calls.calls_one(Callee(keys=["3"]))
    await calls.left_tips.step()
    assert sum(tip.has_sound for tip in await calls.told()) == 0
    assert len(calls.lines.recordings) == 1


# --- 9: no more ------------------------------------------------------------------------------------------------------


async def test_key_9_withdraws_from_the_action_only(calls: Round) -> None:
    call = await calls.calls_one(Callee(keys=["9"]))
    assert call.heard[-1][1] == NL["withdrawn"]
    assert (await calls.withdrawn(), await calls.opted_out()) == (1, False)
    assert (await calls.call_row()).ended_how == "withdrew from the action"


async def test_a_second_9_signs_off_for_good(calls: Round) -> None:
    call = await calls.calls_one(Callee(keys=["9", "9"]))
    assert call.heard[-1][1] == NL["signed-off-for-good"]
    assert (await calls.withdrawn(), await calls.opted_out()) == (1, True)


async def test_another_key_than_a_second_9_signs_nobody_off(calls: Round) -> None:
    await calls.calls_one(Callee(keys=["9", "1"]))
    assert (await calls.withdrawn(), await calls.opted_out()) == (1, False)


async def test_who_pressed_9_gets_no_result(calls: Round) -> None:
    calls.lines.callees[number(1)] = Callee(keys=["9"])
    await calls.lives(number(0), number(1))
    action = await calls.starts()
    await calls.sends()
    await calls.ends(action)
    await calls.audience()
    await calls.sends()
    assert [len(calls.lines.calls_to(number(place))) for place in (0, 1)] == [2, 1]


# --- hanging up, machines, the end -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("keys", "at"), [((), 0), (("2",), 1), (("9",), 1)])
async def test_a_hang_up_ends_the_call_in_the_books(calls: Round, keys: tuple[str, ...], at: int) -> None:
    await calls.calls_one(Callee(keys=keys, hangs_up_at=at))
    row = await calls.call_row()
    assert row.ended_how == "caller hung up"
    assert await calls.state() == (DeliveryState.CONFIRMED if keys else DeliveryState.ANSWERED)


@pytest.mark.parametrize("what", ["machine_start", "fax"])
async def test_a_machine_gets_the_short_message_after_its_greeting(calls: Round, what: str) -> None:
    call = await calls.calls_one(Callee(answered_by=what))
    assert call.heard[-1][1].startswith("Burgernet. de blauwe Golf. Gezien? Ga er niet zelf op af. Bel 0 8 0 0")
    assert await calls.state() == DeliveryState.MACHINE
    assert (await calls.call_row()).ended_how == "told a machine"


async def test_a_human_taken_for_a_machine_is_believed_by_the_key(calls: Round) -> None:
    call = await calls.calls_one(Callee(answered_by="machine_start", keys=["1"]))
    assert call.dialled == [(SIP, number(0))]
    assert await calls.state() == DeliveryState.CONFIRMED


async def test_a_result_is_told_to_its_end_without_keys(calls: Round) -> None:
    await calls.lives(number(0))
    action = await calls.starts()
    await calls.sends()
    await calls.ends(action)
    await calls.audience()
    await calls.sends()
    result = calls.lines.calls[-1]
    assert "De auto is gevonden." in result.words()
    assert NL["alert-keys"] not in result.words()
    assert (await calls.states(MessageKind.RESULT))[number(0)] == DeliveryState.ANSWERED


async def test_who_listens_while_the_action_ends_hears_so_at_the_next_turn(calls: Round) -> None:
    await calls.lives(number(0))
    action = await calls.starts()

    async def found(_: object) -> None:
        await calls.ends(action)

    calls.lines.before_key = found
    calls.lines.usual_callee = Callee(keys=["1"])
    await calls.sends()
    (call,) = calls.lines.calls
    assert (call.heard[-1][1], call.dialled) == (NL["already-over"], [])
    assert await calls.state() == DeliveryState.CONFIRMED


async def test_who_answers_after_the_end_hears_that_it_is_over(calls: Round) -> None:
    await calls.lives(number(0))
    action = await calls.starts()
    calls.lines.picks_up.clear()
    worker = calls.worker()
    await worker.step()
    await until(lambda: _rings(calls), "the telephone rings")
    await calls.ends(action)
    calls.lines.picks_up.set()
    await worker.finished(5)
    await calls.lines.settled()
    (call,) = calls.lines.calls
    assert [words for _, words in call.heard] == [NL["already-over"]]


async def _rings(calls: Round) -> bool:
    return any(call.row["status"] == "ringing" for call in calls.lines.calls)
