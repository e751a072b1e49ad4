"""Callers who waited in an Asterisk that failed: how many are called back, and how many nobody can call back."""

from __future__ import annotations

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter

LATELY_S = 3600.0


class LostCallers:
    def __init__(self, registry: CollectorRegistry, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._withheld: list[tuple[float, int]] = []
        self._total = Counter(
            "burgernet_callers_lost_by_asterisk", "Callers who waited when it failed", ["then"], registry=registry
        )

    def told(self, called_back: int, withheld: int) -> None:
        self._total.labels("called back").inc(called_back)
        self._total.labels("no number").inc(withheld)
        self._withheld.append((self._clock(), withheld))

    def lately(self) -> int:
        """How many without a number in the last hour."""
        since = self._clock() - LATELY_S
        self._withheld = [(at, count) for at, count in self._withheld if at >= since]
        return sum(count for _, count in self._withheld)
