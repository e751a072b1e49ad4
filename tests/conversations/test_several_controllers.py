"""Two controllers on one Asterisk node: when one ends, the other goes on with its calls, and gives the name back."""

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
