"""The controller ends in the middle of a wave, at moments drawn by a seed: nobody is called twice, nobody is lost."""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.conversations.exchange import until, whispered
from tests.seeds import SEEDS
from tests.voice.street import Street, Subscriber, alert

TRIED = range(4 * SEEDS)
PEOPLE = range(1, 7)
# What people press, and after how many sentences.
WAYS = (("1", 2), ("3", 5), ("9", 1), ("2", 3), ("", 2), ("", 9))
SETTLED = {"confirmed", "answered", "machine", "sent"}


@pytest.fixture
def url(database_url: str) -> str:
    return database_url


class Person:
    """Somebody who picks up whenever it rings, and counts in how many calls a word was heard."""

    def __init__(self, phone: Subscriber, keys: str, after: int, chance: random.Random) -> None:
        self.phone, self.heard_in = phone, 0
        self._keys, self._after, self._slow = keys, after, chance.uniform(0, 0.3)

    async def lives(self, sentences: list[str]) -> None:
        while True:
            await self.phone.rings(1000)
            await asyncio.sleep(self._slow)
            if not self.phone.is_ringing:
                continue
            await self.phone.picks_up()
            await self._listens(sentences)
            await self.phone.hangs_up()

    async def _listens(self, sentences: list[str]) -> None:
        for place, sentence in enumerate(sentences[: self._after]):
            try:
                await self.phone.hears_all(sentence, bound_s=2)
            except AssertionError:
                return  # it was broken off
            self.heard_in += not place
        if self._keys and self.phone.is_in_a_call:
            await self.phone.presses(self._keys)
            await asyncio.sleep(0.4)


@pytest.mark.parametrize("seed", TRIED)
async def test_nobody_is_called_again_who_heard_it_and_nobody_is_forgotten(street: Street, seed: int) -> None:
    chance = random.Random(seed)
    await street.exchange.operator("rotterdam-1")
    people = [Person(await street.person(name), *WAYS[name % len(WAYS)], chance) for name in PEOPLE]
    action = await street.starts()
    lives = [asyncio.create_task(person.lives(alert(action))) for person in people]
    for _ in range(2):
        await asyncio.sleep(chance.uniform(0, 0.9))
        await street.exchange.stops()
        await asyncio.sleep(chance.uniform(0, 0.2))
        await street.exchange.starts()

    async def settled() -> bool:
        return {await street.state(person.phone) for person in people} <= SETTLED

    await until(settled, "every call settled", bound_s=60)
    for life in lives:
        life.cancel()
    await asyncio.gather(*lives, return_exceptions=True)
    for person in people:
        assert person.heard_in <= 1, f"{person.phone.name} heard it in {person.heard_in} calls"
    await asyncio.gather(*(person.phone.hangs_up() for person in people))
    await street.exchange.is_quiet()

    async def ended() -> bool:
        return all(call.ended_how for call in await street.exchange.calls())

    await until(ended, "every call ended in the book")


async def test_a_talk_goes_on_over_the_end_of_its_controller(street: Street) -> None:
    operator, phone = await street.exchange.operator("rotterdam-1"), await street.person()
    action = await street.starts()
    await phone.answers()
    await phone.presses("1")
    await operator.answers()
    await operator.hears(whispered(action))
    await phone.says(620)
    await operator.talks_with(phone)
    await street.exchange.stops()
    await operator.talks_with(phone)
    await street.exchange.starts()
    await operator.talks_with(phone)
    await operator.hangs_up()
    await phone.hears("operator-left")
    await street.call("operator hung up")
    assert await street.state(phone) == "confirmed"


async def test_who_waits_for_the_room_goes_on_waiting_under_the_next_controller(street: Street) -> None:
    operator, phone = await street.exchange.operator("rotterdam-1"), await street.person()
    action = await street.starts()
    await phone.answers()
    await phone.presses("1")
    await operator.rings()
    await street.exchange.stops()
    await street.exchange.starts()
    await operator.answers()
    await operator.hears(whispered(action))


async def test_who_was_told_when_the_controller_ended_is_not_called_again_but_gets_a_text(street: Street) -> None:
    phone = await street.person()
    action = await street.starts()
    await phone.answers()
    await phone.hears_all(alert(action)[0])
    await street.exchange.stops()
    await street.exchange.starts()
    await phone.is_hung_up()
    await street.call("broken off")
    await street.becomes(phone, "sent")
    assert await street.texts(action) == [phone.number]
    assert len(await street.attempts(phone)) == 1


async def test_who_hung_up_while_no_controller_was_there_has_an_end_in_the_book(street: Street) -> None:
    phone = await street.person()
    action = await street.starts()
    await phone.answers()
    await phone.hears_all(alert(action)[0])
    await street.exchange.stops()
    await phone.hangs_up()
    await street.exchange.starts()
    await street.call("lost sight of")
    await street.becomes(phone, "sent")
    assert await street.texts(action) == [phone.number]


async def test_a_telephone_that_rings_is_called_again_by_the_next_controller(street: Street) -> None:
    phone = await street.person()
    action = await street.starts()
    await phone.rings()
    await street.exchange.stops()
    await street.exchange.starts()
    await phone.is_hung_up()
    await phone.answers(30)
    await phone.hears_the_message(action)
    await phone.presses("2")
    assert (await street.attempts(phone))[0].state == "failed"


async def test_what_was_said_of_a_tip_before_the_controller_ended_is_kept(street: Street) -> None:
    phone = await street.person()
    await street.starts()
    await phone.answers()
    await phone.says(620)
    await phone.presses("3")
    await phone.hears("tip-after-alert")
    await street.exchange.wiring.passes(6)
    await street.exchange.stops()
    await phone.hangs_up()
    await street.exchange.starts()

    async def kept() -> bool:
        return len(await street.exchange.tips()) == 1

    await until(kept, "the tip kept")
    await street.becomes(phone, "confirmed")
