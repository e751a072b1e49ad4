"""When not to answer: two robots that answer each other must not go on for ever."""

from collections.abc import Iterable
from datetime import datetime, timedelta

MOST = 3
WITHIN = timedelta(minutes=10)
SAME_WITHIN = timedelta(minutes=1)


def may_answer(answer: str, earlier: Iterable[tuple[str, datetime]], moment: datetime) -> bool:
    """Whether a number gets this answer now. `earlier`: the answers it got before, and when."""
    recent = [(given, at) for given, at in earlier if moment - at < WITHIN]
    again = any(given == answer and moment - at < SAME_WITHIN for given, at in recent)
    return len(recent) < MOST and not again
