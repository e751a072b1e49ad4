"""The words that stand in columns: kinds, states, outcomes."""

from collections.abc import Iterable
from enum import StrEnum


class Kind(StrEnum):
    LOOK_OUT = "look_out"
    MISSING_CHILD = "missing_child"
    AMBER = "amber"
    INVESTIGATION = "investigation"
    INFORMATION = "information"

    @property
    def bit(self) -> int:
        """Its place in a set of kinds that is kept as one number."""
        return 1 << list(Kind).index(self)


def bits(kinds: Iterable[Kind]) -> int:
    """A set of kinds as one number."""
    return sum({kind.bit for kind in kinds})


# What participants hear of unless they chose otherwise, and what may wake them.
WANTED_UNLESS_SAID = bits((Kind.LOOK_OUT, Kind.MISSING_CHILD, Kind.AMBER, Kind.INFORMATION))
WAKES_UNLESS_SAID = bits((Kind.AMBER,))


class Status(StrEnum):
    DRAFT = "draft"
    OPEN = "open"
    ENDED = "ended"


class Outcome(StrEnum):
    DIRECT = "direct"
    INDIRECT = "indirect"
    NONE = "none"


class MessageKind(StrEnum):
    ALERT = "alert"
    UPDATE = "update"
    RESULT = "result"


class DeliveryState(StrEnum):
    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    ANSWERED = "answered"
    CONFIRMED = "confirmed"
    MACHINE = "machine"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    FAILED = "failed"
    CANCELLED = "cancelled"
