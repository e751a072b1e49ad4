"""Who is served first: by the kind of the action, and within that by what the caller says of it."""

from enum import StrEnum

from actions.models import Kind

# The class of a kind leaves room for what callers say within it.
CLASSES = {Kind.AMBER: 0, Kind.MISSING_CHILD: 10, Kind.LOOK_OUT: 20, Kind.INFORMATION: 30, Kind.INVESTIGATION: 40}


class Triage(StrEnum):
    """What the caller says of the call."""

    NOW = "now"  # sees it at this moment
    EARLIER = "earlier"  # saw it earlier
    QUESTION = "question"


WITHIN = {Triage.NOW: 0, None: 1, Triage.EARLIER: 2, Triage.QUESTION: 3}


def urgency(kind: str, triage: str | None) -> int:
    """The priority in line, 0 the most urgent to 43. Who has not said anything comes after "now", before "earlier"."""
    return CLASSES[Kind(kind)] + WITHIN[Triage(triage) if triage else None]
