"""The controller, Redis or the connection with Asterisk goes away in mid-call: no caller is lost, no talk is cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from actions.call_book import CallBook
from actions.matching import OpenAction
from burgernet import roster
from telephony import fake_ari, waiting_line
from tests.conversations.exchange import FREE_NUMBER, Exchange, until, whispered
from tests.conversations.phones import Music, Phone

KNOWN = "+31612345678"
STRANGER = "+31687654321"


@asynccontextmanager
async def another_controller(exchange: Exchange) -> AsyncIterator[None]:
    """The controller stops; after the block the next one has started."""
    await exchange.stops()
    yield
    await exchange.starts()


async def ringing(exchange: Exchange) -> tuple[OpenAction, Phone, Phone]:
    """A caller for whom the operator of Rotterdam rings."""
    action = await exchange.action("rotterdam")
    await exchange.alerted(KNOWN, action)
    operator, caller = await exchange.operator("rotterdam-1"), await exchange.caller(KNOWN)
    await caller.dials(FREE_NUMBER)
    await operator.rings()
    return action, operator, caller


async def talking(exchange: Exchange) -> tuple[Phone, Phone]:
    action = await exchange.action("rotterdam")
    await exchange.alerted(KNOWN, action)
    operator, caller = await exchange.operator("rotterdam-1"), await exchange.caller(KNOWN)
    await caller.dials(FREE_NUMBER)
    await operator.answers()
    await operator.talks_with(caller)
    return operator, caller


async def test_without_a_controller_the_dialplan_rings_the_room_of_the_area_code(exchange: Exchange) -> None:
    operator, national = await exchange.operator("rotterdam-1"), await exchange.operator("landelijk-1")
    caller = await exchange.caller("+31104123456")
    async with another_controller(exchange):
        await caller.dials(FREE_NUMBER)
        await caller.hears("fallback-warning")
        await operator.answers()
        await operator.talks_with(caller)
        assert not national.rang


async def test_without_a_controller_a_mobile_caller_reaches_the_national_room(exchange: Exchange) -> None:
    national = await exchange.operator("landelijk-1")
    caller = await exchange.caller(KNOWN)
    async with another_controller(exchange):
        await caller.dials(FREE_NUMBER)
        await national.answers()
        await national.talks_with(caller)


async def test_without_a_controller_and_with_nobody_there_the_caller_hears_so(exchange: Exchange) -> None:
    caller = await exchange.caller(KNOWN)
    async with another_controller(exchange):
        await caller.dials(FREE_NUMBER)
        await caller.hears("fallback-warning")
        await caller.hears("fallback-closing")
        await caller.is_hung_up()


async def test_when_redis_does_not_answer_the_dialplan_rings_the_room_of_the_action(exchange: Exchange) -> None:
    action = await exchange.action("den-haag")
    await exchange.alerted(KNOWN, action)
    operator = await exchange.operator("den-haag-1")
    caller = await exchange.caller(KNOWN)

    await exchange.redis_stalls(4)
    await caller.dials(FREE_NUMBER)
    await caller.hears("fallback-warning")
    await operator.answers()
    await operator.talks_with(caller)
    await caller.hangs_up()
    await exchange.ended("handed to the dialplan")


async def test_a_talk_goes_on_while_the_controller_is_away_and_ends_well_under_the_next(exchange: Exchange) -> None:
    operator, caller = await talking(exchange)
    async with another_controller(exchange):
        await operator.talks_with(caller)
    await operator.talks_with(caller)
    assert not await exchange.is_free("rotterdam-1")
    await caller.hangs_up()
    await operator.is_hung_up()
    await exchange.ended("caller hung up: talking")
    await until(lambda: exchange.is_free("rotterdam-1"), "the operator free again")


async def test_an_operator_who_leaves_under_the_next_controller_ends_the_call_with_a_word(exchange: Exchange) -> None:
    operator, caller = await talking(exchange)
    async with another_controller(exchange):
        pass
    await operator.hangs_up()
    await caller.hears("operator-left")
    await caller.is_hung_up()
    await exchange.ended("operator hung up")


async def test_a_talk_that_ended_while_the_controller_was_away_leaves_nothing(exchange: Exchange) -> None:
    operator, caller = await talking(exchange)
    async with another_controller(exchange):
        await caller.hangs_up()
    await operator.is_hung_up()
    await exchange.is_quiet()
    await until(lambda: exchange.is_free("rotterdam-1"), "the operator free again")


async def test_a_caller_in_a_question_is_asked_again_by_the_next_controller(exchange: Exchange) -> None:
    action = await exchange.action("rotterdam")
    operator, caller = await exchange.operator("rotterdam-1"), await exchange.caller(STRANGER)
    await caller.dials(FREE_NUMBER)
    await caller.hears("ask-code")
    async with another_controller(exchange):
        pass
    await caller.hears("ask-code")
    await caller.presses(action.code)
    await operator.answers()
    await operator.talks_with(caller)


async def test_a_waiting_caller_waits_on_under_the_next_controller(exchange: Exchange) -> None:
    operator, first = await talking(exchange)
    await exchange.alerted(STRANGER, (await exchange.base.desk.open_actions())[0])
    second = await exchange.caller(STRANGER)
    await second.dials(FREE_NUMBER)
    await second.hears(Music())
    async with another_controller(exchange):
        pass
    await second.hears("triage")
    await first.hangs_up()
    await operator.is_hung_up()
    await operator.answers()
    await operator.talks_with(second)


async def test_an_operator_who_rang_rings_again_under_the_next_controller(exchange: Exchange) -> None:
    action, operator, caller = await ringing(exchange)
    async with another_controller(exchange):
        pass
    await operator.is_hung_up()
    await operator.answers()
    await operator.hears(whispered(action))
    await operator.talks_with(caller)


async def test_a_caller_whose_action_ended_during_the_takeover_hears_so(exchange: Exchange) -> None:
    action, operator, caller = await ringing(exchange)
    await exchange.stops()
    await exchange.ends(action)
    await exchange.starts()
    await operator.is_hung_up()
    await caller.hears("nothing-open")
    await caller.is_hung_up()
    await exchange.ended("no action")


async def test_a_caller_whom_nobody_can_take_after_the_takeover_leaves_a_tip(exchange: Exchange) -> None:
    _, operator, caller = await ringing(exchange)
    await exchange.stops()
    await operator.unregisters()
    await exchange.starts()
    await caller.hears("leave-tip")
    await exchange.wiring.passes(4)
    await caller.presses("#")
    await caller.hears("tip-thanks")
    await exchange.ended("tip left")


async def test_a_tip_being_recorded_is_asked_for_again_by_the_next_controller(exchange: Exchange) -> None:
    action = await exchange.action("rotterdam")
    await exchange.alerted(KNOWN, action)
    caller = await exchange.caller(KNOWN)
    await caller.dials(FREE_NUMBER)
    await caller.hears("leave-tip")
    async with another_controller(exchange):
        pass
    await caller.hears("leave-tip")
    await exchange.wiring.passes(4)
    await caller.presses("#")
    await caller.hears("tip-thanks")
    await exchange.ended("tip left")
    assert exchange.wiring.plain_recordings() == []


async def test_a_cut_connection_hides_a_hang_up_only_until_it_is_back(exchange: Exchange) -> None:
    operator, caller = await talking(exchange)
    async with exchange.asterisk_unreachable():
        await operator.talks_with(caller)
        await caller.hangs_up()
    await operator.is_hung_up()
    await exchange.ended("caller hung up: talking")


async def test_a_cut_connection_does_not_end_a_talk(exchange: Exchange) -> None:
    operator, caller = await talking(exchange)
    async with exchange.asterisk_unreachable():
        await operator.talks_with(caller)
    await operator.talks_with(caller)
    await operator.hangs_up()
    await caller.hears("operator-left")
    await exchange.ended("operator hung up")


async def test_a_caller_who_came_in_while_the_connection_was_cut_gets_the_fall_back(exchange: Exchange) -> None:
    national = await exchange.operator("landelijk-1")
    caller = await exchange.caller(KNOWN)
    async with exchange.asterisk_unreachable():
        await caller.dials(FREE_NUMBER)
        await national.answers()
        await national.talks_with(caller)


async def slow_to_connect(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> tuple[Phone, Phone, asyncio.Event]:
    """An operator who answered, a caller; their talk begins when the event is set, and Asterisk answers at once or
    never."""
    monkeypatch.setattr(fake_ari, "ANSWER_S", 0.2)
    began, goes_on, connected = asyncio.Event(), asyncio.Event(), CallBook.connected

    async def slowly(book: CallBook, call_id: str, room_id: str, operator_id: str) -> None:
        began.set()
        await goes_on.wait()
        await connected(book, call_id, room_id, operator_id)

    monkeypatch.setattr(CallBook, "connected", slowly)
    _, operator, caller = await ringing(exchange)
    await operator.picks_up()
    await began.wait()
    return operator, caller, goes_on


async def test_an_operator_who_answered_while_the_connection_went_away_is_rung_again_and_holds_no_dead_phone(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator, caller, goes_on = await slow_to_connect(exchange, monkeypatch)
    async with exchange.asterisk_unreachable():
        goes_on.set()
        await until(exchange.leads_nothing, "the call left to the next connection")
    await operator.is_hung_up()
    await operator.answers()
    await operator.talks_with(caller)
    await caller.hangs_up()
    await operator.is_hung_up()
    await exchange.is_quiet()
    await until(lambda: exchange.is_free("rotterdam-1"), "the operator free")


async def test_an_operator_whose_caller_left_before_the_talk_while_the_connection_was_away_is_free_again(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting_line, "UNLED_S", 0.2)
    monkeypatch.setattr(roster, "LOOK_AGAIN_S", 1.0)
    operator, caller, goes_on = await slow_to_connect(exchange, monkeypatch)
    async with exchange.asterisk_unreachable():
        goes_on.set()
        await until(exchange.leads_nothing, "the call left to the next connection")
        await caller.hangs_up()
    await operator.is_hung_up()
    await until(lambda: exchange.is_free("rotterdam-1"), "the operator free")
    await exchange.is_quiet()
