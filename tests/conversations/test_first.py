from tests.conversations.exchange import FREE_NUMBER, Exchange, whispered


async def test_a_caller_known_in_one_action_talks_with_its_room(exchange: Exchange) -> None:
    action = await exchange.action("rotterdam")
    operator = await exchange.operator("rotterdam-1")
    other_room = await exchange.operator("den-haag-1")
    caller = await exchange.caller("+31612345678")
    await exchange.alerted("+31612345678", action)

    await caller.dials(FREE_NUMBER)
    await caller.hears("welcome")
    await caller.hears("connecting")
    await operator.answers()
    await operator.hears(whispered(action))
    await operator.talks_with(caller)
    assert not other_room.rang
    await caller.hangs_up()
    await operator.is_hung_up()
    await exchange.ended("caller hung up: talking")
