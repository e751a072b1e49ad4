"""The delivery table as the queue: nobody twice, the most urgent first, nothing after the end."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis.asyncio import Redis
from sqlmodel import update

from actions.matching import OpenAction
from actions.models import Attempt, Delivery, DeliveryState, Kind, Message, bits, now
from actions.store import Store
from alerting.attempts import record
from alerting.errors import Fault, Whose
from alerting.queue import Claimed, Queue
from alerting.receipts import Receipt
from alerting.sweeping import GIVEN_UP, OVER, SIGNED_OFF
from tests.alerting.test_audience import write_all
from tests.alerting.town import Town, number, somebody

S = DeliveryState
OFF = Receipt(S.FAILED, fault=Fault(True, Whose.RECIPIENT, "the telephone was off or out of reach"))
SENT = Receipt(S.SENT, "SM1")


def queue(town: Town, attempt_s: float = 30.0) -> Queue:
    return Queue(town.store, "sms", "twilio", attempt_s)


async def alerted(town: Town, redis: Redis, people: int, **how: Any) -> OpenAction:
    await town.has(*(somebody(name, name * 5) for name in range(people)))
    action = await town.looks_out(**how)
    await write_all(town, redis)
    return action


async def numbers(town: Town, claimed: list[Claimed]) -> list[str]:
    known = await town.register.numbers_of([one.contact_point_id for one in claimed])
    return [known[one.contact_point_id] for one in claimed]


async def change(town: Town, table: type[Delivery | Attempt | Message], **values: Any) -> None:
    async with town.store.writing() as session:
        await session.exec(update(table).values(**values))


async def test_two_workers_racing_for_200_deliveries_take_nobody_twice(
    town: Town, redis: Redis, database_url: str
) -> None:
    await alerted(town, redis, 200)
    other = Store.open(database_url)

    async def takes_all(store: Store, most: int) -> list[str]:
        own, taken = Queue(store, "sms", "twilio", 30.0), []
        while batch := await own.claim(most):
            taken += await numbers(town, batch)
        return taken

    try:
        shares = await asyncio.gather(*(takes_all(store, most) for store in (town.store, other) for most in (7, 13)))
    finally:
        await other.close()
    # Somebody may find all that is left locked by another, and stop; whoever locked it takes it.
    taken = Counter(one for share in shares for one in share)
    assert taken == {number(name): 1 for name in range(200)}
    assert len(await town.attempts()) == 200


async def test_the_nearest_are_taken_first(town: Town, redis: Redis) -> None:
    places = [70, 10, 400, 5, 399, 11]
    await town.has(*(somebody(name, east) for name, east in enumerate(places)))
    await town.looks_out()
    await write_all(town, redis)
    own = queue(town)
    taken = [*await numbers(town, await own.claim(4)), *await numbers(town, await own.claim(4))]
    assert taken == [number(name) for name in sorted(range(6), key=places.__getitem__)]


async def test_the_most_urgent_kind_goes_first_and_one_claim_reaches_over_several_messages(
    town: Town, redis: Redis
) -> None:
    await town.has(somebody(1))
    await town.wishes(1, kinds=bits(Kind))
    codes = {}
    for kind in ("information", "investigation", "look_out", "amber", "missing_child"):
        codes[kind] = (await town.looks_out(kind=kind)).code
    await write_all(town, redis)
    own = queue(town)
    first, rest = await own.claim(1), await own.claim(10)
    taken = [one.notice.code for one in (*first, *rest)]
    assert taken == [codes[kind] for kind in ("amber", "missing_child", "look_out", "information", "investigation")]


async def test_an_amber_that_starts_in_the_middle_of_a_wave_goes_first_and_the_wave_goes_on(
    town: Town, redis: Redis
) -> None:
    wave = await alerted(town, redis, 60)
    own = queue(town)
    assert {one.notice.code for one in await own.claim(20)} == {wave.code}
    amber = await town.looks_out(kind="amber")
    await write_all(town, redis)
    codes = [one.notice.code for _ in range(10) for one in await own.claim(10)]
    assert codes == [amber.code] * 60 + [wave.code] * 40


async def test_of_each_message_only_its_share_is_begun(town: Town, redis: Redis) -> None:
    first = await alerted(town, redis, 10)
    second = await town.looks_out()
    await write_all(town, redis)
    shares = {(await town.message(first)).id: 3, (await town.message(second)).id: 0}
    assert [one.notice.code for one in await queue(town).claim(10, lambda message: shares[message])] == [first.code] * 3


@pytest.mark.parametrize(
    "season", [datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2027, 3, 28, 0, 30, tzinfo=UTC)]
)
async def test_in_the_night_of_the_clock_change_nothing_is_tried_an_hour_early_or_late(
    town: Town, redis: Redis, monkeypatch: pytest.MonkeyPatch, season: datetime
) -> None:
    monkeypatch.setenv("TZ", "Europe/Amsterdam")
    time.tzset()
    try:
        await alerted(town, redis, 1)
        due = season + timedelta(minutes=40)  # 01:10 UTC: the clock jumped at 01:00
        await change(town, Message, deadline=season + timedelta(hours=2))
        await change(town, Delivery, due_at=due)
        taken = []
        for minutes in (0, 29, 31, 39, 40):
            monkeypatch.setattr("alerting.queue.now", lambda minutes=minutes: season + timedelta(minutes=minutes))
            taken.append(len(await queue(town).claim(5)))
        assert taken == [0, 0, 0, 0, 1]
        assert (await town.attempts())[0].started_at == due
    finally:
        monkeypatch.undo()
        time.tzset()


async def test_an_attempt_is_in_the_books_with_its_deadline(town: Town, redis: Redis) -> None:
    await alerted(town, redis, 1)
    (claimed,) = await queue(town, attempt_s=12.0).claim(5)
    (attempt,) = await town.attempts()
    assert (attempt.id, attempt.number, attempt.state) == (claimed.attempt_id, 1, S.SENDING)
    assert attempt.deadline - attempt.started_at == timedelta(seconds=12)
    assert await queue(town).claim(5) == []


async def test_other_channels_are_left_to_others(town: Town, redis: Redis) -> None:
    await town.has(somebody(1, channels=("voice",)))
    await town.looks_out()
    await write_all(town, redis)
    assert await queue(town).claim(5) == []
    assert len(await Queue(town.store, "voice", "asterisk", 30.0).claim(5)) == 1


async def test_a_delivery_is_tried_three_times_each_when_it_is_due_and_then_no_more(town: Town, redis: Redis) -> None:
    action = await alerted(town, redis, 1)
    own = queue(town)
    for _ in range(3):
        (claimed,) = await own.claim(5)
        await record(town.store, claimed.attempt_id, OFF)
        assert await own.claim(5) == []  # not due yet
        await change(town, Delivery, due_at=now())
    assert await own.claim(5) == []
    (row,) = await town.rows(action)
    assert row.state == S.FAILED
    assert [attempt.number for attempt in await town.attempts()] == [1, 2, 3]


async def test_an_attempt_nobody_finished_is_taken_once_when_it_is_overdue(town: Town, redis: Redis) -> None:
    await alerted(town, redis, 3)
    own = queue(town)
    claimed = await own.claim(5)
    assert await own.overdue(5) == []
    await record(town.store, claimed[0].attempt_id, SENT)
    await change(town, Attempt, deadline=now() - timedelta(seconds=1))
    taken = await own.overdue(5)
    assert {one.attempt_id for one in taken} == {one.attempt_id for one in claimed[1:]}
    assert await own.overdue(5) == []


async def test_two_workers_do_not_both_take_what_is_overdue(town: Town, redis: Redis, database_url: str) -> None:
    await alerted(town, redis, 40)
    await queue(town).claim(40)
    await change(town, Attempt, deadline=now() - timedelta(seconds=1))
    other = Store.open(database_url)
    try:
        shares = await asyncio.gather(
            *(Queue(store, "sms", "twilio", 30.0).overdue(9) for store in (town.store, other) for _ in range(6))
        )
    finally:
        await other.close()
    taken = Counter(one.attempt_id for share in shares for one in share)
    assert set(taken.values()) == {1}


@pytest.mark.parametrize(
    ("tried", "why", "state", "reason"),
    [
        pytest.param(False, "ended", S.CANCELLED, OVER, id="never tried, the action ended"),
        pytest.param(False, "too late", S.CANCELLED, OVER, id="never tried, the deadline passed"),
        pytest.param(False, "opted out", S.CANCELLED, SIGNED_OFF, id="never tried, its owner opted out"),
        pytest.param(True, "ended", S.FAILED, GIVEN_UP, id="waiting for a second try, the action ended"),
        pytest.param(True, "too late", S.FAILED, GIVEN_UP, id="waiting for a second try, the deadline passed"),
        pytest.param(True, "opted out", S.FAILED, SIGNED_OFF, id="waiting for a second try, its owner opted out"),
    ],
)
async def test_what_must_never_be_sent_any_more_is_closed_with_the_reason(
    town: Town, redis: Redis, why: str, state: str, reason: str, *, tried: bool
) -> None:
    action = await alerted(town, redis, 1)
    own = queue(town)
    if tried:
        (claimed,) = await own.claim(5)
        await record(town.store, claimed.attempt_id, OFF)
        await change(town, Delivery, due_at=now())
    await over(town, action, why)
    assert await own.claim(5) == []
    await own.sweep()
    row = await town.row(action, 0)
    assert (row.state, row.reason) == (state, reason)


async def over(town: Town, action: OpenAction, why: str) -> None:
    match why:
        case "ended":
            await town.ends(action)
        case "too late":
            await change(town, Message, deadline=now() - timedelta(seconds=1))
        case "opted out":
            # Closed with the rest, at the end of the action: until then its owner may sign on again.
            await town.opts_out(0)
            assert await queue(town).claim(5) == []
            await town.ends(action)


async def test_the_sweep_leaves_what_is_under_way_and_what_is_still_wanted(town: Town, redis: Redis) -> None:
    ended = await alerted(town, redis, 3)
    own = queue(town)
    await own.claim(2)
    going = await town.looks_out()
    await write_all(town, redis)
    await town.ends(ended)
    await own.sweep()
    assert [row.state for row in await town.rows(ended)] == [S.SENDING, S.SENDING, S.CANCELLED]
    assert {row.state for row in await town.rows(going)} == {S.PENDING}


async def test_a_large_sweep_goes_in_pieces(town: Town, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alerting.sweeping.SWEEP", 4)
    action = await alerted(town, redis, 11)
    await town.ends(action)
    await queue(town).sweep()
    assert {row.state for row in await town.rows(action)} == {S.CANCELLED}


async def test_the_end_against_the_claim_leaves_nobody_in_between(town: Town, redis: Redis) -> None:
    action = await alerted(town, redis, 60)
    own = queue(town)
    await own.claim(3)
    await asyncio.gather(own.claim(3), town.ends(action), own.claim(3), own.claim(3))
    assert await own.claim(3) == []
    await own.sweep()
    states = Counter(row.state for row in await town.rows(action))
    begun = len(await town.attempts())
    assert 3 <= begun <= 12
    assert states == {S.SENDING: begun, S.CANCELLED: 60 - begun}
