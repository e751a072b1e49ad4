"""Texts from the public, over HTTP: what they do, and what comes back."""

from __future__ import annotations

import pytest

from tests.inbound.line import ANNA, BERT, Line
from tests.store.rows import audited, told


async def test_stop_signs_off_at_once_and_is_confirmed_all_the_same(line: Line) -> None:
    await line.takes_part(ANNA)
    await line.texted(ANNA, "STOP")
    assert await line.signed_off(ANNA)
    assert await line.answered(ANNA) == [line.words("stopped")]
    assert ("the public", "inbound text", "opt out", "contact point", "a text came in") in await audited(line.store)


async def test_start_signs_on_again(line: Line) -> None:
    await line.takes_part(ANNA)
    await line.texted(ANNA, "Afmelden")
    await line.texted(ANNA, "Start!")
    assert not await line.signed_off(ANNA)
    assert await line.answered(ANNA) == [line.words("stopped"), line.words("started")]


async def test_ja_signs_on_who_is_signed_off(line: Line) -> None:
    await line.takes_part(ANNA)
    await line.texted(ANNA, "stop")
    await line.texted(ANNA, "Ja 👍")
    assert not await line.signed_off(ANNA)


async def test_ja_of_a_participant_is_an_answer_to_the_action(line: Line) -> None:
    action = await line.action()
    await line.alerted(ANNA, action)
    await line.texted(ANNA, "Ja!")
    (tip,) = await line.tips(action)
    assert tip.said == "Ja!"


async def test_stop_twice_keeps_the_first_moment_and_one_audit_row(line: Line) -> None:
    await line.takes_part(ANNA)
    await line.texted(ANNA, "STOP")
    first = (await line.contact(ANNA)).opted_out_at
    await line.texted(ANNA, "STOP")
    assert (await line.contact(ANNA)).opted_out_at == first
    assert [verb for _, _, verb, _, _ in await audited(line.store)].count("opt out") == 1


async def test_a_stranger_who_stops_is_told_so_and_one_who_starts_where_to_sign_up(line: Line) -> None:
    await line.texted(ANNA, "STOP")
    await line.texted(BERT, "START")
    assert await line.answered(ANNA) == [line.words("stopped")]
    assert await line.answered(BERT) == [line.words("stranger")]


@pytest.mark.parametrize(
    ("language", "said", "answered_in"),
    [("en", "STOP", "en"), ("en", "afmelden", "en"), ("nl", "unsubscribe", "nl")],
)
async def test_the_answer_is_in_the_language_of_the_participant(
    line: Line, language: str, said: str, answered_in: str
) -> None:
    await line.takes_part(ANNA, language)
    await line.texted(ANNA, said)
    assert await line.answered(ANNA) == [line.words("stopped", answered_in)]


@pytest.mark.parametrize(("said", "answered_in"), [("STOP", "nl"), ("Unsubscribe", "en"), ("Afmelden", "nl")])
async def test_a_stranger_is_answered_in_the_language_of_the_keyword(line: Line, said: str, answered_in: str) -> None:
    await line.texted(ANNA, said)
    assert await line.answered(ANNA) == [line.words("stopped", answered_in)]


async def test_a_text_of_who_was_alerted_in_one_action_is_a_tip_about_it(line: Line) -> None:
    action = await line.action()
    await line.action("amsterdam")
    await line.alerted(ANNA, action)
    await line.texted(ANNA, "Blauwe Golf rijdt nu op de Coolsingel")
    (tip,) = await line.tips(action)
    assert (tip.said, tip.source, tip.room_id) == ("Blauwe Golf rijdt nu op de Coolsingel", "text", action.room_id)
    assert (tip.how, tip.confidence) == ("number", 0.95)
    assert await line.answered(ANNA) == [line.words("tip", code=action.code)]
    assert "tip.received" in await told(line.store)
    assert "collect" in [verb for _, _, verb, _, _ in await audited(line.store)]


async def test_a_code_in_the_text_of_a_stranger_tells_which_action(line: Line) -> None:
    first, second = await line.action(), await line.action("amsterdam")
    await line.texted(ANNA, f"code {second.code}: jongen op rode fiets bij de Dam")
    assert await line.tips(first) == []
    (tip,) = await line.tips(second)
    assert (tip.how, tip.confidence) == ("code", 1.0)


async def test_who_was_alerted_in_two_actions_is_asked_which_and_the_code_brings_the_tip_home(line: Line) -> None:
    first, second = await line.action(), await line.action("amsterdam")
    await line.alerted(ANNA, first, second)
    await line.texted(ANNA, "Hij loopt richting het station")
    assert await line.answered(ANNA) == [line.words("which")]
    assert await line.tips(first) == await line.tips(second) == []
    await line.texted(ANNA, second.code)
    (tip,) = await line.tips(second)
    assert (tip.said, tip.how, tip.confidence) == ("Hij loopt richting het station", "code", 1.0)
    assert await line.answered(ANNA) == [line.words("which"), line.words("tip", code=second.code)]
    assert "attach" in [verb for _, _, verb, _, _ in await audited(line.store)]


