"""What providers report about an attempt, and what that makes of the attempt and its delivery.

Reports come late, twice and out of order. A state only moves forward, and the same reports lead to the same state in
whatever order they come.
"""

from __future__ import annotations

from dataclasses import dataclass

from actions.models import DeliveryState
from alerting.errors import Fault

# Delivered beats failed: a phone that confirmed has the message, whatever was said before or after.
ORDER = (
    DeliveryState.PENDING,
    DeliveryState.SENDING,
    DeliveryState.SENT,
    DeliveryState.CANCELLED,
    DeliveryState.FAILED,
    DeliveryState.BUSY,
    DeliveryState.NO_ANSWER,
    DeliveryState.MACHINE,
    DeliveryState.DELIVERED,
    DeliveryState.ANSWERED,
    DeliveryState.CONFIRMED,
)
NOT_REACHED = frozenset({DeliveryState.FAILED, DeliveryState.BUSY, DeliveryState.NO_ANSWER})
REACHED = frozenset({DeliveryState.MACHINE, DeliveryState.DELIVERED, DeliveryState.ANSWERED, DeliveryState.CONFIRMED})


@dataclass(frozen=True)
class Receipt:
    """One report of a provider. `fault` says why, when nobody was reached."""

    state: DeliveryState
    provider_id: str | None = None
    provider_status: str | None = None
    fault: Fault | None = None


def forward(known: str, reported: str) -> DeliveryState:
    """The later of two states."""
    return max(DeliveryState(known), DeliveryState(reported), key=ORDER.index)


def delivery_after(known: str, attempt: str, *, newest: bool, again: bool) -> DeliveryState:
    """The state of a delivery once one of its attempts has reached the state `attempt`.

    An attempt that reached nobody decides only when it is the `newest`, and not when there will be another one
    (`again`)."""
    known, attempt = DeliveryState(known), DeliveryState(attempt)
    if attempt not in NOT_REACHED:
        return forward(known, attempt)
    if not newest or known in REACHED:
        return known
    return DeliveryState.SENDING if again else attempt
