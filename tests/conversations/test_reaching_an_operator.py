"""Who is rung, in which order, and what becomes of a caller whose operator cannot be reached."""

from __future__ import annotations

import pytest

from actions.matching import OpenAction
from actions.models import Operator
from tests.conversations.exchange import FREE_NUMBER, Exchange, until, whispered
from tests.conversations.phones import Phone

KNOWN = "+31612345678"


async def known_caller(exchange: Exchange, by: str | None = None) -> tuple[OpenAction, Phone]:
    """An action of Rotterdam, and somebody whom it alerted."""
    action = await exchange.action("rotterdam", by=by)
    await exchange.alerted(KNOWN, action)
    return action, await exchange.caller(KNOWN)


async def test_the_operator_who_started_the_action_is_rung_first(exchange: Exchange) -> None:
    action, caller = await known_caller(exchange, by="rotterdam-2")
    idle_longer = await exchange.operator("rotterdam-1")
    starter = await exchange.operator("rotterdam-2")

    await caller.dials(FREE_NUMBER)
    await starter.answers()
    await starter.hears(whispered(action))
    await starter.talks_with(caller)
    assert not idle_longer.rang


async def test_without_the_starter_the_longest_idle_is_rung(exchange: Exchange) -> None:
    _, first = await known_caller(exchange, by="rotterdam-2")
    idle_longest = await exchange.operator("rotterdam-1")

    await first.dials(FREE_NUMBER)
    await idle_longest.answers()
    await idle_longest.talks_with(first)
    await first.hangs_up()
    await until(lambda: exchange.is_free("rotterdam-1"), "the operator free again")
    idle_since_later = await exchange.operator("rotterdam-2")
    await exchange.ends((await exchange.board.desk.open_actions())[0])

    action = await exchange.action("rotterdam")
    await exchange.alerted(KNOWN, action)
    await first.dials(FREE_NUMBER)
    await idle_longest.answers()
    assert not idle_since_later.rang


async def test_a_starter_who_does_not_answer_goes_off_duty_and_a_colleague_is_rung(exchange: Exchange) -> None:
    _, caller = await known_caller(exchange, by="rotterdam-2")
    colleague = await exchange.operator("rotterdam-1")
    starter = await exchange.operator("rotterdam-2")

    await caller.dials(FREE_NUMBER)
    await starter.rings()
    await starter.is_hung_up()
    await colleague.answers()
    await colleague.talks_with(caller)
    assert not await exchange.on_duty("rotterdam-2")


@pytest.mark.parametrize("refusal", ["rejects", "is_engaged"])
async def test_one_who_rejects_or_is_busy_stays_on_duty_and_a_colleague_is_rung(
    exchange: Exchange, refusal: str
) -> None:
    _, caller = await known_caller(exchange, by="rotterdam-2")
    colleague = await exchange.operator("rotterdam-1")
    unwilling = await exchange.operator("rotterdam-2")
    if refusal == "is_engaged":
        await unwilling.is_engaged()

    await caller.dials(FREE_NUMBER)
    if refusal == "rejects":
        await unwilling.rejects()
    await colleague.answers()
    await colleague.talks_with(caller)
    assert await exchange.is_free("rotterdam-2")


async def test_an_operator_without_a_phone_is_not_waited_for(exchange: Exchange) -> None:
    _, caller = await known_caller(exchange)
    gone = await exchange.operator("rotterdam-1")
    next_room = await exchange.operator("den-haag-1")
    await gone.unregisters()
    await until(lambda: exchange.off_duty("rotterdam-1"), "the phone missed")

    await caller.dials(FREE_NUMBER)
    await caller.hears("triage")
    await next_room.answers()
    await next_room.talks_with(caller)


async def test_a_phone_that_comes_back_brings_its_operator_back(exchange: Exchange) -> None:
    _, caller = await known_caller(exchange)
    operator = await exchange.operator("rotterdam-1")
    await operator.unregisters()
    await until(lambda: exchange.off_duty("rotterdam-1"), "the phone missed")
    await operator.registers()
    await until(lambda: exchange.is_free("rotterdam-1"), "the operator back")

    await caller.dials(FREE_NUMBER)
    await operator.answers()
    await operator.talks_with(caller)


async def test_a_phone_that_dies_while_it_rings_costs_the_caller_one_ringing_time(exchange: Exchange) -> None:
    _, caller = await known_caller(exchange, by="rotterdam-2")
    colleague = await exchange.operator("rotterdam-1")
    dying = await exchange.operator("rotterdam-2")

    await caller.dials(FREE_NUMBER)
    await dying.rings()
    await dying.vanishes()
    await colleague.answers()
    await colleague.talks_with(caller)
    assert not await exchange.on_duty("rotterdam-2")


