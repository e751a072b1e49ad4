"""How long a telephone may ring, and what it means when nobody came to it: the same by whatever way it was called."""

from __future__ import annotations

from actions.models import DeliveryState
from actions.reachability import Gone
from alerting.errors import Fault, Whose
from alerting.receipts import Receipt

RING_S = 30.0

NO_EXERCISES = Fault(
    False, Whose.US, "an exercise calls by the exercise trunk alone: set BURGERNET_EXERCISE_TRUNK_CONTACT"
)

NOT_ANSWERED = {
    "busy": Receipt(DeliveryState.BUSY, fault=Fault(True, Whose.RECIPIENT, "the line was busy")),
    "no_answer": Receipt(DeliveryState.NO_ANSWER, fault=Fault(True, Whose.RECIPIENT, "nobody answered")),
    "refused": Receipt(DeliveryState.FAILED, fault=Fault(False, Whose.RECIPIENT, "the call was refused")),
    "unreachable": Receipt(DeliveryState.FAILED, fault=Fault(True, Whose.RECIPIENT, "the telephone is out of reach")),
    # Carriers also say so of numbers that they do not find for the moment.
    "not_in_use": Receipt(
        DeliveryState.FAILED, fault=Fault(False, Whose.RECIPIENT, "this number is not in use", Gone.PERHAPS)
    ),
    "stopped": Receipt(
        DeliveryState.NO_ANSWER, fault=Fault(False, Whose.US, "the action was over while the telephone rang")
    ),
}
