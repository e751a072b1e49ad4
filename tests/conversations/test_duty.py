"""What operators tell from their own phone, and what becomes of callers meanwhile: wrap-up, pause, closed rooms, lent
operators."""

from __future__ import annotations

from actions import live
from actions.rooms import Rooms
from tests.conversations.exchange import FREE_NUMBER, ME, Exchange, until
from tests.conversations.phones import Phone

KNOWN = "+31612345678"
OTHER = "+31687654321"


async def known(exchange: Exchange, number: str = KNOWN) -> Phone:
    """Somebody who was alerted in the only open action, of Rotterdam."""
    actions = await exchange.base.desk.open_actions() or [await exchange.action("rotterdam")]
    await exchange.alerted(number, actions[0])
    return await exchange.caller(number)


async def changed(exchange: Exchange, room: str, **now: object) -> None:
    """As from the command line; returns when the conversations know it."""
    await live.wake(exchange.base.redis, live.DUTY)

    async def so() -> bool:
        known_as = exchange.board.rooms[room]
        return all(getattr(known_as, name) == value for name, value in now.items())

    await until(so, f"{room} changed")


async def state(exchange: Exchange, operator: str) -> str:
    return str(await exchange.base.redis.hget("burgernet:state", operator) or "away").split(" ")[0]


async def test_after_a_talk_the_next_caller_waits_until_the_operator_is_ready(exchange: Exchange) -> None:
    await Rooms(exchange.base.store).wrap_up("rotterdam", 600, ME)
    await changed(exchange, "rotterdam", wrap_up_s=600)
    operator = await exchange.operator("rotterdam-1")
    first, second = await known(exchange), await known(exchange, OTHER)
    await first.dials(FREE_NUMBER)
    await operator.answers()
    await operator.talks_with(first)
    await first.hangs_up()
    await operator.is_hung_up()

    await second.dials(FREE_NUMBER)
    await exchange.waiting(1)
    assert await state(exchange, "rotterdam-1") == "wrap_up"
    await operator.dials("*13")
    await operator.hears("ready")
    await operator.is_hung_up()
    await operator.answers()
    await operator.talks_with(second)


async def test_an_operator_who_pauses_gets_no_callers_until_ready(exchange: Exchange) -> None:
    operator, colleague = await exchange.operator("rotterdam-1"), await exchange.operator("rotterdam-2")
    await operator.dials("*14")
    await operator.hears("paused")
    await operator.is_hung_up()
    assert await state(exchange, "rotterdam-1") == "away"

    caller = await known(exchange)
    await caller.dials(FREE_NUMBER)
    await colleague.answers()
    await colleague.talks_with(caller)
    assert not operator.rang
    await operator.dials("*13")
    await operator.hears("ready")
    await operator.is_hung_up()
    await until(lambda: exchange.is_free("rotterdam-1"), "the operator back")


async def test_callers_of_a_closed_room_go_to_its_neighbour_at_once(exchange: Exchange) -> None:
    own, neighbour = await exchange.operator("rotterdam-1"), await exchange.operator("den-haag-1")
    await Rooms(exchange.base.store).close("rotterdam", ME)
    await live.wake(exchange.base.redis, live.DUTY)
    await until(lambda: exchange.off_duty("rotterdam-1"), "the room closed")

    caller = await known(exchange)
    await caller.dials(FREE_NUMBER)
    await neighbour.answers()
    await neighbour.talks_with(caller)
    assert not own.rang


async def test_a_lent_operator_takes_the_callers_of_the_other_room(exchange: Exchange) -> None:
    lent = await exchange.operator("limburg-1")
    await Rooms(exchange.base.store).lend("limburg-1", "rotterdam", ME)
    await live.wake(exchange.base.redis, live.DUTY)

    async def serves() -> bool:
        return bool(await exchange.base.redis.hget("burgernet:duty", "limburg-1") == "rotterdam")

    await until(serves, "the operator lent")
    caller = await known(exchange)
    await caller.dials(FREE_NUMBER)
    await lent.answers()
    await lent.talks_with(caller)


async def test_callers_in_line_go_along_when_their_action_is_handed_over(exchange: Exchange) -> None:
    elsewhere, busy = await exchange.operator("limburg-1"), await exchange.operator("rotterdam-1")
    talking, caller = await known(exchange, OTHER), await known(exchange)
    await talking.dials(FREE_NUMBER)
    await busy.answers()
    await busy.talks_with(talking)
    await caller.dials(FREE_NUMBER)
    await exchange.waiting(1)

    (action,) = await exchange.base.desk.open_actions()
    await Rooms(exchange.base.store).hand_over(action.code, "limburg", ME)
    await live.wake(exchange.base.redis)
    await elsewhere.answers()
    await elsewhere.talks_with(caller)


async def test_the_seats_of_a_rooms_own_exchange_are_rung(exchange: Exchange) -> None:
    pbx = await exchange.operator("room-rotterdam", on_duty=False)
    await Rooms(exchange.base.store).switchboard("rotterdam", "sip:5000@192.0.2.7:5060", 1, ME)
    await changed(exchange, "rotterdam", seats=1)
    await until(lambda: exchange.on_duty("rotterdam-seat-1"), "the seat on duty")
    caller = await known(exchange)
    await caller.dials(FREE_NUMBER)
    await pbx.answers()
    await pbx.talks_with(caller)