async def test_an_operator_who_hangs_up_ends_the_call_with_a_word(exchange: Exchange) -> None:
    _, caller = await known_caller(exchange)
    operator = await exchange.operator("rotterdam-1")

    await caller.dials(FREE_NUMBER)
    await operator.answers()
    await operator.talks_with(caller)
    await operator.hangs_up()
    await caller.hears("operator-left")
    await caller.is_hung_up()
    await exchange.ended("operator hung up")
    assert await exchange.is_free("rotterdam-1")


async def test_an_operator_who_hangs_up_during_the_whisper_is_passed_over(exchange: Exchange) -> None:
    _, caller = await known_caller(exchange, by="rotterdam-2")
    colleague = await exchange.operator("rotterdam-1")
    hasty = await exchange.operator("rotterdam-2")

    await caller.dials(FREE_NUMBER)
    await hasty.answers()
    await hasty.hangs_up()
    await colleague.answers()
    await colleague.talks_with(caller)


async def test_when_the_phone_of_a_talking_operator_dies_the_caller_can_leave(exchange: Exchange) -> None:
    _, caller = await known_caller(exchange)
    operator = await exchange.operator("rotterdam-1")

    await caller.dials(FREE_NUMBER)
    await operator.answers()
    await operator.talks_with(caller)
    await operator.vanishes()
    await caller.hangs_up()
    await exchange.ended("caller hung up: talking")


async def test_a_phone_that_stays_silent_for_a_minute_ends_the_talk(exchange: Exchange) -> None:
    _, caller = await known_caller(exchange)
    operator = await exchange.operator("rotterdam-1")

    await caller.dials(FREE_NUMBER)
    await operator.answers()
    await operator.talks_with(caller)
    await operator.vanishes()
    await caller.hears("operator-left")
    await exchange.ended("operator hung up")


async def test_operators_sign_on_and_off_from_their_own_phone(exchange: Exchange) -> None:
    operator = await exchange.operator("rotterdam-1", on_duty=False)

    await operator.dials("*11")
    await operator.hears("signed-on")
    await operator.is_hung_up()
    await until(lambda: exchange.is_free("rotterdam-1"), "the operator signed on")

    await operator.dials("*12")
    await operator.hears("signed-off")
    await operator.is_hung_up()
    assert not await exchange.on_duty("rotterdam-1")


async def test_an_operator_who_signs_off_during_a_talk_finishes_it_and_gets_no_other(exchange: Exchange) -> None:
    _, caller = await known_caller(exchange)
    operator = await exchange.operator("rotterdam-1")

    await caller.dials(FREE_NUMBER)
    await operator.answers()
    await operator.talks_with(caller)
    await exchange.signs_off("rotterdam-1")
    await operator.talks_with(caller)
    await caller.hangs_up()
    await exchange.ended("caller hung up: talking")
    assert not await exchange.is_free("rotterdam-1")


async def test_a_phone_without_an_operator_cannot_sign_on(exchange: Exchange) -> None:
    async with exchange.base.store.writing() as session:
        await session.delete(await session.get(Operator, "limburg-2"))
    stranger = await exchange.operator("limburg-2", on_duty=False)

    await stranger.dials("*11")
    await stranger.hears("not-an-operator")
    await stranger.is_hung_up()
    assert not await exchange.on_duty("limburg-2")


async def test_signing_on_without_the_database_is_refused_for_now(exchange: Exchange) -> None:
    operator = await exchange.operator("rotterdam-1", on_duty=False)

    with exchange.database("away"):
        await operator.dials("*11")
        await operator.hears("not-now")
    await operator.is_hung_up()
    assert not await exchange.on_duty("rotterdam-1")


@pytest.mark.parametrize("dialled", [FREE_NUMBER, "112", "*15", "+31612345678"])
async def test_an_operators_phone_can_call_nothing_but_its_feature_codes(exchange: Exchange, dialled: str) -> None:
    operator = await exchange.operator("rotterdam-1")
    await operator.dials(dialled)
    await operator.is_hung_up()
    assert await exchange.calls() == []


async def test_a_line_of_the_public_cannot_sign_on(exchange: Exchange) -> None:
    line = await exchange.line("line-1")
    await line.dials("*11")
    await line.is_hung_up()
    assert await exchange.base.redis.hgetall("burgernet:duty") == {}
