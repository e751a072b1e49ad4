"""Quiet hours by the clock on the wall, on every night of the year."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.models import Kind, Subscription
from alerting.audience.quiet import DAY, MINUTE, ZONE, due, is_quiet, minute_of, waits

FAR = timedelta(days=3)
minutes = st.integers(0, DAY - 1)
# All of 2026, and twice as often the nights in which clocks change.
moments = st.one_of(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001 - given its zone below
    st.datetimes(datetime(2026, 3, 28, 12), datetime(2026, 3, 29, 12)),  # noqa: DTZ001
    st.datetimes(datetime(2026, 10, 24, 12), datetime(2026, 10, 25, 12)),  # noqa: DTZ001
).map(lambda at: at.replace(tzinfo=UTC))


def subscribed(quiet_from: int, quiet_until: int, wakes: int = Kind.AMBER.bit) -> Subscription:
    return Subscription(
        address_id=1,
        contact_point_id=1,
        channel="sms",
        wakes=wakes,
        quiet_from=quiet_from,
        quiet_until=quiet_until,
    )


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


NIGHT = subscribed(22 * 60, 7 * 60)


@pytest.mark.parametrize(
    ("at", "then"),
    [
        ("2026-11-28 21:59:59", "2026-11-28 21:59:59"),
        ("2026-11-28 22:00:00", "2026-11-29 07:00:00"),
        ("2026-11-29 06:59:30", "2026-11-29 07:00:00"),
        ("2026-11-29 07:00:00", "2026-11-29 07:00:00"),
        ("2026-03-28 23:00:00", "2026-03-29 07:00:00"),  # a night of eight hours
        ("2026-10-24 23:00:00", "2026-10-25 07:00:00"),  # and one of ten
    ],
)
def test_a_message_waits_for_the_morning(at: str, then: str) -> None:
    assert due(local(at), local(at) + FAR, Kind.LOOK_OUT, None, NIGHT) == local(then)


@pytest.mark.parametrize(
    ("until", "then"),
    [
        (2 * 60 + 30, "2026-03-29T03:00+02:00"),  # half past two is leapt over
        (3 * 60, "2026-03-29T03:00+02:00"),
        (3 * 60 + 30, "2026-03-29T03:30+02:00"),
    ],
)
def test_hours_that_end_in_the_lost_hour_end_when_it_is_lost(until: int, then: str) -> None:
    at = local("2026-03-29 01:15:00")
    assert due(at, at + FAR, Kind.LOOK_OUT, None, subscribed(22 * 60, until)) == datetime.fromisoformat(then)


def test_hours_that_end_in_the_doubled_hour_end_when_clocks_show_it_first() -> None:
    at = local("2026-10-25 01:15:00")
    found = due(at, at + FAR, Kind.LOOK_OUT, None, subscribed(22 * 60, 2 * 60 + 30))
    assert found == datetime.fromisoformat("2026-10-25T02:30+02:00")


@pytest.mark.parametrize(("kind", "reason"), [(Kind.AMBER, None), (Kind.LOOK_OUT, "life in danger")])
def test_what_may_wake_comes_at_once(kind: Kind, reason: str | None) -> None:
    at = local("2026-11-29 03:00:00")
    assert due(at, at + FAR, kind, reason, NIGHT) == at


@pytest.mark.parametrize(("hours", "comes"), [(3.99, False), (4, False), (4.01, True)])
def test_what_is_over_by_the_morning_never_comes(hours: float, comes: bool) -> None:
    at = local("2026-11-29 03:00:00")
    found = due(at, at + timedelta(hours=hours), Kind.LOOK_OUT, None, NIGHT)
    assert found == (local("2026-11-29 07:00:00") if comes else None)


@given(at=moments, quiet_from=minutes, quiet_until=minutes)
def test_nobody_is_disturbed_in_quiet_hours_nor_left_alone_after_them(
    at: datetime, quiet_from: int, quiet_until: int
) -> None:
    found = due(at, at + FAR, Kind.LOOK_OUT, None, subscribed(quiet_from, quiet_until))
    assert found is not None
    if not is_quiet(minute_of(at), quiet_from, quiet_until):
        assert found == at
        return
    start = at.replace(second=0, microsecond=0)
    passed = round((found - start) / MINUTE)
    on_the_way = {minute_of(start + count * MINUTE) for count in range(passed)}
    assert quiet_until not in on_the_way
    shown, before = minute_of(found), minute_of(found - MINUTE)
    assert shown == quiet_until or before < quiet_until < shown  # leapt over
    assert timedelta() < found - at <= timedelta(hours=25)


@given(at=moments)
def test_every_minute_of_the_day_comes_round(at: datetime) -> None:
    found = waits(at.replace(second=0, microsecond=0))
    assert len(found) == DAY
    assert all(0 < wait <= DAY + 60 for wait in found)


@given(quiet=minutes)
def test_without_hours_nothing_is_quiet(quiet: int) -> None:
    assert not any(is_quiet(minute, quiet, quiet) for minute in range(DAY))
