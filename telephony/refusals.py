"""SIP requests that Asterisk refused, counted by where they came from: scanners, and phones with a wrong password."""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Counter

from telephony.ami import Ask, Event, Hear

REFUSALS = (
    "InvalidAccountID",
    "InvalidPassword",
    "ChallengeResponseFailed",
    "FailedACL",
    "RequestBadFormat",
    "RequestNotAllowed",
    "UnexpectedAddress",
)
WINDOW_S = 60.0
# A scanner with many addresses must not fill the memory.
MOST_SOURCES = 1000


class Refusals:
    """Counts in windows of a minute."""

    def __init__(self, registry: CollectorRegistry, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._now: Tally[str] = Tally()
        self._before: Tally[str] = Tally()
        self._since = clock()
        self._total = Counter(
            "burgernet_refused_requests", "Requests that Asterisk refused", ["service", "why"], registry=registry
        )

    @property
    def hears(self) -> Mapping[str, Hear]:
        return dict.fromkeys(REFUSALS, self._refused)

    async def look(self, ask: Ask) -> None:
        """Nothing is there to be listed."""

    def lost(self) -> None:
        """What was counted stays true."""

    def by_source(self, most: int) -> Mapping[str, int]:
        """The sources with most refusals in a minute: this one or the last whole one, whichever was worse."""
        self._turn()
        worse = self._now | self._before
        return dict(worse.most_common(most))

    def _refused(self, event: Event) -> None:
        self._turn()
        self._total.labels(event.get("Service", ""), event["Event"]).inc()
        source = source_of(event.get("RemoteAddress", ""))
        if source in self._now or len(self._now) < MOST_SOURCES:
            self._now[source] += 1

    def _turn(self) -> None:
        passed = self._clock() - self._since
        if passed >= WINDOW_S:
            self._before = self._now if passed < 2 * WINDOW_S else Tally()
            self._now, self._since = Tally(), self._clock()


def source_of(address: str) -> str:
    """The host in an address as Asterisk writes it: IPV4/UDP/192.0.2.1/5060."""
    parts = address.split("/")
    return parts[2] if len(parts) == 4 else "unknown"
