"""A caller whose room has nobody free: music, the next room, the national room, and last a recorded tip."""

from __future__ import annotations

from actions.matching import OpenAction
from actions.vault import Sealed
from tests.conversations.exchange import FREE_NUMBER, Exchange
from tests.conversations.phones import Music, Phone

KNOWN = "+31612345678"
OTHER = "+31687654321"


async def talking(exchange: Exchange) -> tuple[OpenAction, Phone, Phone]:
    """An action of Rotterdam whose only operator talks with a caller."""
    action = await exchange.action("rotterdam")
    await exchange.alerted(OTHER, action)
    await exchange.alerted(KNOWN, action)
    operator, first = await exchange.operator("rotterdam-1"), await exchange.caller(OTHER)
    await first.dials(FREE_NUMBER)
    await operator.answers()
    await operator.talks_with(first)
    return action, operator, first


async def alone(exchange: Exchange, *, silent: bool = False) -> tuple[OpenAction, Phone]:
    """A caller about an action while nobody anywhere is on duty, who is asked for a tip."""
    action = await exchange.action("rotterdam")
    await exchange.alerted(KNOWN, action)
    caller = await exchange.caller(KNOWN, silent=silent)
    await caller.dials(FREE_NUMBER)
    await caller.hears("leave-tip")
    return action, caller


async def test_a_waiting_caller_hears_music_and_gets_the_operator_who_becomes_free(exchange: Exchange) -> None:
    _, operator, first = await talking(exchange)
    second = await exchange.caller(KNOWN)

    await second.dials(FREE_NUMBER)
    await second.hears("triage")
    await second.hears(Music())
    await first.hangs_up()
    await operator.is_hung_up()
    await operator.answers()
    await operator.talks_with(second)


async def test_who_waits_when_the_action_ends_hears_so_and_keeps_the_place(exchange: Exchange) -> None:
    action, operator, first = await talking(exchange)
    second = await exchange.caller(KNOWN)

    await second.dials(FREE_NUMBER)
    await second.hears("triage")
    await second.hears(Music())
    await exchange.ends(action)
    await second.hears("over-in-line")
    await second.hears(Music())
    await first.hangs_up()
    await operator.is_hung_up()
    await operator.answers()
    await operator.talks_with(second)


async def test_who_waited_longest_is_served_first(exchange: Exchange) -> None:
    _, operator, first = await talking(exchange)
    await exchange.alerted("+31611111111", (await exchange.base.desk.open_actions())[0])
    second, third = await exchange.caller(KNOWN), await exchange.caller("+31611111111")
    for place, caller in enumerate((second, third), start=1):
        await caller.dials(FREE_NUMBER)
        await exchange.waiting(place)

    await first.hangs_up()
    await operator.is_hung_up()
    await operator.answers()
    await operator.talks_with(second)
    await second.hangs_up()
    await operator.is_hung_up()
    await operator.answers()
    await operator.talks_with(third)


async def test_when_patience_is_over_the_next_room_takes_the_caller(exchange: Exchange) -> None:
    await talking(exchange)
    next_room = await exchange.operator("den-haag-1")
    caller = await exchange.caller(KNOWN)

    await caller.dials(FREE_NUMBER)
    await caller.hears(Music())
    await next_room.answers()
    await next_room.talks_with(caller)
    call = (await exchange.calls())[1]
    assert (call.room_id, call.operator_id) == ("den-haag", "den-haag-1")


async def test_when_the_neighbours_are_not_there_the_national_room_takes_the_caller(exchange: Exchange) -> None:
    action = await exchange.action("rotterdam")
    await exchange.alerted(KNOWN, action)
    national = await exchange.operator("landelijk-1")
    caller = await exchange.caller(KNOWN)

    await caller.dials(FREE_NUMBER)
    await national.answers()
    await national.talks_with(caller)


async def test_a_caller_whom_nobody_can_take_leaves_a_tip_that_is_kept_sealed(exchange: Exchange) -> None:
    action, caller = await alone(exchange)
    await exchange.wiring.passes(4)
    await caller.presses("#")
    await caller.hears("tip-thanks")
    await caller.is_hung_up()
    await exchange.ended("tip left")

    ((tip, recording),) = await exchange.tips()
    assert (tip.action_id, tip.room_id, tip.source) == (action.id, "rotterdam", "call")
    assert recording.seconds >= 1
    assert b"RIFF" not in recording.sealed
    sound = exchange.base.vaults.police.open(Sealed(recording.sealed, recording.key_version), "recording")
    assert sound.startswith(b"RIFF")
    assert exchange.wiring.plain_recordings() == []


async def test_a_tip_said_before_the_caller_hung_up_is_kept(exchange: Exchange) -> None:
    action, caller = await alone(exchange)
    await exchange.wiring.passes(4)
    await caller.hangs_up()
    await exchange.ended("caller hung up: tip")

    ((tip, _),) = await exchange.tips()
    assert tip.action_id == action.id
    assert exchange.wiring.plain_recordings() == []


async def test_a_caller_who_says_nothing_leaves_no_tip(exchange: Exchange) -> None:
    _, caller = await alone(exchange, silent=True)
    await caller.hears("tip-empty")
    await caller.is_hung_up()
    await exchange.ended("no tip left")
    assert await exchange.tips() == []
    assert exchange.wiring.plain_recordings() == []


async def test_a_tip_left_while_the_database_is_away_is_kept_once_it_is_back(exchange: Exchange) -> None:
    action, caller = await alone(exchange)
    with exchange.database("away"):
        await exchange.wiring.passes(4)
        await caller.presses("#")
        await caller.hears("tip-thanks")
        await caller.is_hung_up()
        await exchange.is_quiet()
    await exchange.ended("tip left")
    ((tip, _),) = await exchange.tips()
    assert tip.action_id == action.id
