"""Messages of an exercise that were about to leave for somebody who takes part in none."""

from __future__ import annotations

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter

LATELY_S = 3600.0


class Strays:
    def __init__(self, registry: CollectorRegistry, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at: list[float] = []
        self._total = Counter(
            "burgernet_exercise_strays", "Messages of exercises refused just before they left", registry=registry
        )

    def told(self) -> None:
        """One was refused."""
        self._total.inc()
        self._at.append(self._clock())

    def lately(self) -> int:
        """How many in the last hour."""
        since = self._clock() - LATELY_S
        self._at = [at for at in self._at if at >= since]
        return len(self._at)
