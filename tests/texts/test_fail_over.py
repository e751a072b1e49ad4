"""A provider that fails is replaced by the next and gets its work back; nobody is texted twice, whoever fails how."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from actions.models import DeliveryState
from alerting.bounds import ALL, EURO, Bounds
from alerting.channels.standing import IN_A_ROW
from alerting.rate import SharedRate
from stand_ins import spryng as other
from stand_ins.twilio import BROKEN, SILENT, TOO_BUSY, UNDELIVERED, Behaviour
from tests.texts.two import Two
from tests.texts.wave import number, until

DEAD = "http://127.0.0.1:1"
LOST = Behaviour(lose_answer=True, statuses=())
EVERYBODY_ONCE = {number(place): 1 for place in range(10)}


def unplug(two: Two) -> str:
    """Twilio cannot be reached; the address at which it could."""
    http = two.wave.client._http
    url, http._base = http._base, DEAD
    return url


async def test_as_long_as_the_first_works_the_second_is_not_asked(two: Two) -> None:
    await two.wave.alerts(10)
    await two.sends(two.worker())
    assert two.by() == (10, 0)
    assert await two.providers() == {"twilio": 10}


async def test_when_the_first_is_dead_everybody_is_texted_at_once_by_the_second(two: Two) -> None:
    await two.wave.alerts(10)
    unplug(two)
    await two.sends(two.worker())
    assert (two.by(), two.texted()) == ((0, 10), EVERYBODY_ONCE)
    assert await two.providers() == {"spryng": 10}
    assert set((await two.wave.states()).values()) == {DeliveryState.DELIVERED}
    assert {attempt.number for attempt in await two.wave.attempts()} == {1}


async def test_a_first_that_is_back_gets_its_work_back(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alerting.channels.twilio_client.PAUSE_S", 0.01)
    worker = two.worker(try_again_s=0.05, side_by_side=1)
    await two.wave.alerts(IN_A_ROW + 3)
    url = unplug(two)
    await two.sends(worker)
    assert two.by() == (0, IN_A_ROW + 3)
    two.wave.client._http._base = url
    await asyncio.sleep(0.06)
    await two.wave.starts()
    await two.sends(worker)
    assert two.by() == (IN_A_ROW + 3, IN_A_ROW + 3)


@pytest.mark.parametrize("behaviour", [BROKEN, LOST])
async def test_after_some_without_an_answer_the_rest_goes_by_the_second_and_nobody_is_texted_twice(
    two: Two, behaviour: Behaviour
) -> None:
    two.wave.twilio.next(*[behaviour] * IN_A_ROW)
    await two.wave.alerts(10)
    worker = two.worker(side_by_side=1)
    await two.sends(worker)
    assert len(two.wave.twilio.requests) == IN_A_ROW
    assert len(two.spryng.messages) == 10 - IN_A_ROW
    for _ in range(2):
        await two.wave.time_passes()
        await two.sends(worker)
    assert two.texted() == EVERYBODY_ONCE


async def test_one_that_is_too_slow_is_replaced_and_what_it_took_all_the_same_is_found(two: Two) -> None:
    two.wave.twilio.next(*[Behaviour(answer_after_s=1.2, statuses=())] * IN_A_ROW)
    await two.wave.alerts(10)
    worker = two.worker(side_by_side=IN_A_ROW, attempt_s=1.6)
    await two.sends(worker)
    assert len(two.spryng.messages) == 10 - IN_A_ROW
    await asyncio.sleep(0.5)
    await two.wave.time_passes()
    await two.sends(worker)
    assert two.texted() == EVERYBODY_ONCE
    assert not [state for state in (await two.wave.states()).values() if state == DeliveryState.FAILED]


async def test_a_pause_that_the_first_asks_for_is_filled_by_the_second(two: Two) -> None:
    two.wave.twilio.next(TOO_BUSY)
    await two.wave.alerts(10)
    await two.sends(two.worker(side_by_side=1))
    assert two.texted() == EVERYBODY_ONCE
    assert len(two.spryng.messages) >= 1
    assert {attempt.number for attempt in await two.wave.attempts()} == {1}


async def test_an_account_that_is_refused_costs_nobody_a_text(two: Two) -> None:
    two.wave.twilio.usual = Behaviour(refuse=20003)
    await two.wave.alerts(10)
    await two.sends(two.worker(side_by_side=1))
    assert (two.by(), len(two.wave.twilio.requests)) == ((0, 10), 1)


async def test_while_both_ask_for_a_pause_nobody_loses_an_attempt(two: Two) -> None:
    two.wave.twilio.next(TOO_BUSY)
    two.spryng.next(other.TOO_BUSY)
    await two.wave.alerts(10)
    await two.sends(two.worker(side_by_side=1))
    assert two.texted() == EVERYBODY_ONCE
    assert {attempt.number for attempt in await two.wave.attempts()} == {1}


async def test_a_lost_answer_of_the_second_is_asked_of_the_second(two: Two) -> None:
    unplug(two)
    two.spryng.next(other.Behaviour(lose_answer=True, reports=()))
    await two.wave.alerts(1)
    worker = two.worker()
    await two.sends(worker)
    assert await two.wave.state() == DeliveryState.SENDING
    await two.wave.time_passes()
    await two.sends(worker)
    (attempt,) = await two.wave.attempts()
    assert two.spryng.asked == [{"filters[reference]": attempt.id}]
    assert (attempt.provider_id, two.by()) == (two.spryng.messages[0]["id"], (0, 1))


async def test_a_worker_killed_while_the_second_thinks_leaves_it_to_another_that_asks_the_second(two: Two) -> None:
    unplug(two)
    two.spryng.usual = other.Behaviour(answer_after_s=0.4, reports=())
    await two.wave.alerts(4)
    worker = two.worker()
    await worker.step()
    await until(lambda: _asked(two, 4), "all four are with the provider")
    await worker.finished(0)
    await asyncio.sleep(0.5)
    for _ in range(2):
        await two.wave.time_passes()
        await two.sends(two.worker())
    assert two.texted() == {number(place): 1 for place in range(4)}


async def test_a_number_that_the_first_refuses_for_good_is_not_tried_by_the_second(two: Two) -> None:
    two.wave.twilio.usual = Behaviour(refuse=21211)
    await two.wave.alerts(1)
    await two.sends(two.worker())
    assert (await two.wave.state(), two.spryng.requests) == (DeliveryState.FAILED, [])


async def test_what_the_first_took_and_could_not_deliver_is_tried_by_the_second(two: Two) -> None:
    two.wave.twilio.usual = UNDELIVERED
    await two.wave.alerts(1)
    worker = two.worker()
    await two.sends(worker)
    await two.wave.time_passes()
    await two.sends(worker)
    assert (await two.wave.state(), two.by()) == (DeliveryState.DELIVERED, (1, 1))


# --- rates, places, money ---------------------------------------------------------------------------------------------


async def test_no_more_leave_than_the_rate_allows_and_what_waits_is_not_claimed(two: Two) -> None:
    await two.wave.alerts(3)
    rate = SharedRate(two.wave.redis, "sms:twilio", 0.001)
    worker = two.worker(rate=rate)
    assert await worker.step()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(worker.step(), 0.3)
    await worker.finished(5)
    assert two.by() == (1, 0)
    assert Counter((await two.wave.states()).values())[DeliveryState.PENDING] == 2


async def test_the_rate_of_the_first_does_not_hold_back_the_second_that_took_over(two: Two) -> None:
    unplug(two)
    await two.wave.alerts(10)
    worker = two.worker(rate=SharedRate(two.wave.redis, "sms:twilio", 1), side_by_side=1)
    async with asyncio.timeout(30):
        await two.sends(worker)
    assert two.texted() == EVERYBODY_ONCE


async def test_no_more_are_side_by_side_at_a_provider_than_it_takes(two: Two) -> None:
    two.wave.twilio.usual = Behaviour(answer_after_s=0.8, statuses=())
    await two.wave.alerts(6)
    await two.sends(two.worker(at_once=2))
    assert two.by() == (2, 4)


async def test_what_goes_by_the_second_is_paid_to_the_second(two: Two) -> None:
    two.tariffs = {("sms", "twilio"): Bounds(price=80_000), ("sms", "spryng"): Bounds(price=50_000)}
    await two.wave.alerts(4)
    unplug(two)
    await two.sends(two.worker())
    (line, nothing) = await two.spent()
    parts = line.parts // 4
    assert parts >= 1
    assert (line.provider, line.sent, line.micro_euros) == ("spryng", 4, 4 * parts * 50_000)
    assert (nothing.provider, nothing.sent, nothing.parts, nothing.micro_euros) == ("twilio", 0, 0, 0)


async def test_when_the_budget_is_used_up_look_outs_wait_and_a_missing_child_goes_out(two: Two) -> None:
    two.tariffs = {("sms", ALL): Bounds(budget=1), ("sms", "twilio"): Bounds(price=EURO)}
    worker = two.worker(side_by_side=1)
    await two.wave.alerts(3)
    assert await worker.step()
    assert not await worker.step()
    await worker.finished(5)
    await two.wave.twilio.settled()
    assert Counter((await two.wave.states()).values()) == {DeliveryState.DELIVERED: 1, DeliveryState.PENDING: 2}
    for kind in ("missing_child", "amber"):
        await two.wave.starts(kind)
        await two.sends(worker)
    assert sorted(two.texted().values()) == [2, 2, 3]


async def test_when_the_budget_of_the_first_is_used_up_the_second_carries_on(two: Two) -> None:
    two.tariffs = {("sms", "twilio"): Bounds(price=EURO, budget=2 * EURO), ("sms", "spryng"): Bounds(price=1)}
    await two.wave.alerts(6)
    await two.sends(two.worker(side_by_side=1))
    assert two.by() == (2, 4)
    assert two.texted() == {number(place): 1 for place in range(6)}


async def test_a_provider_that_never_reports_leaves_its_texts_sent(two: Two) -> None:
    two.wave.twilio.usual = SILENT
    await two.wave.alerts(3)
    worker = two.worker()
    await two.sends(worker)
    await two.wave.time_passes()
    await two.sends(worker)
    assert two.by() == (3, 0)
    assert set((await two.wave.states()).values()) == {DeliveryState.SENT}


async def _asked(two: Two, requests: int) -> bool:
    return len(two.spryng.requests) >= requests
