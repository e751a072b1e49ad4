"""Quiet hours: when a message may come to somebody, by the clock on the wall. The rule, and the rule as SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, case, false, literal, or_
from sqlmodel import col

from actions.models import Kind, Subscription

ZONE = ZoneInfo("Europe/Amsterdam")
DAY = 24 * 60
MINUTE = timedelta(minutes=1)
# In which state a message finds somebody: awake, woken by own choice, woken for the operator's reason, left asleep.
AWAKE, CHOSE, FOR_A_REASON, ASLEEP = range(4)


def is_quiet(minute: int, quiet_from: int, quiet_until: int) -> bool:
    """Whether a minute of the local day lies in the quiet hours, which may run past midnight."""
    return (minute - quiet_from) % DAY < (quiet_until - quiet_from) % DAY


def due(at: datetime, deadline: datetime, kind: Kind, reason: str | None, given: Subscription) -> datetime | None:
    """When a message that is written at `at` may come to a subscription: at once, or when its quiet hours end; None
    when that is not before the deadline. `reason`: why the operator wakes those who did not ask for it."""
    asleep = is_quiet(minute_of(at), given.quiet_from, given.quiet_until)
    if not asleep or given.wakes & kind.bit or reason is not None:
        return at
    end = whole_minute(at) + waits(whole_minute(at))[given.quiet_until] * MINUTE
    return end if end < deadline else None


def minute_of(at: datetime) -> int:
    """The minute of the local day at a moment."""
    local = at.astimezone(ZONE)
    return local.hour * 60 + local.minute


def whole_minute(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(second=0, microsecond=0)


@lru_cache(maxsize=16)
def waits(start: datetime) -> Sequence[int]:
    """For each minute of the local day, how many minutes after `start` (a whole minute, UTC) clocks on the wall next
    show it. What they leap over when summer time begins counts as shown when they leap."""
    found: dict[int, int] = {}
    before = minute_of(start)
    for passed in range(1, DAY + 61):
        shown = minute_of(start + passed * MINUTE)
        for minute in range(before + 1, shown + 1) if shown > before else (shown,):
            found.setdefault(minute, passed)
        before = shown
    return [found[minute] for minute in range(DAY)]


@dataclass(frozen=True)
class Night:
    """The rule for all subscriptions at once, in SQL, for a message of this kind written at this moment."""

    at: datetime
    deadline: datetime
    kind: Kind
    reason: str | None

    @property
    def start(self) -> datetime:
        return whole_minute(self.at)

    @property
    def wait(self) -> ColumnElement[int]:
        """Minutes from `start` until the message may come: 0 is at once."""
        return case((self._left_asleep, self._until_the_end), else_=0)

    @property
    def in_time(self) -> ColumnElement[bool]:
        """Whether it may come before the deadline."""
        left = (self.deadline - self.start) / MINUTE
        return or_(~self._left_asleep, self._until_the_end < literal(left))

    @property
    def found(self) -> ColumnElement[int]:
        """In which state it finds somebody: AWAKE, CHOSE, FOR_A_REASON or ASLEEP."""
        return case(
            (~self._quiet, AWAKE),
            (self._may_wake, CHOSE),
            else_=ASLEEP if self.reason is None else FOR_A_REASON,
        )

    @property
    def _left_asleep(self) -> ColumnElement[bool]:
        return and_(self._quiet, ~self._may_wake) if self.reason is None else false()

    @property
    def _quiet(self) -> ColumnElement[bool]:
        begin, end, minute = col(Subscription.quiet_from), col(Subscription.quiet_until), minute_of(self.at)
        # Never below zero: the databases differ in what is left of a negative number.
        return (literal(minute + DAY) - begin) % DAY < (end - begin + DAY) % DAY

    @property
    def _may_wake(self) -> ColumnElement[bool]:
        return col(Subscription.wakes).bitwise_and(self.kind.bit) != 0

    @property
    def _until_the_end(self) -> ColumnElement[int]:
        until = col(Subscription.quiet_until)
        *first, last = [(until <= line.last, until * line.slope + line.base) for line in _lines(waits(self.start))]
        return case(*first, else_=last[1]) if first else last[1]


@dataclass(frozen=True)
class _Line:
    """Up to the minute `last` of the day the wait is `slope` (0 or 1) times the minute, plus `base`."""

    last: int
    slope: int
    base: int


def _lines(found: Sequence[int]) -> Iterator[_Line]:
    first = 0
    while first < DAY:
        slope = 1 if first + 1 < DAY and found[first + 1] != found[first] else 0
        last = first
        while last + 1 < DAY and found[last + 1] - found[last] == slope:
            last += 1
        yield _Line(last, slope, found[first] - slope * first)
        first = last + 1
