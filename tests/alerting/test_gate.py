"""A provider that asks to be left alone is left alone."""

from __future__ import annotations

import asyncio

import pytest

from alerting.gate import Gate

NEVER_LATE = float("inf")


def moment() -> float:
    return asyncio.get_running_loop().time()


def passed_since(since: float) -> float:
    """Seconds; the loop's clock knows thousandths of them."""
    return round(moment() - since, 3)


async def test_an_open_gate_holds_nobody() -> None:
    assert await asyncio.wait_for(Gate().passed(moment()), 0.05)


async def test_a_shut_gate_opens_by_itself() -> None:
    gate, since = Gate(), moment()
    gate.shut(0.1)
    assert await gate.passed(NEVER_LATE)
    assert passed_since(since) >= 0.1


@pytest.mark.parametrize("latest_in_s", [-1.0, 0.0, 0.5])
async def test_who_cannot_pass_in_time_is_told_at_once(latest_in_s: float) -> None:
    gate = Gate()
    gate.shut(60.0)
    assert not await asyncio.wait_for(gate.passed(moment() + latest_in_s), 0.1)


async def test_a_shorter_wait_does_not_shorten_a_longer_one() -> None:
    gate = Gate()
    gate.shut(60.0)
    gate.shut(0.0)
    assert not await gate.passed(moment() + 1)


async def test_shut_again_while_somebody_waits_it_holds_on() -> None:
    gate, since = Gate(), moment()
    gate.shut(0.05)
    waiting = asyncio.create_task(gate.passed(NEVER_LATE))
    await asyncio.sleep(0)
    gate.shut(0.15)
    assert await waiting
    assert passed_since(since) >= 0.15
