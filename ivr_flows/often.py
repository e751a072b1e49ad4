"""Who calls very often: served last, and never on many lines at once. Nobody is turned away who does not already have
calls of the same number going on."""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from prometheus_client import CollectorRegistry, Counter

from actions.numbers import Number, read_number
from ivr_flows.switchboard import Switchboard
from telephony.calls import Call
from watch.rate import Rate

WINDOW_S = 60.0
# After everybody else, whatever the action (0 to 43).
SERVED_LAST = 80
TOO_OFTEN = "called too often"


class Verdict(StrEnum):
    WELCOME = "welcome"
    LAST = "last"
    ENOUGH = "enough"


@dataclass(frozen=True)
class Limits:
    """Calls a minute of one number and of one source (a trunk or a phone of ours); calls of one number at once."""

    caller: int
    source: int
    at_once: int


def verdict(*, at_once: int, over_caller: bool, over_source: bool, limits: Limits) -> Verdict:
    """`at_once`: calls of this number going on here, this one included; 0 when there is no number."""
    if at_once > limits.at_once:
        return Verdict.ENOUGH
    return Verdict.LAST if over_caller or over_source else Verdict.WELCOME


class Often:
    """Counts calls by number (as a keyed hash) and by source."""

    def __init__(
        self,
        rate: Rate,
        limits: Limits,
        hash_of: Callable[[Number], str | None],
        registry: CollectorRegistry,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rate, self._limits, self._hash_of, self._clock = rate, limits, hash_of, clock
        self._going_on: Tally[str] = Tally()
        self._lately: deque[float] = deque(maxlen=10_000)
        self._total = Counter(
            "burgernet_calls_too_often", "Calls of those who call very often", ["verdict"], registry=registry
        )

    @contextmanager
    def on_the_line(self, number: Number) -> Iterator[tuple[str | None, int]]:
        """While the block lasts this call counts as going on. Gives the number's hash, and how many it has."""
        caller = self._hash_of(number)
        if caller is None:
            yield None, 0
            return
        self._going_on[caller] += 1
        try:
            yield caller, self._going_on[caller]
        finally:
            self._going_on[caller] -= 1
            if not self._going_on[caller]:
                del self._going_on[caller]

    async def verdict(self, caller: str | None, source: str, at_once: int) -> Verdict:
        """Counts a call that comes in."""
        by_source, by_caller = f"source:{source}", f"caller:{caller}"
        limits = {by_source: self._limits.source} | ({by_caller: self._limits.caller} if caller else {})
        over = await self._rate.asked_each(limits)
        found = verdict(
            at_once=at_once,
            over_caller=bool(over.get(by_caller)),
            over_source=bool(over[by_source]),
            limits=self._limits,
        )
        if found is not Verdict.WELCOME:
            self._lately.append(self._clock())
            self._total.labels(found).inc()
        return found

    def a_minute(self) -> int:
        """How many of the last minute's calls were not simply welcome."""
        while self._lately and self._lately[0] < self._clock() - WINDOW_S:
            self._lately.popleft()
        return len(self._lately)


async def guarded(call: Call, board: Switchboard, often: Often, conversation: Coroutine[Any, Any, str]) -> str:
    """The conversation, unless the number already has enough of them. Returns how the call ended."""
    number = read_number(call.caller.number)
    with often.on_the_line(number) as (caller, at_once), closing(conversation):
        # After a takeover the verdict stands in the checkpoint.
        if "stage" not in call.facts:
            match await often.verdict(caller, call.caller.account or "", at_once):
                case Verdict.ENOUGH:
                    return await _enough(call, board, number)
                case Verdict.LAST:
                    await call.note("welcome", often="yes")
        return await conversation


async def _enough(call: Call, board: Switchboard, number: Number) -> str:
    await board.book.arrived(call.id, number, call.dialled, call.arrived_at)
    await call.answer()
    await board.book.answered(call.id)
    await call.play("too-often")
    return TOO_OFTEN
