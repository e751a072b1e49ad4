"""What RTCP tells of a call, as the worst that each side heard."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from telephony import quality
from telephony.quality import Heard, Quality, heard_in

CALLER, OPERATOR = "1795567221.1", "bn-burgernet-one-c683e09135fa"


def report(leg: str = CALLER, jitter: str = "8", lost: str = "0", **more: str) -> dict[str, str]:
    """As Asterisk 22.10.1 was seen to write it."""
    return {
        "Event": "RTCPSent",
        "Uniqueid": leg,
        "Linkedid": CALLER,
        "ReportCount": "1",
        "Report0FractionLost": lost,
        "Report0IAJitter": jitter,
        **more,
    }


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def heard(clock: Clock) -> Quality:
    return Quality(CollectorRegistry(), clock)


def hears(watching: Quality, *events: dict[str, str]) -> None:
    for event in events:
        watching.hears[event["Event"]](event)


@pytest.mark.parametrize(
    ("event", "found"),
    [
        (report(), Heard(1.0, 0.0, None)),
        (report(jitter="400", lost="64"), Heard(50.0, 0.25, None)),
        (report(Event="RTCPReceived", RTT="0.1234"), Heard(1.0, 0.0, 123.4)),
        (report(ReportCount="0"), None),
        ({"Event": "RTCPSent", "Uniqueid": CALLER, "Linkedid": CALLER, "ReportCount": "1"}, None),
        (report(jitter="much"), None),
        (report(Event="RTCPReceived", RTT="never"), None),
    ],
)
def test_a_report_is_read_in_milliseconds_and_shares(event: dict[str, str], found: Heard | None) -> None:
    assert heard_in(event) == found


@pytest.mark.parametrize(
    ("heard", "bad"),
    [
        (Heard(), False),
        (Heard(50, 0.05, 400), False),
        (Heard(51, 0, 0), True),
        (Heard(0, 0.06, 0), True),
        (Heard(0, 0, 401), True),
        (Heard(0, 0, None), False),
    ],
)
def test_what_people_would_complain_about_is_bad(heard: Heard, bad: bool) -> None:
    assert heard.bad() is bad


some = st.builds(Heard, st.floats(0, 1000), st.floats(0, 1), st.one_of(st.none(), st.floats(0, 5000)))


@given(st.lists(some, min_size=1))
def test_the_worst_does_not_depend_on_the_order_and_is_no_better_than_any(reports: list[Heard]) -> None:
    forward, backward = Heard(), Heard()
    for one, other in zip(reports, reversed(reports), strict=True):
        forward, backward = forward.worst(one), backward.worst(other)
    assert forward == backward
    assert forward.bad() == any(one.bad() for one in reports)


def test_the_worst_of_each_side_is_kept_for_whoever_leads_the_call(heard: Quality) -> None:
    hears(heard, report(jitter="8"), report(jitter="80"), report(jitter="16", lost="128"), report(OPERATOR))
    assert heard.take(CALLER) == {
        "caller": {"jitter_ms": 10.0, "loss": 0.5, "round_trip_ms": None},
        "operator": {"jitter_ms": 1.0, "loss": 0.0, "round_trip_ms": None},
    }
    assert heard.take(CALLER) == {}


def test_calls_that_nobody_takes_do_not_fill_the_memory(heard: Quality, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality, "MOST_CALLS", 3)
    for call in "12345":
        hears(heard, report(call, Linkedid=call))
    assert [bool(heard.take(call)) for call in "12345"] == [False, False, True, True, True]


def test_only_the_last_five_minutes_count_as_lately(heard: Quality, clock: Clock) -> None:
    hears(heard, report(lost="200"), report())
    assert heard.lately() == (2, 1)
    clock.now = 299
    hears(heard, report(lost="200"))
    assert heard.lately() == (3, 2)
    clock.now = 301
    assert heard.lately() == (1, 1)
