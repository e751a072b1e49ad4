"""What the telephony role sees of its phones, for the alarms."""

from __future__ import annotations

from tests.conversations.exchange import Exchange, until
from watch.rules import Facts


async def seen(exchange: Exchange) -> Facts:
    (look,) = exchange.base.looks
    return await look()


async def test_a_room_whose_phones_all_vanished_is_seen(exchange: Exchange) -> None:
    first = await exchange.operator("rotterdam-1")
    second = await exchange.operator("rotterdam-2")
    await exchange.operator("limburg-1", on_duty=False)

    async def phones(count: int) -> bool:
        return (await seen(exchange)).get(("room_phones", "rotterdam")) == count

    await until(lambda: phones(2), "both phones seen")
    await first.unregisters()
    await until(lambda: phones(1), "one phone seen")
    await second.unregisters()
    await until(lambda: phones(0), "no phone seen")
    facts = await seen(exchange)
    assert ("room_phones", "limburg") not in facts
    assert all(value == 1 for (what, _), value in facts.items() if what in ("answers", "observes"))
