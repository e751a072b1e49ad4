"""Many small questions, one piece of work: everybody gets the own answer, a fault goes no further than its round."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.together import Together

BOUND_S = 5.0


class Doubling:
    """Doubles numbers; each round waits for `go`, if there is one, and is noted."""

    def __init__(self, go: asyncio.Event | None = None) -> None:
        self.rounds: list[list[int]] = []
        self.begun = asyncio.Event()
        self._go = go

    async def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.rounds.append(list(numbers))
        self.begun.set()
        if self._go:
            await self._go.wait()
        if 13 in numbers:
            raise ValueError("unlucky")
        return [number * 2 for number in numbers]


async def test_the_first_comer_waits_for_nobody() -> None:
    work = Doubling()
    assert await Together(work).ask(4) == 8
    assert work.rounds == [[4]]


async def test_those_who_come_while_it_works_share_the_next_round() -> None:
    go = asyncio.Event()
    work = Doubling(go)
    together = Together(work)
    first = asyncio.create_task(together.ask(1))
    await work.begun.wait()
    others = [asyncio.create_task(together.ask(number)) for number in (2, 3, 4)]
    await asyncio.sleep(0)
    go.set()
    assert await asyncio.gather(first, *others) == [2, 4, 6, 8]
    assert work.rounds == [[1], [2, 3, 4]]


async def test_a_round_holds_no_more_than_its_most() -> None:
    work = Doubling()
    together = Together(work, most=3)
    assert await asyncio.gather(*(together.ask(number) for number in range(7))) == [0, 2, 4, 6, 8, 10, 12]
    assert [len(numbers) for numbers in work.rounds] == [3, 3, 1]


async def test_a_fault_comes_to_all_of_its_round_and_to_nobody_else() -> None:
    together = Together(Doubling(), most=2)
    answers = await asyncio.gather(*(together.ask(number) for number in (1, 13, 3)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [ValueError, ValueError, int]
    assert await together.ask(5) == 10


async def test_somebody_who_stops_waiting_spoils_nothing() -> None:
    go = asyncio.Event()
    work = Doubling(go)
    together = Together(work)
    leaving, staying = asyncio.create_task(together.ask(1)), asyncio.create_task(together.ask(2))
    await work.begun.wait()
    leaving.cancel()
    go.set()
    assert await asyncio.wait_for(staying, BOUND_S) == 4
    assert work.rounds == [[1, 2]]
    assert leaving.cancelled()


@given(
    questions=st.lists(st.integers(0, 12), max_size=40),
    most=st.integers(1, 9),
    pauses=st.lists(st.booleans(), min_size=40),
)
def test_everybody_gets_the_own_answer(questions: list[int], most: int, pauses: list[bool]) -> None:
    async def ask_all() -> list[int]:
        together = Together(Doubling(), most=most)
        asked = []
        for question, pause in zip(questions, pauses, strict=False):
            asked.append(asyncio.create_task(together.ask(question)))
            if pause:
                await asyncio.sleep(0)
        return await asyncio.gather(*asked)

    assert asyncio.run(ask_all()) == [question * 2 for question in questions]


async def test_no_task_is_left_when_nobody_asks() -> None:
    together = Together(Doubling())
    await together.ask(1)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("count", [1, 5])
async def test_cut_off_in_mid_work_those_who_asked_are_told(count: int) -> None:
    work = Doubling(asyncio.Event())
    together = Together(work)
    asked = [asyncio.create_task(together.ask(number)) for number in range(count)]
    await work.begun.wait()
    (rounds,) = asyncio.all_tasks() - {*asked, asyncio.current_task()}
    rounds.cancel()
    answers = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), BOUND_S)
    assert all(isinstance(answer, asyncio.CancelledError) for answer in answers)


async def test_rounds_apart_gather_those_who_come_meanwhile() -> None:
    work = Doubling()
    together = Together(work, apart_s=0.05)
    assert await together.ask(1) == 2
    later = [together.hand_in(number) for number in (2, 3)]
    await together.over()
    assert [answer.result() for answer in later] == [4, 6]
    assert work.rounds == [[1], [2, 3]]
