"""Our answers leave once, whatever the provider and our own processes do; and never for ever."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from actions.models import DeliveryState, InboundText
from actions.rotation import rotate
from actions.vault import Vault, Vaults
from alerting.inbound.answers import Answers
from stand_ins.twilio import BROKEN, SILENT, TOO_BUSY, Behaviour
from tests.inbound.line import ANNA, BERT, ME, OUR_NUMBER, Line
from tests.store.rows import all_of

BLOCKED = Behaviour(refuse=21610)
LOST = replace(SILENT, lose_answer=True)


async def test_an_answer_blocked_by_the_provider_is_tried_once(line: Line) -> None:
    await line.takes_part(ANNA)
    line.twilio.usual_for[ANNA] = BLOCKED
    await line.texted(ANNA, "STOP")
    assert await line.answered(ANNA) == []
    line.clock.runs(minutes=5)
    await line.works()
    (text,) = await line.texts()
    assert (text.answer_state, text.answer_tries) == (DeliveryState.FAILED, 1)
    assert await line.signed_off(ANNA)


async def test_a_provider_too_busy_gets_three_tries_with_a_pause_before_each(line: Line) -> None:
    line.twilio.usual = TOO_BUSY
    await line.texted(ANNA, "STOP")
    for seconds, tries in ((0, 1), (4, 1), (2, 2), (39, 2), (2, 3), (600, 3)):
        line.clock.runs(seconds=seconds)
        await line.works()
        assert len(line.twilio.requests) == tries
    (text,) = await line.texts()
    assert (text.answer_state, text.answer_tries) == (DeliveryState.FAILED, 3)


async def test_an_answer_that_got_lost_on_its_way_back_is_found_and_not_sent_again(line: Line) -> None:
    line.twilio.next(LOST)
    await line.texted(ANNA, "STOP")
    assert await line.answered(ANNA) == [line.words("stopped")]
    line.clock.runs(seconds=31)
    assert await line.answered(ANNA) == [line.words("stopped")]
    (text,) = await line.texts()
    assert (text.answer_state, text.answer_provider_id) == (DeliveryState.SENT, line.twilio.messages[0]["sid"])


async def test_an_answer_the_provider_never_took_is_sent_again(line: Line) -> None:
    line.twilio.next(BROKEN)
    await line.texted(ANNA, "STOP")
    assert await line.answered(ANNA) == []
    line.clock.runs(seconds=31)
    await line.works()
    line.clock.runs(seconds=6)
    assert await line.answered(ANNA) == [line.words("stopped")]
    (text,) = await line.texts()
    assert (text.answer_state, text.answer_tries) == (DeliveryState.SENT, 2)


async def test_a_provider_that_stays_broken_is_given_up(line: Line) -> None:
    line.twilio.usual = BROKEN
    await line.texted(ANNA, "STOP")
    for _ in range(12):
        await line.works()
        line.clock.runs(seconds=45)
    (text,) = await line.texts()
    assert (text.answer_state, text.answer_tries) == (DeliveryState.FAILED, 3)
    assert len(line.twilio.requests) == 3


async def test_a_provider_that_cannot_be_reached_is_given_up_in_time(line: Line) -> None:
    line.twilio.next(LOST)
    await line.texted(ANNA, "STOP")
    await line.works()
    await line.twilio.stop()
    for _ in range(20):
        line.clock.runs(minutes=1)
        await line.works()
    (text,) = await line.texts()
    assert text.answer_state == DeliveryState.FAILED


async def test_a_worker_killed_after_the_provider_took_the_answer_sends_it_no_second_time(line: Line) -> None:
    dying = line.worker()
    taken = asyncio.Event()
    line.twilio.on_request = lambda form: taken.set()
    line.twilio.next(replace(SILENT, answer_after_s=0.2, lose_answer=True))
    await line.texted(ANNA, "STOP")
    await dying.step()
    await asyncio.wait_for(taken.wait(), 5)
    await _killed(dying)
    await _until_taken(line, 1)
    assert await line.answered(ANNA) == [line.words("stopped")]
    line.clock.runs(seconds=31)
    assert await line.answered(ANNA) == [line.words("stopped")]
    (text,) = await line.texts()
    assert (text.answer_state, text.answer_tries) == (DeliveryState.SENT, 1)


async def test_a_worker_killed_before_the_provider_was_called_loses_no_answer(line: Line) -> None:
    dying = line.worker()
    await line.texted(ANNA, "STOP")
    await dying._claim(DeliveryState.PENDING)
    assert await line.answered(ANNA) == []
    line.clock.runs(seconds=31)
    await line.works()
    line.clock.runs(seconds=6)
    assert await line.answered(ANNA) == [line.words("stopped")]


async def test_two_workers_send_each_answer_once(line: Line) -> None:
    senders = [f"+316123456{number}" for number in range(10, 40)]
    for sender in senders:
        await line.texted(sender, "STOP")
    workers = [line.worker() for _ in range(2)]
    for _ in range(4):
        await asyncio.gather(*(worker.step() for worker in workers))
        await asyncio.gather(*(worker.finished(5) for worker in workers))
    assert sorted(message["to"] for message in line.twilio.messages) == sorted(senders)


async def test_two_lost_answers_of_the_same_words_are_told_apart(line: Line) -> None:
    line.twilio.next(LOST, LOST)
    await line.texted(ANNA, "Hallo?")
    await line.works()
    line.twilio.messages[0]["date_created"] = format_datetime(datetime.now(UTC) - timedelta(seconds=100))
    await line.happened(seconds=100)
    await line.texted(ANNA, "Hallo?")
    await line.works()
    line.clock.runs(seconds=31)
    await line.works()
    assert [text.answer_provider_id for text in await line.texts()] == [sent["sid"] for sent in line.twilio.messages]
    assert len(line.twilio.messages) == 2


async def test_an_earlier_answer_of_the_same_words_is_not_taken_for_one_that_never_left(line: Line) -> None:
    await line.texted(ANNA, "Hallo?")
    await line.works()
    await line.happened(seconds=100)
    line.twilio.next(BROKEN)
    await line.texted(ANNA, "Hallo?")
    await line.works()
    for seconds in (31, 6):
        line.clock.runs(seconds=seconds)
        await line.works()
    assert len(line.twilio.messages) == 2


async def test_another_robot_gets_three_answers_and_then_silence(line: Line) -> None:
    await line.action()
    heard = 0
    await line.texted(ANNA, "I am a robot, please answer")
    for _ in range(20):
        answers = await line.answered(ANNA)
        if len(answers) == heard:
            break
        heard = len(answers)
        await line.texted(ANNA, f"You said: {answers[-1]}")
    assert await line.answered(ANNA) == [line.words("unclear")]
    for _ in range(20):
        line.clock.runs(seconds=20)
        await line.texted(ANNA, "I am a robot, please answer")
    await line.works()
    assert len(await line.answered(ANNA)) == 3
    line.clock.runs(minutes=11)
    await line.texted(ANNA, "Are you a robot?")
    assert len(await line.answered(ANNA)) == 4


async def test_a_robot_that_stops_and_starts_gets_three_answers(line: Line) -> None:
    await line.takes_part(ANNA)
    for _ in range(10):
        await line.texted(ANNA, "STOP")
        await line.texted(ANNA, "START")
        line.clock.runs(seconds=5)
    assert set(await line.answered(ANNA)) == {line.words("stopped"), line.words("started")}
    assert not await line.signed_off(ANNA)


async def test_texts_at_the_same_moment_get_no_more_answers_than_one_after_the_other(line: Line) -> None:
    await line.takes_part(ANNA)
    said = ["STOP", "START", "Hallo", "STOP", "START", "Hallo"] * 2
    await asyncio.gather(*(line.texted(ANNA, words) for words in said))
    answers = await line.answered(ANNA)
    assert len(answers) == len(set(answers)) <= 3


async def test_one_number_that_texts_too_often_takes_no_answer_from_another(line: Line) -> None:
    for _ in range(5):
        await line.texted(ANNA, "Hallo")
    await line.texted(BERT, "Hallo")
    assert await line.answered(BERT) == [line.words("nothing_open")]


@pytest.mark.parametrize(
    "sender", ["1234", "BELASTING", "", "anonymous", OUR_NUMBER, "+318000011", "112", "+31" + "9" * 60, "<script>", "+"]
)
async def test_senders_that_are_no_telephone_of_somebody_get_no_answer(line: Line, sender: str) -> None:
    await line.texted(sender, "STOP")
    await line.works()
    assert line.twilio.requests == []
    (text,) = await line.texts()
    assert text.answer is None


async def test_the_number_that_was_texted_is_one_of_ours_too(line: Line) -> None:
    await line.texted("+3197010299999", "Hallo", to="+3197010299999")
    await line.works()
    assert line.twilio.requests == []


@pytest.mark.parametrize("sender", ["+32470123456", "+31909123456", "+4915112345678"])
async def test_no_answer_leaves_for_a_number_outside_the_allowed_ranges(line: Line, sender: str) -> None:
    await line.texted(sender, "STOP")
    await line.works()
    assert line.twilio.requests == []
    assert [text.answer_state for text in await line.texts()] != [DeliveryState.SENT]


async def test_a_tip_from_a_sender_who_gets_no_answer_is_kept(line: Line) -> None:
    action = await line.action()
    await line.texted("1234", f"code {action.code}: gezien bij de brug")
    assert len(await line.tips(action)) == 1


async def test_who_signed_off_and_sends_a_tip_is_answered(line: Line) -> None:
    action = await line.action()
    await line.alerted(ANNA, action)
    await line.texted(ANNA, "STOP")
    await line.texted(ANNA, "Ik zag hem toch nog bij de brug")
    assert len(await line.tips(action)) == 1
    assert set(await line.answered(ANNA)) == {line.words("stopped"), line.words("tip", code=action.code)}


async def test_new_keys_in_between_lose_no_tip_no_answer_and_no_guard(line: Line) -> None:
    keys = {1: b"1" * 32}, {1: b"1" * 32, 2: b"2" * 32}, {2: b"2" * 32}
    old, both, new = (Vaults(Vault(set_), Vault({at: key[::-1] for at, key in set_.items()})) for set_ in keys)
    line.use(old)
    first, second = await line.action(), await line.action("amsterdam")
    await line.alerted(ANNA, first, second)
    async with line.serving():
        await line.texted(ANNA, "Hij loopt richting het station")
    line.use(both)
    moved = await rotate(line.store, both, ME, lambda _: None)
    assert (moved["tip"], moved["inbound_text"]) == (1, 1)
    line.use(new)
    async with line.serving():
        await line.texted(ANNA, "Hallo?")
        await line.texted(ANNA, first.code)
        assert set(await line.answered(ANNA)) == {line.words("which"), line.words("tip", code=first.code)}
    assert sorted(tip.said for tip in await line.tips(first)) == ["Hallo?", "Hij loopt richting het station"]


async def test_before_the_rows_moved_to_a_new_key_their_sender_is_known_all_the_same(line: Line) -> None:
    old = {1: b"1" * 32}
    line.use(Vaults(Vault(old), Vault(old)))
    first, second = await line.action(), await line.action("amsterdam")
    await line.alerted(ANNA, first, second)
    async with line.serving():
        await line.texted(ANNA, "Hij loopt richting het station")
    both = {**old, 2: b"2" * 32}
    line.use(Vaults(Vault(both), Vault(both)))
    async with line.serving():
        await line.texted(ANNA, "Hij rent nu")
        await line.texted(ANNA, first.code)
        assert set(await line.answered(ANNA)) == {line.words("which"), line.words("tip", code=first.code)}
    assert len(await line.tips(first)) == 2


async def test_a_number_that_does_not_open_any_more_holds_up_nobody(line: Line) -> None:
    await line.texted(ANNA, "STOP")
    other = Vaults(Vault({9: b"9" * 32}), Vault({9: b"9" * 32}))
    line.use(other)
    await line.works()
    assert line.twilio.requests == []
    assert [text.answer_state for text in await line.texts()] == [DeliveryState.FAILED]


async def test_the_answer_of_a_tip_names_the_action(line: Line) -> None:
    action = await line.action()
    await line.alerted(ANNA, action, language="en")
    await line.texted(ANNA, "seen it near the bridge")
    assert await line.answered(ANNA) == [line.words("tip", "en", action.code)]
    assert action.code in line.words("tip", "en", action.code)


async def test_the_worker_answers_by_itself_within_a_second_or_two(line: Line) -> None:
    working = asyncio.create_task(line.answers.run())
    try:
        await line.texted(ANNA, "STOP")
        await _until_taken(line, 1)
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    assert [text.answer_state for text in await all_of(line.store, InboundText)] == [DeliveryState.SENT]


async def _killed(worker: Answers) -> None:
    """As by a kill: its tasks end where they are and write nothing."""
    tasks = list(worker._crew._tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _until_taken(line: Line, count: int) -> None:
    async with asyncio.timeout(5):
        while len(line.twilio.messages) < count:  # noqa: ASYNC110 - what is waited for is at the provider
            await asyncio.sleep(0.02)
