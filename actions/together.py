"""Many small questions answered by one piece of work: one transaction writes what a hundred callers ask for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class Together(Generic[Q, A]):
    """`work` answers questions in their order. The first comer waits for nobody; those who come while it is under way
    share the next round, at most `most` of them. Rounds begin at least `apart_s` seconds apart."""

    def __init__(
        self, work: Callable[[Sequence[Q]], Awaitable[Sequence[A]]], most: int = 200, apart_s: float = 0.0
    ) -> None:
        self._work, self._most, self._apart_s = work, most, apart_s
        self._waiting: list[tuple[Q, asyncio.Future[A]]] = []
        self._rounds: asyncio.Task[None] | None = None

    async def ask(self, question: Q) -> A:
        """The answer, from work that began after the question was asked. Raises what the work raises."""
        return await self.hand_in(question)

    def hand_in(self, question: Q) -> asyncio.Future[A]:
        """`ask`, for who does not wait for the answer."""
        answer: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        if self._rounds is None or self._rounds.done():
            self._rounds = asyncio.create_task(self._answer_all())
        return answer

    async def over(self) -> None:
        """Returns when everything handed in is answered."""
        while self._rounds and not self._rounds.done():
            await asyncio.wait({self._rounds})

    async def _answer_all(self) -> None:
        clock = asyncio.get_running_loop().time
        while self._waiting:
            next_one = clock() + self._apart_s
            now, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            await self._answer(now)
            if (left := next_one - clock()) > 0:
                await asyncio.sleep(left)

    async def _answer(self, asked: Sequence[tuple[Q, asyncio.Future[A]]]) -> None:
        """Whoever stopped waiting meanwhile still gets the work done: a receipt is written all the same."""
        try:
            answers = await self._work([question for question, _ in asked])
        except Exception as fault:  # noqa: BLE001 - it belongs to those who asked
            for _, answer in asked:
                if not answer.done():
                    answer.set_exception(fault)
        else:
            for (_, answer), found in zip(asked, answers, strict=True):
                if not answer.done():
                    answer.set_result(found)
        finally:
            for _, answer in asked:
                answer.cancel()
