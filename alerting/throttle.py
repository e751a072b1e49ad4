"""Not too often to one telephone, however many actions look for it: carriers block who calls all the time. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Throttle:
    """Attempts at one telephone by one channel: at least `apart_s` seconds apart, at most `an_hour` in any hour."""

    apart_s: float
    an_hour: int

    def next_at(self, starts: Sequence[datetime], moment: datetime) -> datetime | None:
        """When a telephone may next be tried that was tried at `starts`; None: at this moment."""
        recent = sorted(start for start in starts if start > moment - HOUR)
        waits = [start + timedelta(seconds=self.apart_s) for start in recent[-1:]]
        if len(recent) >= self.an_hour:
            waits.append(recent[-self.an_hour] + HOUR)
        return max((wait for wait in waits if wait > moment), default=None)


VOICE = Throttle(apart_s=15, an_hour=8)
TEXTS = Throttle(apart_s=0, an_hour=20)
