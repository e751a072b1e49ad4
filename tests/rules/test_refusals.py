"""Who was refused how often, by source."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from telephony import refusals
from telephony.refusals import REFUSALS, Refusals, source_of
from tests.rules.test_quality import Clock


def refused(counted: Refusals, source: str, times: int = 1, event: str = "InvalidAccountID") -> None:
    """As Asterisk 22.10.1 was seen to write it."""
    for _ in range(times):
        counted.hears[event]({"Event": event, "Service": "PJSIP", "RemoteAddress": f"IPV4/UDP/{source}/5060"})


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def counted(clock: Clock) -> Refusals:
    return Refusals(CollectorRegistry(), clock)


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("IPV4/UDP/192.0.2.1/59789", "192.0.2.1"),
        ("IPV6/TCP/2001:db8::1/5060", "2001:db8::1"),
        ("", "unknown"),
        ("192.0.2.1:5060", "unknown"),
    ],
)
def test_the_host_is_read_from_an_address_as_asterisk_writes_it(address: str, source: str) -> None:
    assert source_of(address) == source


def test_the_worst_sources_come_first_whatever_they_were_refused_for(counted: Refusals) -> None:
    for number, event in enumerate(REFUSALS):
        refused(counted, "192.0.2.1", 1, event)
        refused(counted, f"192.0.2.{number + 2}")
    assert list(counted.by_source(1).items()) == [("192.0.2.1", len(REFUSALS))]


def test_a_source_is_forgotten_after_a_quiet_minute(counted: Refusals, clock: Clock) -> None:
    refused(counted, "192.0.2.1", 30)
    clock.now = 61
    assert counted.by_source(5) == {"192.0.2.1": 30}
    refused(counted, "192.0.2.1", 2)
    assert counted.by_source(5) == {"192.0.2.1": 30}
    clock.now = 122
    assert counted.by_source(5) == {"192.0.2.1": 2}
    clock.now = 300
    assert counted.by_source(5) == {}


def test_a_scanner_with_many_addresses_does_not_fill_the_memory(
    counted: Refusals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "MOST_SOURCES", 2)
    for source in ("192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.1"):
        refused(counted, source)
    assert counted.by_source(10) == {"192.0.2.1": 2, "192.0.2.2": 1}


@given(st.text())
def test_no_address_is_a_fault(address: str) -> None:
    counted = Refusals(CollectorRegistry())
    counted.hears["FailedACL"]({"Event": "FailedACL", "RemoteAddress": address})
    assert sum(counted.by_source(1).values()) == 1
