"""A caller keeps the place in line and is called back: written first, then promised; once, and nobody is forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from sqlmodel import col, select

from actions import call_backs as rows
from actions.matching import OpenAction
from actions.models import Call, CallBack, now
from burgernet import call_backs
from ivr_flows.catalogue import said_in
from tests.conversations.exchange import FREE_NUMBER, Phone, until, whispered
from tests.voice.street import Street, Subscriber

ENGAGED, KEEPER = 8, 9


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "FIRST_AFTER", timedelta(seconds=0.3))
    monkeypatch.setattr(rows, "AGAIN_AFTER", (timedelta(seconds=0.1),) * 2)
    monkeypatch.setattr(call_backs, "LOOK_AGAIN_S", 0.1)
    monkeypatch.setattr(call_backs, "CLAIM_S", 2.5)
    monkeypatch.setattr(call_backs, "RING_S", 3.0)


async def kept(street: Street) -> list[CallBack]:
    async with street.base.store.reading() as session:
        return list(await session.exec(select(CallBack)))


async def ended(street: Street, how: str) -> CallBack:
    async def over() -> bool:
        return [row.ended_how for row in await kept(street)] == [how]

    try:
        await until(over, f"the call-back ended: {how}")
    except TimeoutError:
        raise AssertionError(f"{[row.ended_how for row in await kept(street)]}") from None
    (row,) = await kept(street)
    return row


async def engaged(street: Street) -> tuple[OpenAction, Phone, Subscriber, Subscriber]:
    """An action; its only operator, who talks; with whom; and somebody who was alerted and does not call yet."""
    exchange = street.exchange
    action = await exchange.action("rotterdam")
    operator = await exchange.operator("rotterdam-1")
    first, second = await street.person(ENGAGED), await street.person(KEEPER)
    for phone in (first, second):
        await exchange.alerted(phone.number, action)
    await first.dials(FREE_NUMBER)
    await operator.answers()
    return action, operator, first, second


async def keeps_the_place(phone: Subscriber) -> None:
    await phone.dials(FREE_NUMBER)
    await phone.hears("line-menu-keep")
    await phone.presses("1")
    await phone.hears("call-back-promised")
    await phone.is_hung_up()


async def test_when_it_is_the_callers_turn_the_caller_is_called_and_talks(street: Street) -> None:
    action, operator, first, caller = await engaged(street)
    await keeps_the_place(caller)
    assert [(row.reason, row.ended_at) for row in await kept(street)] == [("asked", None)]

    await first.hangs_up()
    await caller.answers()
    assert caller.display == "+318000011"
    await caller.hears("call-back")
    await caller.presses("1")
    await operator.answers()
    await operator.hears(whispered(action))
    await operator.hears(said_in("nl", "calls-back"))
    await operator.talks_with(caller)
    row = await ended(street, "reached")
    await caller.hangs_up()
    async with street.base.store.reading() as session:
        call = (await session.exec(select(Call).where(col(Call.callback_of).is_not(None)))).one()
    assert (call.callback_of, call.direction, call.action_id) == (row.id, "out", action.id)


async def test_the_place_is_the_original_one(street: Street) -> None:
    _, operator, first, caller = await engaged(street)
    await keeps_the_place(caller)
    later = await street.exchange.caller("+31687654321")
    await street.exchange.alerted("+31687654321", (await street.base.desk.open_actions())[0])
    await street.exchange.waiting(1)
    await later.dials(FREE_NUMBER)
    await street.exchange.waiting(2)

    await first.hangs_up()
    await caller.answers()
    await caller.presses("1")
    await operator.answers()
    await operator.talks_with(caller)
    await caller.hangs_up()
    await operator.is_hung_up()
    await operator.answers()
    await operator.talks_with(later)


async def test_with_the_operator_first_the_operator_waits_for_the_caller(street_operator_first: Street) -> None:
    street = street_operator_first
    action, operator, first, caller = await engaged(street)
    await keeps_the_place(caller)

    await first.hangs_up()
    await operator.is_hung_up()
    await operator.answers()
    await operator.hears(whispered(action))
    await operator.hears(said_in("nl", "calls-back"))
    await caller.answers()
    await caller.hears("call-back")
    await caller.presses("1")
    await operator.talks_with(caller)
    await ended(street, "reached")


async def test_one_who_does_not_answer_is_called_three_times_and_then_no_more(street: Street) -> None:
    _, operator, first, caller = await engaged(street)
    await keeps_the_place(caller)
    await first.hangs_up()
    for _ in range(3):
        await caller.rejects()
    row = await ended(street, "not answered")
    assert row.tries == 3
    await until(lambda: street.exchange.is_free("rotterdam-1"), "the operator free")
    assert not operator.rang


async def test_a_machine_that_answers_is_not_put_through(street: Street) -> None:
    _, operator, first, caller = await engaged(street)
    await keeps_the_place(caller)
    await first.hangs_up()
    await operator.is_hung_up()
    for _ in range(3):
        await caller.answers()
        await caller.hears("call-back")
        await caller.is_hung_up()
    await ended(street, "not answered")
    assert not operator.rang


async def test_when_the_action_ends_nobody_is_called_any_more(street: Street) -> None:
    action, _, first, caller = await engaged(street)
    await keeps_the_place(caller)
    await street.exchange.waiting(1)
    await street.exchange.ends(action)
    await ended(street, "the action ended")
    await first.hangs_up()
    await street.exchange.waiting(0)
    assert not caller.rang


async def test_who_calls_again_goes_on_at_the_own_place(street: Street) -> None:
    _, operator, first, caller = await engaged(street)
    await keeps_the_place(caller)
    (row,) = await kept(street)
    await street.exchange.waiting(1)
    await caller.dials(FREE_NUMBER)
    await ended(street, "called again")
    await first.hangs_up()
    await operator.is_hung_up()
    await operator.answers()
    await operator.talks_with(caller)
    async with street.base.store.reading() as session:
        again = (await session.exec(select(Call).order_by(col(Call.waiting_at).desc()))).first()
    assert again
    assert again.match_reasons == ["this number was to be called back about it"]
    assert row.id != again.id


async def test_without_the_database_nothing_is_promised_and_the_caller_stays_in_line(street: Street) -> None:
    _, operator, first, caller = await engaged(street)
    await caller.dials(FREE_NUMBER)
    await caller.hears("line-menu-keep")
    with street.exchange.database("away"):
        await caller.presses("1")
        await caller.hears("not-now")
    assert await kept(street) == []
    await first.hangs_up()
    await operator.is_hung_up()
    await operator.answers()
    await operator.talks_with(caller)


@pytest.mark.parametrize("ends", ["before the call", "while it rings", "after the promise"])
async def test_a_controller_that_ends_between_the_row_and_the_call_leaves_the_row_to_the_next(
    street: Street, ends: str
) -> None:
    _, operator, first, caller = await engaged(street)
    await keeps_the_place(caller)
    if ends != "after the promise":
        await street.exchange.waiting(1)
    if ends == "while it rings":
        await first.hangs_up()
        await caller.rings()
    await street.exchange.stops()
    await street.exchange.starts()
    if ends == "while it rings":
        await caller.is_hung_up()
    else:
        await first.hangs_up()
    await caller.answers()
    await caller.presses("1")
    await operator.answers()
    await operator.talks_with(caller)
    await ended(street, "reached")


async def test_a_call_back_taken_over_in_mid_question_asks_again(street: Street) -> None:
    _, operator, first, caller = await engaged(street)
    await keeps_the_place(caller)
    await first.hangs_up()
    await caller.answers()
    await caller.hears("call-back")
    await street.exchange.stops()
    await street.exchange.starts()
    await caller.hears("call-back")
    await caller.presses("1")
    await operator.answers()
    await operator.talks_with(caller)
    await ended(street, "reached")


async def test_with_nobody_on_duty_the_caller_may_be_called_back(street: Street) -> None:
    action = await street.exchange.action("rotterdam")
    caller = await street.person(KEEPER)
    await street.exchange.alerted(caller.number, action)
    await caller.dials(FREE_NUMBER)
    await caller.hears("call-back-or-tip")
    await caller.presses("1")
    await caller.hears("call-back-promised")
    await caller.is_hung_up()
    operator = await street.exchange.operator("rotterdam-1")
    await caller.answers()
    await caller.presses("1")
    await operator.answers()
    await operator.talks_with(caller)


@pytest.mark.parametrize("who", ["withheld", "foreign", "anonymous"])
async def test_who_cannot_be_called_is_not_asked(street: Street, who: str) -> None:
    action, *_ = await engaged(street)
    number = "+4915112345678" if who == "foreign" else "+31687654321"
    caller = await street.exchange.caller(number, withheld=who == "withheld")
    await caller.dials(FREE_NUMBER)
    await caller.hears("ask-code")
    await caller.presses("0" * (who == "anonymous") + action.code)
    await caller.hears("line-menu")
    await caller.presses("1")
    await caller.hears("line-menu")
    assert await kept(street) == []


async def test_callers_in_line_on_a_lost_node_are_called_back(street: Street) -> None:
    _, operator, first, caller = await engaged(street)
    withheld = await street.exchange.caller("+31687654321", withheld=True)
    await caller.dials(FREE_NUMBER)
    await withheld.dials(FREE_NUMBER)
    await street.exchange.waiting(1)
    await until(partial(_waits, street), "the call written as waiting")
    ids = [call.id for call in await street.exchange.calls()]
    assert await street.exchange.board.call_backs.keep_for(ids, rows.NODE_LOST) == 1
    await caller.hangs_up()
    await first.hangs_up()
    await caller.answers()
    await caller.presses("1")
    await operator.answers()
    await operator.talks_with(caller)
    assert (await ended(street, "reached")).reason == "node lost"


async def test_a_row_of_a_controller_that_died_is_taken_by_another_when_its_claim_is_over(street: Street) -> None:
    await street.exchange.stops()
    action = (await street.exchange.action("rotterdam")).id
    backs = rows.CallBacks(street.base.store, street.base.vaults.police)
    place = rows.Place("burgernet-dead-1", action, "code", None, "nl", now())
    await backs.keep(place, "+31610000009")
    await backs.keep(place, "+31610000009")
    await _due(lambda: backs.claim("burgernet-dead", 10))
    assert await backs.claim("burgernet-alive", 10) == []
    assert not await backs.holds(place.id, "burgernet-alive")
    assert await backs.holds(place.id, "burgernet-dead")
    await backs.let_go_all("burgernet-dead")
    assert [row.id for row in await backs.claim("burgernet-alive", 10)] == [place.id]
    assert not await backs.try_begins(place.id, "burgernet-dead")
    assert await backs.try_begins(place.id, "burgernet-alive")
    await street.exchange.starts()


async def _due(claim: Callable[[], object]) -> None:
    async def claimed() -> bool:
        found = claim()
        assert asyncio.iscoroutine(found)
        return bool(await found)

    await until(claimed, "the row claimed")


async def _waits(street: Street) -> bool:
    return any(call.waiting_at and not call.connected_at for call in await street.exchange.calls())


async def test_a_database_that_is_away_when_it_is_the_callers_turn_keeps_no_operator(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "CLAIM_S", 3.0)
    _, operator, first, caller = await engaged(street)
    await keeps_the_place(caller)
    begins, tried = rows.CallBacks.try_begins, asyncio.Event()

    async def away_once(kept: rows.CallBacks, call_back_id: str, app: str) -> bool:
        if not tried.is_set():
            tried.set()
            raise TimeoutError
        return await begins(kept, call_back_id, app)

    monkeypatch.setattr(rows.CallBacks, "try_begins", away_once)
    await first.hangs_up()
    await tried.wait()
    await until(lambda: street.exchange.is_free("rotterdam-1"), "the operator free")
    await caller.answers()
    await caller.presses("1")
    await operator.answers()
    await operator.talks_with(caller)
