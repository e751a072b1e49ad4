"""Two controllers on one Asterisk node: when one ends, the other goes on with its calls, and gives the name back."""

import asyncio

import pytest

from actions.models import Region
from burgernet import adoption
from burgernet.served_name import ServedName
from telephony.siblings import LOOK_S
from tests.conversations.exchange import FREE_NUMBER, Exchange, Music, until


async def test_who_talks_and_who_waits_goes_on_under_the_other_controller_until_the_own_one_is_back(
    exchange: Exchange,
) -> None:
    action = await exchange.action("rotterdam")
    for number in ("+31612345678", "+31687654321", "+31611111111"):
        await exchange.alerted(number, action)
    operator = await exchange.operator("rotterdam-1")
    first, second, third = [
        await exchange.caller(number) for number in ("+31612345678", "+31687654321", "+31611111111")
    ]
    await first.dials(FREE_NUMBER)
    await operator.answers()
    await operator.talks_with(first)
    await second.dials(FREE_NUMBER)
    await second.hears(Music())
    async with exchange.beside("two"):
        await exchange.stops()
        await operator.talks_with(first)
        await until(lambda: exchange.leads("test"), "the name served by the other", bound_s=15)
        await third.dials(FREE_NUMBER)
        await third.hears(Music())
        await first.hangs_up()
        await operator.is_hung_up()
        await operator.answers()
        await operator.talks_with(second)
        await exchange.starts()
        await operator.talks_with(second)
    await second.hangs_up()
    await operator.is_hung_up()
    await operator.answers()
    await operator.talks_with(third)
    await third.hangs_up()
    await operator.is_hung_up()
    await until(lambda: exchange.all_ended(3), "every call ended in the book")
    assert [call.ended_how for call in await exchange.calls()] == ["caller hung up: talking"] * 3


async def test_a_controller_that_is_told_to_end_takes_no_new_calls_and_may_go_when_the_last_talk_is_over(
    exchange: Exchange,
) -> None:
    action = await exchange.action("rotterdam")
    await exchange.alerted("+31612345678", action)
    operator, first = await exchange.operator("rotterdam-1"), await exchange.caller("+31612345678")
    await first.dials(FREE_NUMBER)
    await operator.answers()
    await operator.talks_with(first)
    exchange.base.stopping.set()
    second = await exchange.caller("+31104123456")
    await until(exchange.is_closed, "closed")
    await second.dials(FREE_NUMBER)
    await second.hears("fallback-warning")
    await second.hangs_up()
    await operator.talks_with(first)
    assert not exchange.base.drained.is_set()
    await first.hangs_up()
    await operator.is_hung_up()
    async with asyncio.timeout(15):
        await exchange.base.drained.wait()


async def test_a_controller_that_is_told_to_end_leaves_talks_to_another_at_once(exchange: Exchange) -> None:
    action = await exchange.action("rotterdam")
    await exchange.alerted("+31612345678", action)
    operator, first = await exchange.operator("rotterdam-1"), await exchange.caller("+31612345678")
    await first.dials(FREE_NUMBER)
    await operator.answers()
    await operator.talks_with(first)
    async with exchange.beside("two"):
        await asyncio.sleep(2 * LOOK_S)
        exchange.base.stopping.set()
        async with asyncio.timeout(15):
            await exchange.base.drained.wait()
        await operator.talks_with(first)
        await exchange.stops()
        await until(lambda: exchange.leads("test"), "the name served by the other", bound_s=15)
        await operator.talks_with(first)
        await first.hangs_up()
        await operator.is_hung_up()
        exchange.base.stopping.clear()
        await exchange.starts()


async def test_the_dialplan_is_told_which_phones_are_on_duty_and_which_room_took_over_a_region(
    exchange: Exchange,
) -> None:
    await exchange.operator("den-haag-1", on_duty=False)
    second, caller = await exchange.operator("den-haag-2"), await exchange.caller("+31104123456")
    async with exchange.base.store.writing() as session:
        region = await session.get_one(Region, "rotterdam")
        region.room_id = "den-haag"
        session.add(region)
    await exchange.stops()
    await exchange.starts()
    knows = {"ROOM_010": "den-haag", "PHONES_den-haag": "PJSIP/den-haag-2"}
    await until(lambda: exchange.dialplan_knows(**knows), "the dialplan told")
    await exchange.stops()
    await caller.dials(FREE_NUMBER)
    await caller.hears("fallback-warning")
    await second.answers()
    await second.talks_with(caller)
    await second.hangs_up()
    await caller.is_hung_up()
    await exchange.starts()


async def test_a_caller_who_comes_while_a_dead_controllers_name_is_given_up_is_not_forgotten(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    served, given_up, over = asyncio.Event(), asyncio.Event(), adoption._over

    async def just_before(name: ServedName) -> None:
        if given_up.is_set():
            return await over(name)
        await name.controller.reconciled.wait()
        served.set()
        while not name.controller.calls:  # noqa: ASYNC110 - the moment itself is wanted
            await asyncio.sleep(0.01)
        given_up.set()
        return None

    monkeypatch.setattr(adoption, "_over", just_before)
    await exchange.action("rotterdam")
    callers = [await exchange.caller(f"+3161234567{number}", silent=True) for number in range(8)]
    async with exchange.beside("two"):
        await asyncio.sleep(2 * LOOK_S)
        await exchange.stops()
        async with asyncio.timeout(15):
            await served.wait()
        for caller in callers:
            await caller.dials(FREE_NUMBER)
        async with asyncio.timeout(15):
            await given_up.wait()
        for caller in callers:
            await caller.hears("ask-code")
            await caller.hangs_up()
        await exchange.starts()