async def test_the_code_of_one_sender_brings_home_no_tip_of_another(line: Line) -> None:
    first, second = await line.action(), await line.action("amsterdam")
    await line.alerted(ANNA, first, second)
    await line.texted(ANNA, "Hij loopt richting het station")
    await line.texted(BERT, second.code)
    assert await line.tips(second) == []
    assert await line.answered(BERT) == [line.words("say_what", code=second.code)]


async def test_a_tip_waits_an_hour_for_its_code(line: Line) -> None:
    first, second = await line.action(), await line.action("amsterdam")
    await line.alerted(ANNA, first, second)
    await line.texted(ANNA, "Hij loopt richting het station")
    line.clock.runs(minutes=61)
    await line.texted(ANNA, first.code)
    assert await line.tips(first) == []


async def test_a_code_alone_asks_what_was_seen(line: Line) -> None:
    action = await line.action()
    await line.texted(ANNA, f"Code: {action.code}!")
    assert await line.answered(ANNA) == [line.words("say_what", code=action.code)]
    assert await line.tip_rows() == []


async def test_with_nothing_open_it_says_so_and_keeps_nothing(line: Line) -> None:
    await line.texted(ANNA, "Ik zie een verdachte auto")
    assert await line.answered(ANNA) == [line.words("nothing_open")]
    assert await line.tip_rows() == []


async def test_a_stranger_without_a_code_is_told_how_to_report(line: Line) -> None:
    await line.action()
    await line.texted(ANNA, "Hallo, ik zag iets")
    assert await line.answered(ANNA) == [line.words("unclear")]
    assert await line.tip_rows() == []


async def test_a_delivery_that_never_began_did_not_alert(line: Line) -> None:
    action = await line.action()
    await line.alerted(ANNA, action, state="pending")
    await line.texted(ANNA, "Ik zie hem")
    assert await line.answered(ANNA) == [line.words("unclear")]


async def test_a_late_text_still_goes_to_the_action_that_just_ended(line: Line) -> None:
    action = await line.action()
    await line.alerted(ANNA, action)
    await line.ended(action, minutes=29)
    await line.texted(ANNA, "Hij ging de metro in")
    (tip,) = await line.tips(action)
    assert tip.said == "Hij ging de metro in"


async def test_half_an_hour_after_the_end_nothing_is_open(line: Line) -> None:
    action = await line.action()
    await line.alerted(ANNA, action)
    await line.ended(action, minutes=31)
    await line.texted(ANNA, "Hij ging de metro in")
    assert await line.answered(ANNA) == [line.words("nothing_open")]


async def test_an_open_action_goes_before_one_that_just_ended(line: Line) -> None:
    over, running = await line.action(), await line.action("amsterdam")
    await line.alerted(ANNA, over, running)
    await line.ended(over, minutes=5)
    await line.texted(ANNA, "Hij ging de metro in")
    assert len(await line.tips(running)) == 1
    assert await line.tips(over) == []


@pytest.mark.parametrize("said", ["", "   ", "\n\t", "👍👍", "\u200b", "\x00\x07", "!!!"])
async def test_a_text_that_says_nothing_gets_one_helpful_answer(line: Line, said: str) -> None:
    action = await line.action()
    await line.alerted(ANNA, action)
    await line.texted(ANNA, said)
    assert await line.answered(ANNA) == [line.words("unclear")]
    assert await line.tip_rows() == []


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Gezien 👮🏽‍♀️🚗 op de Coolsingel", "Gezien 👮🏽‍♀️🚗 op de Coolsingel"),
        ("رأيته عند المحطة", "رأيته عند المحطة"),
        ("ראיתי אותו", "ראיתי אותו"),
        ("kenteken \u202eAB-12-CD\u202c", "kenteken AB-12-CD"),
        ("\x1b[31mrood\x00\x07", "[31mrood"),
        ("regel 1\r\nregel 2", "regel 1\nregel 2"),
        ("é" * 5000, "é" * 5000),
        ("🚗" * 4999 + "a", "🚗" * 4999 + "a"),
        ("🚗a" * 2500, "🚗a" * 2500),
        ("b" * 6000, "b" * 5000),
        ("[bold]geen opmaak[/]", "[bold]geen opmaak[/]"),
    ],
)
async def test_a_tip_is_kept_as_it_can_be_read(line: Line, said: str, kept: str) -> None:
    action = await line.action()
    await line.alerted(ANNA, action)
    await line.texted(ANNA, said)
    (tip,) = await line.tips(action)
    assert tip.said == kept
