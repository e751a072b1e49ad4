"""What the telephony role sees of its phones, for the alarms."""

from __future__ import annotations

import dataclasses

from tests.conversations.exchange import FREE_NUMBER, Exchange, until


async def test_a_room_whose_phones_all_vanished_is_seen(exchange: Exchange) -> None:
    first = await exchange.operator("rotterdam-1")
    second = await exchange.operator("rotterdam-2")
    await exchange.operator("limburg-1", on_duty=False)

    async def phones(count: int) -> bool:
        return (await exchange.facts()).get(("room_phones", "rotterdam")) == count

    await until(lambda: phones(2), "both phones seen")
    await first.unregisters()
    await until(lambda: phones(1), "one phone seen")
    await second.unregisters()
    await until(lambda: phones(0), "no phone seen")
    facts = await exchange.facts()
    assert ("room_phones", "limburg") not in facts
    assert all(value == 1 for (what, _), value in facts.items() if what in ("answers", "observes"))


async def test_callers_of_a_room_whose_phones_all_vanished_go_to_the_next_room_at_once(exchange: Exchange) -> None:
    for_ever = dataclasses.replace(exchange.board.patience, in_one_room=600)
    object.__setattr__(exchange.board, "patience", for_ever)
    action = await exchange.action()
    for number in ("+31612345678", "+31687654321"):
        await exchange.alerted(number, action)
    busy = await exchange.operator("rotterdam-1")
    first, second = await exchange.caller("+31612345678"), await exchange.caller("+31687654321")
    await first.dials(FREE_NUMBER)
    await busy.answers()
    await first.talks_with(busy)
    neighbour = await exchange.operator(f"{exchange.board.rooms['rotterdam'].overflow[0]}-1")
    await second.dials(FREE_NUMBER)
    await exchange.waiting(1)
    await busy.unregisters()
    await neighbour.answers()
    await second.talks_with(neighbour)
    await first.talks_with(busy)
