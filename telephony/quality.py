"""How well each side of a call is heard: the worst that RTCP told of its jitter, loss and round trip."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from prometheus_client import CollectorRegistry, Histogram

from telephony.ami import Ask, Event, Hear

# G.711, the only codec here, counts jitter in 1/8000 s.
CLOCK = 8000
LOST_ALL = 256
# Calls that nobody takes from here (the dialplan led them) must not fill the memory.
MOST_CALLS = 5000
LATELY_S = 300.0
MOST_LATELY = 20_000
JITTERS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2)
LOSSES = (0.0, 0.005, 0.01, 0.03, 0.05, 0.1, 0.3)
ROUND_TRIPS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)


@dataclass(frozen=True)
class Heard:
    """Jitter and round trip in milliseconds (the second None while unknown); loss as a share of 1."""

    jitter_ms: float = 0.0
    loss: float = 0.0
    round_trip_ms: float | None = None

    def bad(self) -> bool:
        """Whether people would complain."""
        return self.jitter_ms > 50 or self.loss > 0.05 or (self.round_trip_ms or 0.0) > 400

    def worst(self, other: Heard) -> Heard:
        trips = [trip for trip in (self.round_trip_ms, other.round_trip_ms) if trip is not None]
        return Heard(max(self.jitter_ms, other.jitter_ms), max(self.loss, other.loss), max(trips) if trips else None)


def heard_in(event: Event) -> Heard | None:
    """What one RTCPSent (how we hear them) or RTCPReceived (how they hear us) tells; None without a report."""
    try:
        if int(event["ReportCount"]) < 1:
            return None
        trip = event.get("RTT")
        return Heard(
            jitter_ms=round(int(event["Report0IAJitter"]) * 1000 / CLOCK, 1),
            loss=round(int(event["Report0FractionLost"]) / LOST_ALL, 3),
            round_trip_ms=round(float(trip) * 1000, 1) if trip else None,
        )
    except (KeyError, ValueError):
        return None  # the numbers come from the other side of the line: anything may stand there


class Quality:
    """Hears RTCP, and keeps the worst of each call until `take`."""

    def __init__(self, registry: CollectorRegistry, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._calls: OrderedDict[str, dict[str, Heard]] = OrderedDict()
        self._lately: deque[tuple[float, bool]] = deque(maxlen=MOST_LATELY)
        self._jitter = Histogram(
            "burgernet_rtp_jitter_seconds", "Jitter, in each report", buckets=JITTERS, registry=registry
        )
        self._loss = Histogram("burgernet_rtp_loss", "Share lost, in each report", buckets=LOSSES, registry=registry)
        self._trip = Histogram(
            "burgernet_rtp_round_trip_seconds", "Round trip, in each report", buckets=ROUND_TRIPS, registry=registry
        )

    @property
    def hears(self) -> Mapping[str, Hear]:
        return {"RTCPSent": self._report, "RTCPReceived": self._report}

    async def look(self, ask: Ask) -> None:
        """Nothing is there to be listed."""

    def lost(self) -> None:
        """What was heard stays true."""

    def take(self, leg_id: str) -> dict[str, dict[str, float | None]]:
        """The worst of a call that ends, by side: "caller" is the leg itself, "operator" whoever was bridged to it."""
        return {side: asdict(heard) for side, heard in self._calls.pop(leg_id, {}).items()}

    def lately(self) -> tuple[int, int]:
        """Reports of the last five minutes, and how many of them were bad."""
        while self._lately and self._lately[0][0] < self._clock() - LATELY_S:
            self._lately.popleft()
        return len(self._lately), sum(bad for _, bad in self._lately)

    def _report(self, event: Event) -> None:
        heard = heard_in(event)
        # A report that comes as its leg ends names no leg any more.
        if heard and "Uniqueid" in event:
            self._count(heard)
            side = "caller" if event["Uniqueid"] == event["Linkedid"] else "operator"
            call = self._calls.setdefault(event["Linkedid"], {})
            call[side] = call.get(side, Heard()).worst(heard)
            if len(self._calls) > MOST_CALLS:
                self._calls.popitem(last=False)

    def _count(self, heard: Heard) -> None:
        self._lately.append((self._clock(), heard.bad()))
        self._jitter.observe(heard.jitter_ms / 1000)
        self._loss.observe(heard.loss)
        if heard.round_trip_ms is not None:
            self._trip.observe(heard.round_trip_ms / 1000)
