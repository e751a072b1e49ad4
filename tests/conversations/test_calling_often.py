"""One number that calls very often takes nothing from others."""

from __future__ import annotations

import pytest

from ivr_flows.often import Limits
from tests.conversations.exchange import FREE_NUMBER, Exchange

NUMBER, OTHER = "+31612345678", "+31687654321"


@pytest.fixture
def few(exchange: Exchange) -> None:
    exchange.base.often._limits = Limits(caller=1, source=1000, at_once=2)


async def test_a_third_call_at_once_from_one_number_hears_so_and_the_others_go_on(
    exchange: Exchange, few: None
) -> None:
    action = await exchange.action()
    await exchange.alerted(NUMBER, action)
    callers = [await exchange.caller(NUMBER) for _ in range(3)]
    for phone in callers[:2]:
        await phone.dials(FREE_NUMBER)
        await phone.hears("welcome")
    await callers[2].dials(FREE_NUMBER)
    await callers[2].hears("too-often")
    await callers[2].is_hung_up()
    for phone in callers[:2]:
        await phone.hears("leave-tip")


async def test_who_calls_often_is_served_after_somebody_who_came_later(exchange: Exchange, few: None) -> None:
    action = await exchange.action()
    for number in (NUMBER, OTHER):
        await exchange.alerted(number, action)
    operator = await exchange.operator("rotterdam-1")
    first = await exchange.caller(NUMBER)
    await first.dials(FREE_NUMBER)
    await operator.answers()
    await first.talks_with(operator)
    again, other = await exchange.caller(NUMBER), await exchange.caller(OTHER)
    await again.dials(FREE_NUMBER)
    await exchange.waiting(1)
    await other.dials(FREE_NUMBER)
    await exchange.waiting(2)
    await first.hangs_up()
    await operator.answers()
    await other.talks_with(operator)
