"""The words that stand in columns: kinds, states, outcomes."""

from enum import StrEnum


class Kind(StrEnum):
    LOOK_OUT = "look_out"
    MISSING_CHILD = "missing_child"
    AMBER = "amber"
    INVESTIGATION = "investigation"
    INFORMATION = "information"


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
