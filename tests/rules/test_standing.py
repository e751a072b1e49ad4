"""When a provider rests, and how it is found out that it is back; on a clock of our own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from actions.models import DeliveryState
from alerting.channels import standing as module
from alerting.channels.ringing import NOT_ANSWERED
from alerting.channels.standing import IN_A_ROW, TRY_AGAIN_S, Standing, Trunk
from alerting.errors import Fault, SendError, TooMany, Whose
from alerting.receipts import Receipt

TAKEN = Receipt(DeliveryState.SENT, "1")
AWAY = SendError(Fault(True, Whose.PROVIDER, "away"), 5.0)
BUSY = TooMany(Fault(True, Whose.PROVIDER, "too many"), 7.0)
WRONG_NUMBER = SendError(Fault(False, Whose.RECIPIENT, "this is no telephone number"))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    moment = [1000.0]
    monkeypatch.setattr(module, "_moment", lambda: moment[0])
    return moment


def fails(standing: Standing, times: int = IN_A_ROW) -> None:
    for _ in range(times):
        standing.unanswered()


def test_dead_for_two_minutes_it_is_tried_four_times_and_then_it_has_all_its_work_back(clock: list[float]) -> None:
    standing, tried = Standing(), list[int]()
    fails(standing)
    for second in range(150):
        clock[0] = 1000.0 + second
        while standing.worth_trying() and len(tried) < 100:
            tried.append(second)
            if second < 120:
                standing.unanswered()
            else:
                standing.took(TAKEN)
    assert tried[:5] == [30, 60, 90, 120, 120]
    assert len(tried) == 100


def test_while_it_is_down_only_one_at_a_time_is_told_to_try(clock: list[float]) -> None:
    standing = Standing()
    fails(standing)
    clock[0] += TRY_AGAIN_S
    assert [standing.worth_trying() for _ in range(3)] == [True, False, False]
    assert standing.is_down


@pytest.mark.parametrize("between", [TAKEN, WRONG_NUMBER])
def test_failures_between_others_say_nothing(clock: list[float], between: Receipt | SendError) -> None:
    standing = Standing()
    for _ in range(IN_A_ROW):
        fails(standing, IN_A_ROW - 1)
        if isinstance(between, SendError):
            standing.refused(between)
        else:
            standing.took(between)
    assert standing.worth_trying()


def test_too_many_is_a_pause_and_no_failure(clock: list[float]) -> None:
    standing = Standing()
    for _ in range(10 * IN_A_ROW):
        standing.refused(BUSY)
    assert (standing.worth_trying(), standing.opens_in(), standing.is_down) == (False, 7.0, False)
    clock[0] += 7.0
    assert [standing.worth_trying() for _ in range(3)] == [True] * 3


def test_one_that_cannot_be_reached_rests_for_its_pause_and_after_some_for_longer(clock: list[float]) -> None:
    standing = Standing()
    standing.refused(AWAY)
    assert standing.opens_in() == 5.0
    for _ in range(IN_A_ROW):
        standing.refused(AWAY)
    assert standing.opens_in() == TRY_AGAIN_S


def test_a_long_pause_is_not_shortened_by_a_trial_or_another_refusal(clock: list[float]) -> None:
    standing = Standing()
    standing.refused(TooMany(BUSY.fault, 60.0))
    standing.refused(BUSY)
    fails(standing)
    assert standing.opens_in() == 60.0


@pytest.mark.parametrize(
    ("learns", "down"),
    [
        (lambda trunk: trunk.took(NOT_ANSWERED["unreachable"]), True),
        (lambda trunk: trunk.took(NOT_ANSWERED["busy"]), False),
        (lambda trunk: trunk.refused(AWAY), False),
        (lambda trunk: trunk.unanswered(), False),
    ],
)
def test_a_trunk_is_down_when_nobody_can_be_reached_by_it(
    clock: list[float], learns: Callable[[Trunk], None], down: bool
) -> None:
    trunk = Trunk(lambda: True)
    for _ in range(IN_A_ROW):
        learns(trunk)
    assert trunk.worth_trying() is not down


def test_an_exchange_that_is_not_there_is_looked_for_again_soon(clock: list[float]) -> None:
    trunk = Trunk(lambda: False)
    assert not trunk.worth_trying()
    assert 0 < trunk.opens_in() <= 1
