"""Which of several ways is asked, for an exercise and in earnest."""

from __future__ import annotations

from typing import Any

import pytest

from actions.models import DeliveryState, MessageKind, now
from alerting.channels import Sending
from alerting.channels.in_order import NONE_TAKES, InOrder, Way
from alerting.channels.standing import IN_A_ROW, Standing
from alerting.errors import Fault, SendError, Whose
from alerting.receipts import Receipt
from alerting.renditions import Notice

REFUSED = SendError(Fault(False, Whose.US, "no exercises by this way"))
PAUSE = SendError(Fault(True, Whose.PROVIDER, "in a moment"), 3.0)


class Carrier:
    def __init__(self, provider: str, *outcomes: SendError) -> None:
        self.provider, self.outcomes, self.sent = provider, list(outcomes), 0

    async def send(self, sending: Sending) -> Receipt:
        if self.outcomes:
            raise self.outcomes.pop(0)
        self.sent += 1
        return Receipt(DeliveryState.SENT, sending.attempt_id)

    async def find(self, _: Sending) -> Receipt | None:
        return None


class Books:
    """What was written, and paid by nobody."""

    def __init__(self) -> None:
        self.moves: list[tuple[str, str]] = []

    async def goes_by(self, _: Sending, source: str, target: str) -> None:
        self.moves.append((source, target))

    async def failed_by(self, _: str) -> frozenset[str]:
        return frozenset({"one"})

    def used_up(self, _: str) -> bool:
        return False


def sending(*, exercise: bool = False, number: int = 1) -> Sending:
    golf = Notice(MessageKind.ALERT, "427", "nl", "de Golf", "Gezien.", exercise=exercise)
    return Sending("a" * 32, "+31612345678", golf, now(), frozenset(), number)


def ordered(*ways: Way) -> tuple[InOrder, Books]:
    books: Any = Books()
    return InOrder(ways, books, books), books


async def test_an_exercise_does_not_leave_the_way_that_practises_however_it_stands() -> None:
    one, two = Carrier("one"), Carrier("two")
    standing = Standing()
    for _ in range(IN_A_ROW):
        standing.unanswered()
    channel, _ = ordered(Way(one, standing), Way(two, Standing(), practises=False))
    await channel.send(sending(exercise=True))
    await channel.send(sending())
    assert (one.sent, two.sent) == (1, 1)


async def test_without_a_way_that_practises_an_exercise_is_refused_for_good() -> None:
    channel, _ = ordered(Way(Carrier("one", REFUSED), Standing(), practises=False))
    with pytest.raises(SendError) as refusal:
        await channel.send(sending(exercise=True))
    assert refusal.value is REFUSED


async def test_a_second_try_goes_by_another_way_than_the_one_that_failed() -> None:
    one, two = Carrier("one"), Carrier("two")
    channel, books = ordered(Way(one, Standing()), Way(two, Standing()))
    await channel.send(sending(number=2))
    assert (one.sent, two.sent, books.moves) == (0, 1, [("one", "two")])


async def test_an_attempt_that_nobody_took_stands_by_the_first_again_until_one_may_be_ready() -> None:
    channel, books = ordered(Way(Carrier("one", PAUSE), Standing()), Way(Carrier("two", PAUSE), Standing()))
    with pytest.raises(SendError) as refusal:
        await channel.send(sending())
    assert books.moves == [("one", "two"), ("two", "one")]
    assert (refusal.value.fault, refusal.value.pause_s > 2) == (PAUSE.fault, True)
    with pytest.raises(SendError) as refusal:
        await channel.send(sending())
    assert refusal.value.fault == NONE_TAKES


async def test_while_all_are_down_one_alone_gets_its_turn() -> None:
    standing = Standing(try_again_s=0.05)
    for _ in range(IN_A_ROW):
        standing.unanswered()
    channel, _ = ordered(Way(Carrier("one"), standing))
    assert await channel.turn(100) == 1
    await channel.send(sending())
    assert await channel.turn(100) == 100
