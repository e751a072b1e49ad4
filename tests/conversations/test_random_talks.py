"""Anybody presses anything and hangs up in any moment of a talk, as a seed decides: nothing is left of it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest

from telephony.fake_phone import FakePhone
from tests.conversations.exchange import Exchange
from tests.conversations.test_operator_keys import Talking, free, number_of, talking
from tests.seeds import SEEDS

STEPS = 12
LONGEST_PAUSE_S = 0.08
KEYS = ("*0", "*1", "*2", "*3", "*4", "*5", "*6", "#", "1", "**", "*8")

Step = Callable[[], Awaitable[None]]


def steps(talk: Talking, numbers: list[str]) -> list[Step]:
    """What may happen, the likely ones several times."""

    async def operator_presses(keys: str) -> None:
        if phone(talk.operator).stage == "talks":
            await talk.operator.presses(keys)

    async def colleague_answers() -> None:
        if phone(talk.colleague).stage == "rings":
            await talk.colleague.picks_up()

    async def colleague_rejects() -> None:
        if phone(talk.colleague).stage == "rings":
            await talk.colleague.rejects()

    pressed: list[Step] = [lambda keys=keys: operator_presses(keys) for keys in KEYS]  # type: ignore[misc]
    asked: list[Step] = [
        lambda keys=f"{key}{number}#": operator_presses(keys)  # type: ignore[misc]
        for key in ("*2", "*3")
        for number in numbers
    ]
    return [*pressed, *asked * 2, *[colleague_answers] * 8, colleague_rejects, talk.colleague.hangs_up]


def phone(of: object) -> FakePhone:
    found = of._handset  # type: ignore[attr-defined]
    assert isinstance(found, FakePhone)
    return found


@pytest.mark.parametrize("seed", range(4 * SEEDS))
async def test_whatever_is_pressed_and_whoever_hangs_up_nothing_is_left(exchange: Exchange, seed: int) -> None:
    chance = random.Random(seed)
    talk = await talking(exchange)
    numbers = [await number_of(exchange, name) for name in ("rotterdam-2", "rotterdam", "limburg", "den-haag-1")]
    possible = steps(talk, numbers)
    for _ in range(chance.randrange(1, STEPS)):
        await chance.choice(possible)()
        await asyncio.sleep(chance.uniform(0, LONGEST_PAUSE_S))

    leaving = [talk.caller, talk.operator, talk.colleague]
    chance.shuffle(leaving)
    for one in leaving:
        await one.hangs_up()
        await asyncio.sleep(chance.uniform(0, LONGEST_PAUSE_S))
    await talk.caller.hangs_up()
    # Whom the hand-over or the line rings now may answer nobody: the caller is gone.
    await exchange.is_quiet()
    assert all(call.ended_how for call in await exchange.calls())
    for operator in ("rotterdam-1", "rotterdam-2"):
        if await exchange.on_duty(operator):
            await free(exchange, operator)
