"""What an operator does during a talk, with the keys of a plain telephone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from sqlmodel import col, select

from actions.matching import OpenAction
from actions.models import ControlRoom, InboundText, OneTimeLink, Operator, Tip
from actions.vault import Sealed
from ivr_flows.whisper import whisper
from tests.conversations.exchange import FREE_NUMBER, Exchange, until, whispered
from tests.conversations.phones import Music, Phone
from tests.store.rows import all_of

KNOWN = "+31612345678"


@dataclass
class Talking:
    action: OpenAction
    caller: Phone
    operator: Phone
    colleague: Phone


async def number_of(exchange: Exchange, name: str) -> str:
    """The short number of an operator or a room."""
    async with exchange.base.store.reading() as session:
        operator, room = await session.get(Operator, name), await session.get(ControlRoom, name)
    number = (operator and operator.number) or (room and room.number)
    assert number
    return number


async def talking(exchange: Exchange, kind: str = "look_out") -> Talking:
    """A caller who talks with rotterdam-1, while rotterdam-2 is free."""
    action = await exchange.action("rotterdam", by="rotterdam-1", kind=kind)
    await exchange.alerted(KNOWN, action)
    operator, colleague = await exchange.operator("rotterdam-1"), await exchange.operator("rotterdam-2")
    caller = await exchange.caller(KNOWN)
    await caller.dials(FREE_NUMBER)
    await operator.answers()
    await operator.hears(whispered(action))
    await operator.talks_with(caller)
    return Talking(action, caller, operator, colleague)


async def asked_in(exchange: Exchange, talk: Talking) -> None:
    """The colleague is in the talk."""
    before = await in_bridges(exchange)
    await talk.operator.presses("*2")
    await talk.operator.hears("which-colleague")
    await talk.operator.presses(await number_of(exchange, "rotterdam-2") + "#")
    await talk.colleague.answers()
    await talk.colleague.hears(whispered(talk.action))

    async def is_in() -> bool:
        return await in_bridges(exchange) > before

    await until(is_in, "the colleague in the talk")


async def in_bridges(exchange: Exchange) -> int:
    return sum(len(bridge["channels"]) for bridge in await exchange.controller.ari.listing("bridges"))


async def on_hold(talk: Talking) -> None:
    await talk.operator.presses("*1")
    await talk.caller.hears("on-hold")
    await talk.caller.hears(Music())
    await talk.operator.hears("caller-on-hold")


async def all_hear_each_other(*phones: Phone) -> None:
    """Each says something while the others are silent."""
    for phone in phones:
        await phone.says(0)
    for speaker in phones:
        await speaker.says(speaker.tone)
        await asyncio.gather(*(phone.hears_tone(speaker.tone) for phone in phones if phone is not speaker))
        await speaker.says(0)
    for phone in phones:
        await phone.says(phone.tone)


async def free(exchange: Exchange, *operators: str) -> None:
    for operator in operators:
        await until(lambda operator=operator: exchange.is_free(operator), f"{operator} free again")  # type: ignore[misc]


@asynccontextmanager
async def another_controller(exchange: Exchange) -> AsyncIterator[None]:
    """The controller stops; after the block the next one has started."""
    await exchange.stops()
    yield
    await exchange.starts()


async def test_neither_hears_the_keys_of_the_other(exchange: Exchange) -> None:
    talk = await talking(exchange)
    await talk.operator.presses("5")
    await talk.caller.presses("*1")
    await talk.operator.presses("*0")
    await talk.operator.hears("talk-keys")
    await talk.operator.talks_with(talk.caller)
    assert (await talk.operator.keys_heard(), await talk.caller.keys_heard()) == ("", "")


async def test_a_caller_on_hold_hears_music_and_is_taken_back(exchange: Exchange) -> None:
    talk = await talking(exchange)
    await on_hold(talk)
    await talk.operator.presses("*1")
    await talk.operator.talks_with(talk.caller)


async def test_a_key_that_means_nothing_is_said(exchange: Exchange) -> None:
    talk = await talking(exchange)
    await talk.operator.presses("*8")
    await talk.operator.hears("wrong-key")
    await talk.operator.talks_with(talk.caller)


@pytest.mark.parametrize(("key", "answer"), [("1", "photo_link"), ("2", "place_link")])
async def test_the_caller_gets_a_link_by_text_bound_to_call_and_action(
    exchange: Exchange, key: str, answer: str
) -> None:
    talk = await talking(exchange)
    exchange.base.link_texts._able = True  # as with an account at a provider of texts
    await talk.operator.presses("*7")
    await talk.operator.hears("which-link")
    await talk.operator.presses(key)
    await talk.operator.hears("link-sent")
    (text,), (link,) = await all_of(exchange.base.store, InboundText), await all_of(exchange.base.store, OneTimeLink)
    (call,) = await exchange.calls()
    assert (text.answer, text.answer_state) == (answer, "pending")
    assert (link.action_id, link.call_id, link.room_id) == (talk.action.id, call.id, "rotterdam")
    await talk.operator.talks_with(talk.caller)


@pytest.mark.parametrize("number", ["+31101234567", "withheld"])
async def test_a_land_line_or_a_withheld_number_gets_no_link_and_the_operator_hears_why(
    exchange: Exchange, number: str
) -> None:
    action = await exchange.action("rotterdam", by="rotterdam-1")
    exchange.base.link_texts._able = True
    operator = await exchange.operator("rotterdam-1")
    caller = await exchange.caller("+31101234567", withheld=number == "withheld")
    await caller.dials(FREE_NUMBER)
    await caller.hears("welcome")
    await caller.presses(action.code)
    await operator.answers()
    await operator.talks_with(caller)
    await operator.presses("*7")
    await operator.hears("link-no-mobile")
    assert await all_of(exchange.base.store, InboundText) == []


async def test_three_in_a_talk_hear_each_other_and_the_colleague_is_sent_out_again(exchange: Exchange) -> None:
    talk = await talking(exchange)
    await asked_in(exchange, talk)
    await all_hear_each_other(talk.caller, talk.operator, talk.colleague)
    assert not await exchange.is_free("rotterdam-2")

    await talk.operator.presses("*2")
    await talk.colleague.is_hung_up()
    await talk.operator.hears("third-left")
    await talk.operator.talks_with(talk.caller)
    await free(exchange, "rotterdam-2")


async def test_operator_and_colleague_speak_in_private_while_the_caller_is_on_hold(exchange: Exchange) -> None:
    talk = await talking(exchange)
    await on_hold(talk)
    await asked_in(exchange, talk)
    await talk.operator.talks_with(talk.colleague)
    await talk.operator.presses("*1")
    await all_hear_each_other(talk.caller, talk.operator, talk.colleague)


async def test_a_colleague_who_hangs_up_leaves_the_two_together(exchange: Exchange) -> None:
    talk = await talking(exchange)
    await asked_in(exchange, talk)
    await talk.colleague.hangs_up()
    await talk.operator.hears("third-left")
    await talk.operator.talks_with(talk.caller)
    await free(exchange, "rotterdam-2")


@pytest.mark.parametrize("how", ["hangs up", "presses *9"])
async def test_when_the_operator_leaves_three_the_colleague_goes_on_with_the_caller(
    exchange: Exchange, how: str
) -> None:
    talk = await talking(exchange)
    await asked_in(exchange, talk)
    await (talk.operator.hangs_up() if how == "hangs up" else talk.operator.presses("*9"))
    await talk.colleague.talks_with(talk.caller)
    await free(exchange, "rotterdam-1")
    await talk.colleague.presses("*1")
    await talk.caller.hears("on-hold")
    await talk.caller.hangs_up()
    await talk.colleague.is_hung_up()
    await exchange.ended("caller hung up: talking")
    await free(exchange, "rotterdam-2")


async def test_the_key_for_leaving_ends_the_call_with_a_word(exchange: Exchange) -> None:
    talk = await talking(exchange)
    await talk.operator.presses("*9")
    await talk.operator.is_hung_up()
    await talk.caller.hears("operator-left")
    await exchange.ended("operator hung up")


async def test_a_colleague_who_is_busy_cannot_be_asked_in(exchange: Exchange) -> None:
    talk = await talking(exchange)
    await exchange.base.redis.hset("burgernet:claim", "rotterdam-2", "burgernet-other 1.1")
    await talk.operator.presses("*2" + await number_of(exchange, "rotterdam-2") + "#")
    await talk.operator.hears("colleague-busy")
    await talk.operator.talks_with(talk.caller)
    await exchange.base.redis.hdel("burgernet:claim", "rotterdam-2")


async def test_a_number_of_nobody_is_said(exchange: Exchange) -> None:
    talk = await talking(exchange)
    for keys in ("*299999#", "*399999#", "*41#"):
        await talk.operator.presses(keys)
        await talk.operator.hears("number-unknown")
    await talk.operator.talks_with(talk.caller)


async def test_a_colleague_who_does_not_answer_leaves_everything_as_it_was(exchange: Exchange) -> None:
    talk = await talking(exchange)
    await talk.operator.presses("*3" + await number_of(exchange, "rotterdam-2") + "#")
    await talk.colleague.rejects()
    await talk.operator.hears("not-reached")
    await talk.operator.talks_with(talk.caller)
    await free(exchange, "rotterdam-2")


async def test_a_colleague_who_lets_it_ring_goes_off_duty_as_with_a_caller(exchange: Exchange) -> None:
    talk = await talking(exchange)
    await talk.operator.presses("*2" + await number_of(exchange, "rotterdam-2") + "#")
    await talk.colleague.rings()
    await talk.operator.hears("not-reached")
    await until(lambda: exchange.off_duty("rotterdam-2"), "the colleague off duty")
    await talk.operator.talks_with(talk.caller)


async def test_a_key_stops_the_ringing_at_a_colleague(exchange: Exchange) -> None:
    talk = await talking(exchange)
    await talk.operator.presses("*2" + await number_of(exchange, "rotterdam-2") + "#")
    await talk.colleague.rings()
    await talk.operator.presses("*1")
    await talk.colleague.is_hung_up()
    await talk.caller.hears("on-hold")


async def test_a_caller_is_handed_over_to_another_operator(exchange: Exchange) -> None:
    talk = await talking(exchange)
    await talk.operator.presses("*3")
    await talk.operator.hears("hand-over-to")
    await talk.operator.presses(await number_of(exchange, "rotterdam-2") + "#")
    await talk.colleague.rings()
    await talk.operator.talks_with(talk.caller)
    await talk.colleague.picks_up()
    for prompt in whisper(talk.action, "nl", by="rotterdam-1"):
        await talk.colleague.hears(prompt)
    await talk.colleague.talks_with(talk.caller)
    await talk.operator.is_hung_up()
    await free(exchange, "rotterdam-1")
    await talk.caller.hangs_up()
    call = await exchange.ended("caller hung up: talking")
    assert call.operator_id == "rotterdam-2"


async def test_a_caller_is_handed_over_to_the_line_of_another_room(exchange: Exchange) -> None:
    talk = await talking(exchange)
    elsewhere = await exchange.operator("den-haag-1")
    await talk.operator.presses("*3" + await number_of(exchange, "den-haag") + "#")
    await talk.operator.is_hung_up()
    await talk.caller.hears("connecting")
    await elsewhere.answers()
    for prompt in whisper(talk.action, "nl", exchange.board.rooms["rotterdam"].name, "rotterdam-1"):
        await elsewhere.hears(prompt)
    await elsewhere.talks_with(talk.caller)
    await free(exchange, "rotterdam-1")
    await talk.caller.hangs_up()
    call = await exchange.ended("caller hung up: talking")
    assert (call.room_id, call.operator_id) == ("den-haag", "den-haag-1")


async def test_a_caller_is_not_handed_to_a_room_where_nobody_is(exchange: Exchange) -> None:
    talk = await talking(exchange)
    await talk.operator.presses("*3" + await number_of(exchange, "limburg") + "#")
    await talk.operator.hears("room-empty")
    await talk.operator.talks_with(talk.caller)


async def recording(talk: Talking) -> None:
    await talk.operator.presses("*5")
    await talk.caller.hears("recorded")
    await talk.operator.hears("recording-on")


async def test_a_talk_is_recorded_after_saying_so_and_kept_sealed(exchange: Exchange) -> None:
    talk = await talking(exchange)
    await recording(talk)
    await exchange.wiring.passes(2)
    await talk.operator.presses("*5")
    await talk.operator.hears("recording-off")
    await talk.operator.talks_with(talk.caller)

    (kept,) = await exchange.sounds("talk")
    sound = exchange.base.vaults.police.open(Sealed(kept.sealed, kept.key_version), "recording")
    assert sound.startswith(b"RIFF")
    assert kept.seconds >= 1
    assert exchange.wiring.plain_recordings() == []


async def test_a_recording_ends_with_the_call_and_is_kept(exchange: Exchange) -> None:
    talk = await talking(exchange)
    await recording(talk)
    await exchange.wiring.passes(1)
    await talk.caller.hangs_up()
    await exchange.ended("caller hung up: talking")
    assert len(await exchange.sounds("talk")) == 1
    assert exchange.wiring.plain_recordings() == []


async def test_when_the_disk_is_full_the_talk_goes_on_and_the_operator_hears_that_it_is_not_recorded(
    exchange: Exchange,
) -> None:
    talk = await talking(exchange)
    await recording(talk)
    exchange.wiring.fills_disk()
    await talk.operator.hears("recording-failed")
    await talk.operator.talks_with(talk.caller)


async def test_what_the_law_does_not_allow_is_not_recorded(exchange: Exchange) -> None:
    talk = await talking(exchange, kind="information")
    await talk.operator.presses("*5")
    await talk.operator.hears("recording-refused")
    await talk.operator.talks_with(talk.caller)


async def test_a_withheld_caller_is_never_recorded(exchange: Exchange) -> None:
    action = await exchange.action("rotterdam")
    operator, caller = await exchange.operator("rotterdam-1"), await exchange.caller(withheld=True)
    await caller.dials(FREE_NUMBER)
    await caller.hears("ask-code")
    await caller.presses(action.code)
    await operator.answers()
    await operator.hears(whispered(action))
    await operator.talks_with(caller)
    await operator.presses("*5")
    await operator.hears("recording-refused")


async def test_an_operator_speaks_a_note_that_is_kept_with_the_action(exchange: Exchange) -> None:
    talk = await talking(exchange)
    await talk.operator.presses("*6")
    await talk.caller.hears("on-hold")
    await talk.operator.hears("speak-note")
    await exchange.wiring.passes(4)
    await talk.operator.presses("#")
    await talk.operator.hears("note-kept")
    await talk.operator.talks_with(talk.caller)

    async with exchange.base.store.reading() as session:
        (note,) = await session.exec(select(Tip).where(col(Tip.source) == "note"))
    assert (note.action_id, note.operator_id, note.room_id) == (talk.action.id, "rotterdam-1", "rotterdam")
    assert [kept.id for kept in await exchange.sounds("note")] == [note.recording_id]
    assert exchange.wiring.plain_recordings() == []


async def test_a_note_is_kept_when_the_caller_hangs_up_meanwhile(exchange: Exchange) -> None:
    talk = await talking(exchange)
    await talk.operator.presses("*6")
    await talk.operator.hears("speak-note")
    await exchange.wiring.passes(4)
    await talk.caller.hangs_up()
    await exchange.wiring.passes(1)
    await talk.operator.presses("#")
    await talk.operator.is_hung_up()
    await exchange.ended("caller hung up: talking")
    assert len(await exchange.sounds("note")) == 1


async def test_a_caller_on_hold_stays_so_under_the_next_controller(exchange: Exchange) -> None:
    talk = await talking(exchange)
    await on_hold(talk)
    async with another_controller(exchange):
        pass
    await talk.caller.hears("on-hold")
    await talk.operator.presses("*1")
    await talk.operator.talks_with(talk.caller)
    await talk.caller.hangs_up()
    await exchange.ended("caller hung up: talking")
    await free(exchange, "rotterdam-1")


async def test_three_in_a_talk_go_on_under_the_next_controller(exchange: Exchange) -> None:
    talk = await talking(exchange)
    await asked_in(exchange, talk)
    await all_hear_each_other(talk.caller, talk.operator, talk.colleague)
    async with another_controller(exchange):
        await all_hear_each_other(talk.caller, talk.operator, talk.colleague)
    await talk.operator.presses("*2")
    await talk.colleague.is_hung_up()
    await talk.operator.talks_with(talk.caller)
    await free(exchange, "rotterdam-2")


async def test_a_colleague_goes_on_when_the_operator_left_while_no_controller_was_there(exchange: Exchange) -> None:
    talk = await talking(exchange)
    await asked_in(exchange, talk)
    async with another_controller(exchange):
        await talk.operator.hangs_up()
    await talk.colleague.talks_with(talk.caller)
    await free(exchange, "rotterdam-1")


async def test_a_recording_goes_on_under_the_next_controller(exchange: Exchange) -> None:
    talk = await talking(exchange)
    await recording(talk)
    async with another_controller(exchange):
        await exchange.wiring.passes(1)
    await talk.operator.presses("*5")
    await talk.operator.hears("recording-off")
    assert len(await exchange.sounds("talk")) == 1
    assert exchange.wiring.plain_recordings() == []


async def test_a_note_broken_off_by_a_takeover_is_kept(exchange: Exchange) -> None:
    talk = await talking(exchange)
    await talk.operator.presses("*6")
    await talk.operator.hears("speak-note")
    await exchange.wiring.passes(4)
    async with another_controller(exchange):
        pass
    await until(lambda: kept_one(exchange), "the note kept")
    await talk.operator.presses("*1")
    await talk.operator.talks_with(talk.caller)
    assert exchange.wiring.plain_recordings() == []


async def kept_one(exchange: Exchange) -> bool:
    return len(await exchange.sounds("note")) == 1


@pytest.mark.parametrize("who", ["caller", "operator"])
@pytest.mark.parametrize("when", ["on hold", "three", "ringing", "recording"])
async def test_whoever_hangs_up_whenever_leaves_nothing(exchange: Exchange, who: str, when: str) -> None:
    talk = await talking(exchange)
    if when == "on hold":
        await on_hold(talk)
    elif when == "three":
        await asked_in(exchange, talk)
    elif when == "recording":
        await recording(talk)
    else:
        await talk.operator.presses("*2" + await number_of(exchange, "rotterdam-2") + "#")
        await talk.colleague.rings()
    await (talk.caller if who == "caller" else talk.operator).hangs_up()
    if who == "operator" and when == "three":
        await free(exchange, "rotterdam-1")
        await talk.colleague.hangs_up()
    if who == "operator":
        await talk.caller.hears("operator-left")
    await exchange.ended("operator hung up" if who == "operator" else "caller hung up: talking")
    await exchange.is_quiet()
    await free(exchange, "rotterdam-1", "rotterdam-2")
