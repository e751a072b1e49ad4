"""Tips of every source: kept sealed, listed newest first, and each reading written down."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from actions.books import Actor
from actions.call_book import CallBook
from actions.desk import Refused
from actions.matching import Match, OpenAction
from actions.models import Audit, Outbox, Recording, Tip
from actions.numbers import read_number
from actions.tips import LONGEST, Tips
from actions.vault import Vault, Vaults
from tests.inbound.line import ANNA, ME, Line
from tests.store.rows import all_of, audited, told

READER = Actor("rotterdam-1", "console", "to brief the patrol")
WAV = b"RIFF" + b"\0" * 100


@pytest.fixture
def tips(line: Line) -> Tips:
    return Tips(line.store, line.vaults.police)


@pytest.fixture
def book(line: Line, tmp_path: Path) -> CallBook:
    return CallBook(line.store, line.vaults, tmp_path / "spool")


async def test_tips_of_every_source_are_listed_newest_first(line: Line, tips: Tips, book: CallBook) -> None:
    action = await line.action()
    await line.alerted(ANNA, action)
    await line.texted(ANNA, "Bij de brug")
    await _called(book, "call-1", action)
    await book.keep_tip("call-1", action.id, action.room_id, WAV, 12.4)
    await tips.pressed("call-2", action.id, action.room_id)
    await tips.note(action.code, "Patrouille onderweg", ME, "rotterdam-1")
    listed = await tips.of_action(action.code, READER)
    assert [(tip.source, tip.said, tip.how, tip.confidence, tip.operator_id) for tip in listed] == [
        ("note", "Patrouille onderweg", None, None, "rotterdam-1"),
        ("key", "seen it earlier", "alert", 1.0, None),
        ("call", "recording of 12 s", "menu", 0.9, None),
        ("text", "Bij de brug", "number", 0.95, None),
    ]
    assert {tip.room_id for tip in listed} == {action.room_id}
    assert [tip.received_at for tip in listed] == sorted((tip.received_at for tip in listed), reverse=True)
    assert [tip.has_sound for tip in listed] == [False, False, True, False]


@pytest.mark.parametrize("exercise", [False, True])
async def test_the_news_of_every_tip_says_whether_it_is_about_an_exercise(
    line: Line, tips: Tips, book: CallBook, exercise: bool
) -> None:
    action = await line.action(exercise=exercise)
    await _called(book, "call-1", action)
    await book.keep_tip("call-1", action.id, action.room_id, WAV, 12.4)
    await book.keep_tip("call-1", action.id, action.room_id, WAV, 12.4)
    await tips.pressed("call-2", action.id, action.room_id)
    await tips.note(action.code, "Patrouille onderweg", ME, "rotterdam-1")
    news = [row for row in await all_of(line.store, Outbox) if row.kind == "tip.received"]
    assert [(row.subject, row.data["exercise"]) for row in news] == [(str(action.id), exercise)] * 3
    assert {row.data["tip"] for row in news} == {row.id for row in await line.tip_rows()}


async def test_reading_tips_is_written_down_with_who_when_and_why(line: Line, tips: Tips) -> None:
    action = await line.action()
    await tips.of_action(action.code, READER)
    (row,) = await all_of(line.store, Audit, verb="consult")
    assert (row.actor, row.origin, row.object_kind, row.object_id, row.reason) == (
        "rotterdam-1",
        "console",
        "tips of action",
        str(action.id),
        "to brief the patrol",
    )
    assert abs((row.at - datetime.now(UTC)).total_seconds()) < 60


async def test_the_sound_of_a_tip_is_heard_and_that_is_written_down(line: Line, tips: Tips, book: CallBook) -> None:
    action = await line.action()
    await book.keep_tip("call-1", action.id, action.room_id, WAV, 3.0)
    (tip,) = await tips.of_action(action.code, READER)
    assert await tips.sound(tip.id, READER) == WAV
    assert ("rotterdam-1", "console", "consult", "tip", "to brief the patrol") in await audited(line.store)


async def test_a_tip_without_a_recording_has_no_sound_and_nothing_was_consulted(line: Line, tips: Tips) -> None:
    action = await line.action()
    tip_id = await tips.note(action.code, "Gezien", ME)
    for unheard in (tip_id, "no such tip"):
        with pytest.raises(Refused, match="has a recording"):
            await tips.sound(unheard, READER)
    assert await all_of(line.store, Audit, verb="consult") == []


async def test_a_recording_that_does_not_open_says_so(line: Line, tips: Tips, book: CallBook) -> None:
    action = await line.action()
    await book.keep_tip("call-1", action.id, action.room_id, WAV, 3.0)
    async with line.store.writing() as session:
        (recording,) = await all_of(line.store, Recording)
        recording.sealed = b"\0" * 40
        await session.merge(recording)
    (tip,) = await tips.of_action(action.code, READER)
    with pytest.raises(Refused, match="does not open"):
        await tips.sound(tip.id, READER)


async def test_one_tip_that_does_not_open_hides_no_other(line: Line, tips: Tips) -> None:
    action = await line.action()
    await tips.note(action.code, "eerste", ME)
    foreign = Tips(line.store, Vaults(Vault({7: b"7" * 32}), Vault({7: b"7" * 32})).police)
    await foreign.note(action.code, "tweede", ME)
    newest, oldest = await tips.of_action(action.code, READER)
    assert "key version 7 is not in the settings" in newest.said
    assert oldest.said == "eerste"


async def test_a_note_on_a_call_goes_to_the_action_of_the_call(line: Line, tips: Tips, book: CallBook) -> None:
    action = await line.action()
    await _called(book, "call-1", action)
    await book.waiting("call-1", action.room_id)
    await book.written()
    await tips.note_on_call("call-1", "Beller klonk zeker", ME, "rotterdam-2")
    (note,) = await tips.of_action(action.code, READER)
    assert (note.said, note.how, note.confidence, note.room_id) == ("Beller klonk zeker", "menu", 0.9, "rotterdam")


async def test_a_note_on_a_call_about_nothing_waits_among_the_tips_of_no_action(
    line: Line, tips: Tips, book: CallBook
) -> None:
    await book.arrived("call-1", read_number(ANNA), "08000011", datetime.now(UTC))
    await tips.note_on_call("call-1", "Beller wist de actie niet", ME)
    (note,) = await tips.of_no_action(READER)
    assert note.said == "Beller wist de actie niet"
    assert ("rotterdam-1", "console", "consult", "tips of action", "to brief the patrol") in await audited(line.store)


async def test_a_text_that_waits_for_its_code_is_among_the_tips_of_no_action(line: Line, tips: Tips) -> None:
    await line.alerted(ANNA, await line.action(), await line.action("amsterdam"))
    await line.texted(ANNA, "Hij loopt naar het station")
    assert [tip.said for tip in await tips.of_no_action(READER)] == ["Hij loopt naar het station"]


async def test_the_key_of_one_call_is_one_tip(line: Line, tips: Tips) -> None:
    action = await line.action()
    for _ in range(3):
        await tips.pressed("call-1", action.id, action.room_id)
    assert len(await line.tip_rows()) == 1
    assert (await told(line.store)).count("tip.received") == 1


@pytest.mark.parametrize(
    ("code", "words", "operator", "fault"),
    [
        ("999", "Gezien", None, "no action has code '999'"),
        ("", "Gezien", None, "no action has code ''"),
        (None, "", None, "the note is empty"),
        (None, " \n\u200b", None, "the note is empty"),
        (None, "x" * (LONGEST + 1), None, "has 5001 characters; at most 5000 fit"),
        (None, "Gezien", "nobody-1", "operator 'nobody-1' is not known"),
    ],
)
async def test_a_note_that_cannot_be_kept_says_why(
    line: Line, tips: Tips, code: str | None, words: str, operator: str | None, fault: str
) -> None:
    action = await line.action()
    with pytest.raises(Refused) as refused:
        await tips.note(action.code if code is None else code, words, ME, operator)
    assert fault in str(refused.value)
    assert await line.tip_rows() == []


async def test_a_note_on_a_call_that_is_not_known_is_refused(line: Line, tips: Tips) -> None:
    with pytest.raises(Refused, match="call 'x' is not known"):
        await tips.note_on_call("x", "Gezien", ME)


async def test_tips_of_an_action_that_is_not_known_are_refused_and_nothing_was_consulted(
    line: Line, tips: Tips
) -> None:
    with pytest.raises(Refused, match="no action has code"):
        await tips.of_action("999", READER)
    assert await all_of(line.store, Audit, verb="consult") == []


async def test_tips_of_a_code_used_before_are_those_of_the_open_action(line: Line, tips: Tips) -> None:
    action = await line.action()
    await tips.note(action.code, "van de oude", ME)
    await line.ended(action, hours=1)
    assert [tip.said for tip in await tips.of_action(action.code, READER)] == ["van de oude"]


async def test_only_sealed_words_are_in_the_row(line: Line, tips: Tips) -> None:
    action = await line.action()
    await tips.note(action.code, "kenteken AB-12-CD", ME)
    (row,) = await all_of(line.store, Tip)
    assert row.sealed
    assert b"AB-12" not in row.sealed
    assert row.key_version == line.vaults.police.newest


async def _called(book: CallBook, call_id: str, action: OpenAction) -> None:
    await book.arrived(call_id, read_number(ANNA), "08000011", datetime.now(UTC))
    await book.matched(call_id, Match(action, "menu", 0.9, ("the caller chose it",)), "nl")
    await book.written()
