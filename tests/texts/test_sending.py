"""A wave of texts, to a provider that behaves and to one that does not: everybody once, nobody after the end."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from sqlmodel import update

from actions.models import Delivery, DeliveryState, MessageKind
from actions.vault import Vault
from alerting import dispatcher as dispatching
from alerting.errors import NEVER_KNOWN
from stand_ins.twilio import BROKEN, GOOD, SILENT, TOO_BUSY, UNDELIVERED, Behaviour
from tests.texts.wave import WHY, Unsteady, Wave, number, until

LOST = Behaviour(lose_answer=True, statuses=())
WRONG_NUMBER = Behaviour(refuse=21211)
STOPPED = Behaviour(refuse=21610)


async def test_everybody_is_texted_once_nearest_first_and_known_to_have_it(wave: Wave) -> None:
    await wave.alerts(30)
    await wave.sends(wave.worker(side_by_side=1))
    assert wave.texted() == [number(place) for place in range(30)]
    assert set((await wave.states()).values()) == {DeliveryState.DELIVERED}


async def test_the_text_says_what_to_look_for_how_to_answer_and_how_to_stop(wave: Wave) -> None:
    action = await wave.alerts(1)
    await wave.sends()
    (body,) = wave.twilio.texts_to(number(0))
    assert body == (
        "Burgernet: de blauwe Golf. Blauwe Golf, gezien op de Coolsingel. Gezien? Ga er niet zelf op af. "
        f"Bel 0800-0011, code {action.code}. Geen berichten meer? Antwoord STOP."
    )


async def test_a_life_in_danger_goes_before_a_look_out_and_that_before_news(wave: Wave) -> None:
    await wave.lives(number(0))
    for kind in ("investigation", "information", "look_out", "missing_child", "amber"):
        await wave.starts(kind)
    codes = {action.code: action.kind for action in await wave.desk.open_actions()}
    await wave.sends(wave.worker(side_by_side=1))
    order = [next(kind for code, kind in codes.items() if f"code {code}." in m["body"]) for m in wave.twilio.messages]
    assert order == ["amber", "missing_child", "look_out", "information", "investigation"]


async def test_an_alert_goes_before_the_result_of_another_action(wave: Wave) -> None:
    first = await wave.alerts(1)
    await wave.sends()
    await wave.ends(first)
    second = await wave.starts()
    await wave.audience()
    await wave.sends(wave.worker(side_by_side=1))
    last_two = [message["body"] for message in wave.twilio.messages[1:]]
    assert f"code {second.code}." in last_two[0]
    assert f"actie {first.code} is voorbij" in last_two[1]


async def test_two_workers_at_once_text_nobody_twice(wave: Wave) -> None:
    await wave.alerts(120)
    await asyncio.gather(*(wave.sends(wave.worker(side_by_side=7)) for _ in range(3)))
    assert Counter(wave.texted()) == {number(place): 1 for place in range(120)}
    assert len(await wave.attempts()) == 120


async def test_the_attempt_is_in_the_books_before_the_provider_hears_of_it(wave: Wave) -> None:
    await wave.alerts(3)
    unknown: list[str] = []
    known: set[str] = set()

    def look(form: dict[str, str]) -> None:
        attempt_id = form["StatusCallback"].rpartition("/")[2]
        unknown.extend({attempt_id} - known)

    worker = wave.worker()
    claim = worker._queue.claim

    async def noted(*asked: Any) -> object:
        claimed = await claim(*asked)
        known.update(attempt.id for attempt in await wave.attempts())
        return claimed

    worker._queue.claim = noted  # type: ignore[method-assign, assignment]
    wave.twilio.on_request = look
    await wave.sends(worker)
    assert unknown == []
    assert len(wave.twilio.requests) == 3


# --- wrong numbers, and those who want no texts ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (WRONG_NUMBER, "this is no telephone number"),
        (STOPPED, "this number answered STOP"),
        (Behaviour(refuse=21614), "this number takes no texts"),
        (Behaviour(refuse=21617), "the text is too long: 1,600 characters at most"),
    ],
)
async def test_a_number_that_cannot_be_texted_fails_once_with_the_reason(
    wave: Wave, behaviour: Behaviour, reason: str
) -> None:
    wave.twilio.usual = behaviour
    await wave.alerts(1)
    await wave.sends()
    await wave.time_passes()
    await wave.sends()
    delivery = (await wave.deliveries())[number(0)]
    assert (delivery.state, delivery.reason) == (DeliveryState.FAILED, reason)
    assert len(wave.twilio.requests) == 1


@pytest.mark.parametrize("e164", ["+31900123456", "+4915112345678"])
async def test_a_number_outside_the_allowed_ranges_is_never_handed_to_the_provider(wave: Wave, e164: str) -> None:
    await wave.lives(e164)
    await wave.starts()
    await wave.sends()
    delivery = (await wave.deliveries())[e164]
    assert (delivery.state, delivery.reason) == (DeliveryState.FAILED, dispatching.NOT_ALLOWED.operator_message)
    assert wave.twilio.requests == []


async def test_a_number_erased_after_the_audience_was_written_fails_and_the_others_are_texted(wave: Wave) -> None:
    await wave.alerts(3)
    await wave.register.erase(number(1), WHY)
    await wave.sends()
    assert sorted(wave.texted()) == [number(0), number(2)]


async def test_a_number_whose_key_is_lost_fails_alone(wave: Wave) -> None:
    await wave.lives(number(0))
    mine = wave.register._vault
    wave.register._vault = Vault({2: bytes(32)})
    await wave.lives(number(1))
    await wave.starts()
    await wave.sends()
    wave.register._vault = mine
    assert wave.texted() == [number(1)]
    assert [attempt.error for attempt in await wave.attempts() if attempt.error] == [
        dispatching.SEALED.operator_message
    ]


async def test_who_opts_out_while_waiting_is_not_texted(wave: Wave) -> None:
    await wave.alerts(3)
    await wave.opts_out(number(1))
    await wave.sends()
    assert sorted(wave.texted()) == [number(0), number(2)]


# --- a provider in trouble -------------------------------------------------------------------------------------------


async def test_a_provider_that_asks_for_a_pause_gets_it_and_nobody_loses_an_attempt(wave: Wave) -> None:
    await wave.alerts(12)
    wave.twilio.next(*[TOO_BUSY] * 4)
    began = asyncio.get_running_loop().time()
    await wave.sends(wave.worker(side_by_side=4))
    assert asyncio.get_running_loop().time() - began >= 1
    assert len(wave.twilio.requests) == 16
    assert Counter(wave.texted()) == {number(place): 1 for place in range(12)}
    assert {attempt.number for attempt in await wave.attempts()} == {1}


async def test_nothing_is_asked_of_the_provider_during_its_pause(wave: Wave) -> None:
    await wave.alerts(6)
    moments: list[float] = []
    wave.twilio.on_request = lambda _: moments.append(asyncio.get_running_loop().time())
    wave.twilio.next(TOO_BUSY)
    await wave.sends(wave.worker(side_by_side=1))
    assert len(moments) == 7
    assert moments[1] - moments[0] >= 1


async def test_a_pause_longer_than_the_attempt_leaves_a_second_try(wave: Wave) -> None:
    await wave.alerts(1)
    wave.twilio.next(Behaviour(refuse=20429, retry_after_s=2))
    worker = wave.worker(attempt_s=1.0)
    assert await worker.step()
    await worker.finished(5)
    assert await wave.state() == DeliveryState.SENDING
    await wave.time_passes()
    await wave.sends(worker)
    assert await wave.state() == DeliveryState.DELIVERED
    assert [attempt.number for attempt in await wave.attempts()] == [1, 2]


async def test_when_our_own_account_is_refused_the_rest_waits_for_the_repair(wave: Wave) -> None:
    await wave.alerts(5)
    wave.twilio.usual = Behaviour(refuse=20003)
    worker = wave.worker(side_by_side=1)
    assert await worker.step()
    await worker.finished(5)
    states = Counter((await wave.states()).values())
    assert states == {DeliveryState.PENDING: 4, DeliveryState.SENDING: 1}
    assert (await wave.attempts())[0].error.startswith("Twilio does not know our account")  # type: ignore[union-attr]


async def test_a_provider_that_cannot_be_reached_costs_nobody_the_text(wave: Wave) -> None:
    await wave.alerts(4)
    url, wave.client._http._base = wave.client._http._base, "http://127.0.0.1:1"
    worker = wave.worker(attempt_s=2.0, side_by_side=2)
    assert await worker.step()
    await worker.finished(5)
    assert wave.twilio.requests == []
    wave.client._http._base = url
    await wave.time_passes()
    await wave.sends()
    assert Counter(wave.texted()) == {number(place): 1 for place in range(4)}


@pytest.mark.parametrize("behaviour", [BROKEN, LOST, Behaviour(answer_after_s=1.5, statuses=())])
async def test_without_a_clear_answer_the_attempt_stays_open_and_the_provider_is_asked_before_a_second_text(
    wave: Wave, behaviour: Behaviour
) -> None:
    await wave.alerts(1)
    wave.twilio.next(behaviour)
    await wave.sends(wave.worker(attempt_s=2.0))
    assert await wave.state() == DeliveryState.SENDING
    await until(lambda: _took_or_refused(wave, behaviour), "the provider made up its mind")
    taken = len(wave.twilio.messages)
    await wave.time_passes()
    await wave.sends()
    await wave.time_passes()
    await wave.sends()
    assert wave.texted() == [number(0)]
    assert await wave.state() == (DeliveryState.SENT if taken else DeliveryState.DELIVERED)


async def test_a_lost_text_is_found_again_as_it_is_by_now(wave: Wave) -> None:
    await wave.alerts(1)
    wave.twilio.next(LOST)
    await wave.sends()
    wave.twilio.messages[0]["status"] = "delivered"
    await wave.time_passes()
    await wave.sends()
    (attempt,) = await wave.attempts()
    assert attempt.provider_id == wave.twilio.messages[0]["sid"]
    assert await wave.state() == DeliveryState.DELIVERED


async def test_a_failed_text_to_the_same_number_is_not_taken_for_the_lost_second_one(wave: Wave) -> None:
    await wave.alerts(1)
    wave.twilio.next(UNDELIVERED, Behaviour(refuse=20500), GOOD)
    await wave.sends()
    await wave.time_passes()
    await wave.sends()
    await wave.time_passes()
    await wave.sends()
    await wave.time_passes()
    await wave.sends()
    assert wave.texted() == [number(0), number(0)]
    assert [attempt.state for attempt in await wave.attempts()] == ["failed", "failed", "delivered"]


async def test_two_workers_do_not_both_ask_what_became_of_an_attempt(wave: Wave) -> None:
    await wave.alerts(5)
    wave.twilio.usual = LOST
    await wave.sends()
    await wave.time_passes()
    claims = await asyncio.gather(*(wave.worker()._queue.overdue(5) for _ in range(2)))
    assert sorted(len(claim) for claim in claims) == [0, 5]


async def test_a_provider_that_never_tells_is_not_asked_for_ever(wave: Wave, monkeypatch: pytest.MonkeyPatch) -> None:
    await wave.alerts(1)
    wave.twilio.next(LOST)
    await wave.sends()
    monkeypatch.setattr(dispatching, "ASKED_TIMES", 0)
    wave.client._http._base = "http://127.0.0.1:1"
    await wave.time_passes()
    await wave.sends()
    delivery = (await wave.deliveries())[number(0)]
    assert (delivery.state, delivery.reason) == (DeliveryState.FAILED, NEVER_KNOWN.operator_message)


async def test_a_provider_that_never_calls_back_leaves_it_sent_and_it_is_not_sent_again(wave: Wave) -> None:
    wave.twilio.usual = SILENT
    await wave.alerts(3)
    await wave.sends()
    await wave.time_passes()
    await wave.sends()
    assert len(wave.twilio.requests) == 3
    assert set((await wave.states()).values()) == {DeliveryState.SENT}


async def test_an_undelivered_text_is_tried_three_times_and_then_no_more(wave: Wave) -> None:
    wave.twilio.usual = UNDELIVERED
    await wave.alerts(1)
    for _ in range(5):
        await wave.sends()
        await wave.time_passes()
    delivery = (await wave.deliveries())[number(0)]
    assert (delivery.state, delivery.reason) == (DeliveryState.FAILED, "the telephone was off or out of reach")
    assert [attempt.number for attempt in await wave.attempts()] == [1, 2, 3]


async def test_a_second_try_that_arrives_makes_it_delivered(wave: Wave) -> None:
    await wave.alerts(1)
    wave.twilio.next(UNDELIVERED)
    await wave.sends()
    assert await wave.state() == DeliveryState.SENDING
    await wave.time_passes()
    await wave.sends()
    delivery = (await wave.deliveries())[number(0)]
    assert (delivery.state, delivery.reason) == (DeliveryState.DELIVERED, None)


# --- workers that die, databases that go -----------------------------------------------------------------------------


async def test_a_worker_killed_between_the_books_and_the_provider_is_made_good_by_another(wave: Wave) -> None:
    await wave.alerts(4)
    await wave.worker()._queue.claim(4)
    await wave.sends()
    assert wave.texted() == []
    for _ in range(2):
        await wave.time_passes()
        await wave.sends()
    assert Counter(wave.texted()) == {number(place): 1 for place in range(4)}
    assert set((await wave.states()).values()) == {DeliveryState.DELIVERED}


async def test_a_worker_killed_while_the_provider_thinks_texts_nobody_twice(wave: Wave) -> None:
    await wave.alerts(6)
    wave.twilio.next(*[Behaviour(answer_after_s=0.5, statuses=())] * 6)
    worker = wave.worker()
    await worker.step()
    await until(lambda: _count(wave, 6), "all six are with the provider")
    await worker.finished(0)
    await until(lambda: _taken(wave, 6), "the provider took all six")
    for _ in range(2):
        await wave.time_passes()
        await wave.sends()
    assert Counter(wave.texted()) == {number(place): 1 for place in range(6)}


async def test_a_worker_that_is_late_does_not_send_any_more(wave: Wave) -> None:
    await wave.alerts(1)
    store = Unsteady(wave.store)
    store.slow_s = 0.3
    late = wave.worker(store=store, attempt_s=0.2)
    assert await late.step()
    await late.finished(5)
    assert wave.twilio.requests == []
    await wave.time_passes()
    await wave.sends()
    assert wave.texted() == [number(0)]


async def test_a_stopped_worker_finishes_what_is_in_flight(wave: Wave) -> None:
    await wave.alerts(5)
    wave.twilio.usual = Behaviour(answer_after_s=0.3)
    running = asyncio.create_task(wave.worker(side_by_side=5).run())
    await until(lambda: _count(wave, 5), "all five are with the provider")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await wave.twilio.settled()
    assert set((await wave.states()).values()) == {DeliveryState.DELIVERED}


async def test_a_database_away_when_the_answer_comes_is_told_as_soon_as_it_is_back(
    wave: Wave, monkeypatch: pytest.MonkeyPatch
) -> None:
    await wave.alerts(1)
    wave.twilio.usual = SILENT
    monkeypatch.setattr(dispatching, "RECORD_PAUSES_S", (0.0, 0.01, 0.02, 0.04))
    store = Unsteady(wave.store)
    store.refuses_writes = 2
    await wave.sends(wave.worker(store=store))
    assert store.refuses_writes == 0
    assert await wave.state() == DeliveryState.SENT


async def test_an_answer_that_the_database_never_took_is_asked_for_again(
    wave: Wave, monkeypatch: pytest.MonkeyPatch
) -> None:
    await wave.alerts(1)
    wave.twilio.usual = SILENT
    monkeypatch.setattr(dispatching, "RECORD_PAUSES_S", (0.0,))
    store = Unsteady(wave.store)
    store.refuses_writes = 1
    await wave.sends(wave.worker(store=store))
    assert await wave.state() == DeliveryState.SENDING
    await wave.time_passes()
    await wave.sends()
    assert await wave.state() == DeliveryState.SENT
    assert wave.texted() == [number(0)]


async def test_a_database_away_before_the_text_leaves_means_that_it_does_not_leave(wave: Wave) -> None:
    await wave.alerts(2)
    store = Unsteady(wave.store)
    store.unreadable = True
    await wave.sends(wave.worker(store=store))
    assert wave.twilio.requests == []
    for _ in range(2):
        await wave.time_passes()
        await wave.sends()
    assert Counter(wave.texted()) == {number(0): 1, number(1): 1}


async def test_a_running_worker_sends_as_soon_as_the_bell_rings(wave: Wave) -> None:
    await wave.lives(number(0))
    running = asyncio.create_task(wave.worker().run())
    await wave.starts()
    await until(lambda: _taken(wave, 1), "the text was taken")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


# --- stop ------------------------------------------------------------------------------------------------------------


async def test_after_the_end_nothing_leaves_any_more_and_what_never_began_is_cancelled(wave: Wave) -> None:
    action = await wave.alerts(40)
    wave.twilio.usual = Behaviour(answer_after_s=0.2)
    worker = wave.worker(side_by_side=5)
    running = asyncio.create_task(worker.run())
    await until(lambda: _count(wave, 10), "two rounds are out")
    await wave.ends(action)
    left = len(wave.twilio.requests)
    await until(lambda: _none_is(wave, DeliveryState.PENDING), "the rest was swept")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await wave.twilio.settled()
    # Five are under way at most: those that had looked at the stop flag a moment before it was set.
    assert len(wave.twilio.requests) - left <= 5
    states = Counter((await wave.states()).values())
    assert states[DeliveryState.CANCELLED] == 40 - len(wave.twilio.messages)
    assert states[DeliveryState.DELIVERED] == len(wave.twilio.messages)


async def test_an_attempt_begun_just_before_the_end_is_withdrawn_and_its_owner_gets_no_result(wave: Wave) -> None:
    action = await wave.alerts(2)
    await wave.sends(wave.worker(side_by_side=1))
    await wave.lives(number(7), metres=20)
    other = await wave.starts()
    worker = wave.worker()
    batch = await worker._queue.claim(10)
    await wave.ends(other)
    await wave.audience()
    for claimed in batch:
        await worker._attempt(claimed, float("inf"))
    await wave.sends()
    assert set((await wave.states(MessageKind.RESULT)).values()) == {DeliveryState.CANCELLED}
    assert action.id != other.id
    assert len(wave.twilio.messages) == 2


async def test_an_attempt_withdrawn_by_an_update_leaves_the_update_to_come(wave: Wave) -> None:
    action = await wave.alerts(1)
    worker = wave.worker()
    (claimed,) = await worker._queue.claim(1)
    await wave.updates(action)
    await worker._attempt(claimed, float("inf"))
    await wave.sends()
    (body,) = wave.twilio.texts_to(number(0))
    assert "nieuw bericht" in body


async def test_a_result_written_for_an_alert_that_was_withdrawn_meanwhile_is_not_sent(wave: Wave) -> None:
    action = await wave.alerts(1)
    worker = wave.worker()
    (claimed,) = await worker._queue.claim(1)
    await wave.ends(action)
    await wave.audience()
    await worker._attempt(claimed, float("inf"))
    async with wave.store.writing() as session:
        # As if the row had been written a moment after the withdrawal.
        await session.exec(update(Delivery).values(state=DeliveryState.CANCELLED))
        result = (await wave.deliveries(MessageKind.RESULT))[number(0)]
        row = await session.get_one(Delivery, result.id)
        row.state = DeliveryState.PENDING
    await wave.sends()
    assert wave.twilio.requests == []


async def test_the_result_goes_to_exactly_those_for_whom_an_attempt_began(wave: Wave) -> None:
    action = await wave.alerts(6)
    worker = wave.worker(side_by_side=2)
    await worker.step()
    await worker.finished(5)
    await wave.twilio.settled()
    await wave.ends(action)
    await wave.audience()
    await wave.sends()
    assert sorted(Counter(wave.texted()).items()) == [(number(0), 2), (number(1), 2)]
    assert all("is voorbij" in wave.twilio.texts_to(number(place))[-1] for place in (0, 1))


async def test_a_result_waits_until_it_is_certain_that_the_alert_left(wave: Wave) -> None:
    action = await wave.alerts(1)
    wave.twilio.next(LOST)
    await wave.sends()
    await wave.ends(action)
    await wave.audience()
    await wave.sends()
    assert len(wave.twilio.messages) == 1
    await wave.time_passes()
    await wave.sends()
    await wave.sends()
    assert ["is voorbij" in body for body in wave.twilio.texts_to(number(0))] == [False, True]


async def test_a_second_try_still_waiting_at_the_end_fails_with_the_reason(wave: Wave) -> None:
    action = await wave.alerts(1)
    wave.twilio.next(UNDELIVERED)
    await wave.sends()
    await wave.ends(action)
    await wave.time_passes()
    await wave.sends()
    delivery = (await wave.deliveries())[number(0)]
    assert (delivery.state, delivery.reason) == (
        DeliveryState.FAILED,
        "the action was over before this could be tried again",
    )
    assert len(wave.twilio.messages) == 1


async def test_past_its_deadline_nothing_of_a_message_leaves(wave: Wave) -> None:
    await wave.alerts(3)
    await wave.is_over()
    await wave.sends()
    assert wave.twilio.requests == []
    assert set((await wave.states()).values()) == {DeliveryState.CANCELLED}


async def test_an_update_reaches_whom_the_alert_reached(wave: Wave) -> None:
    action = await wave.alerts(2)
    await wave.sends()
    await wave.updates(action)
    await wave.sends()
    assert ["nieuw bericht" in body for body in wave.twilio.texts_to(number(0))] == [False, True]


async def _count(wave: Wave, requests: int) -> bool:
    return len(wave.twilio.requests) >= requests


async def _taken(wave: Wave, messages: int) -> bool:
    return len(wave.twilio.messages) >= messages


async def _took_or_refused(wave: Wave, behaviour: Behaviour) -> bool:
    return bool(behaviour.refuse) or len(wave.twilio.messages) == 1


async def _none_is(wave: Wave, state: DeliveryState) -> bool:
    return state not in (await wave.states()).values()
