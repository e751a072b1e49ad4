"""What became of an attempt, written down: in any order, twice, late, together, by two at once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis
from sqlmodel import col, select, update

from actions.models import Attempt, Delivery, DeliveryState, Message, now
from actions.store import Store
from alerting.attempts import record, record_all, wanted
from alerting.errors import Fault, Whose
from alerting.pacing import WAITS_S
from alerting.queue import Queue
from alerting.receipts import ORDER, Receipt
from tests.alerting.test_audience import write_all
from tests.alerting.town import Town, number, somebody

S = DeliveryState
OFF = Fault(True, Whose.RECIPIENT, "the telephone was off or out of reach")
NO_NUMBER = Fault(False, Whose.RECIPIENT, "this number is not in use")
SENT, DELIVERED = Receipt(S.SENT, "SM1", "sent"), Receipt(S.DELIVERED, "SM1", "delivered")
OFF_NOW, NEVER = Receipt(S.FAILED, "SM1", "undelivered", OFF), Receipt(S.FAILED, "SM1", "failed", NO_NUMBER)
MANY = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
async def message(town: Town, redis: Redis) -> Message:
    """The alert of an action without an audience."""
    action = await town.looks_out()
    await write_all(town, redis)
    return await town.message(action)


async def begin(store: Store, message: Message, numbers: int = 1) -> tuple[Delivery, list[Attempt]]:
    """A delivery with attempts under way; all but the newest have failed."""
    assert message.id is not None
    at = now()
    async with store.writing() as session:
        known = (await session.exec(select(col(Delivery.contact_point_id)).order_by(col(Delivery.id).desc()))).first()
        delivery = Delivery(
            message_id=message.id,
            contact_point_id=(known or 0) + 1,
            channel="sms",
            language="nl",
            state=S.SENDING,
            claimed_until=at + timedelta(seconds=30),
        )
        session.add(delivery)
        await session.flush()
        assert delivery.id is not None
        attempts = [
            Attempt(
                delivery_id=delivery.id,
                number=number,
                provider="twilio",
                state=S.SENDING if number == numbers else S.FAILED,
                deadline=at + timedelta(seconds=30),
            )
            for number in range(1, numbers + 1)
        ]
        session.add_all(attempts)
    return delivery, attempts


async def reread(store: Store, delivery: Delivery) -> Delivery:
    async with store.reading() as session:
        return await session.get_one(Delivery, delivery.id)


@MANY
@given(
    reports=st.lists(st.sampled_from([SENT, DELIVERED]), max_size=5),
    failure=st.sampled_from([None, OFF_NOW, NEVER]),
    seed=st.integers(0, 999),
    at_once=st.booleans(),
)
async def test_whatever_the_order_of_the_reports_the_outcome_is_the_same(
    town: Town, message: Message, reports: list[Receipt], failure: Receipt | None, seed: int, *, at_once: bool
) -> None:
    delivery, (attempt,) = await begin(town.store, message)
    order = [*reports, *([failure] * 2 if failure else [])]
    Random(seed).shuffle(order)
    if at_once:
        assert await record_all(town.store, [(attempt.id, receipt) for receipt in order]) == [True] * len(order)
    else:
        assert all([await record(town.store, attempt.id, receipt) for receipt in order])
    after = await reread(town.store, delivery)
    furthest = max((receipt.state for receipt in order), key=ORDER.index, default=S.SENDING)
    if furthest is S.FAILED and failure is OFF_NOW:
        assert (after.state, after.claimed_until) == (S.SENDING, None)
        assert after.due_at > now()
    else:
        assert after.state == furthest
    assert (after.claimed_until is None) == bool(order)


@MANY
@given(
    late=st.lists(st.sampled_from([SENT, OFF_NOW, NEVER, DELIVERED]), max_size=3),
    newest=st.lists(st.sampled_from([SENT, DELIVERED]), max_size=2),
    failed=st.sampled_from([None, OFF_NOW, NEVER]),
    seed=st.integers(0, 999),
)
async def test_a_late_failure_of_an_earlier_attempt_decides_nothing(
    town: Town, message: Message, late: list[Receipt], newest: list[Receipt], failed: Receipt | None, seed: int
) -> None:
    delivery, (first, second) = await begin(town.store, message, numbers=2)
    of_second = [*newest, *([failed] if failed else [])]
    order = [*((first.id, receipt) for receipt in late), *((second.id, receipt) for receipt in of_second)]
    Random(seed).shuffle(order)
    for attempt_id, receipt in order:
        assert await record(town.store, attempt_id, receipt)
    state = (await reread(town.store, delivery)).state
    if DELIVERED in late or DELIVERED in of_second:
        assert state == S.DELIVERED
    elif failed is OFF_NOW:
        assert state == S.SENDING
    elif failed is NEVER:
        assert state == S.FAILED
    else:
        assert state == (S.SENT if SENT in of_second else S.SENDING)


async def test_reports_of_many_and_of_strangers_are_told_apart(town: Town, message: Message) -> None:
    attempts = [(await begin(town.store, message))[1][0] for _ in range(4)]
    reports = [(attempts[0].id, SENT), ("0" * 32, DELIVERED), (attempts[2].id, NEVER), (attempts[0].id, DELIVERED)]
    assert await record_all(town.store, reports) == [True, False, True, True]
    async with town.store.reading() as session:
        states = {row.id: row.state for row in await session.exec(select(Attempt))}
    assert [states[attempt.id] for attempt in attempts] == [S.DELIVERED, S.SENDING, S.FAILED, S.SENDING]


async def test_of_no_reports_there_is_nothing_to_write(town: Town) -> None:
    assert await record_all(town.store, []) == []


async def test_two_writers_at_once_lose_no_report(town: Town, message: Message, database_url: str) -> None:
    begun = [await begin(town.store, message) for _ in range(30)]
    ids = [attempt.id for _, (attempt,) in begun]
    other = Store.open(database_url)
    try:
        await asyncio.gather(
            *(record_all(town.store, [(one, SENT) for one in Random(seed).sample(ids, 30)]) for seed in range(5)),
            *(record_all(other, [(one, DELIVERED) for one in Random(seed).sample(ids, 30)]) for seed in range(5)),
        )
    finally:
        await other.close()
    assert {(await reread(town.store, delivery)).state for delivery, _ in begun} == {S.DELIVERED}


@pytest.mark.parametrize(("number", "wait"), [(1, WAITS_S[0]), (2, WAITS_S[1])])
async def test_what_can_be_tried_again_is_due_after_the_wait(
    town: Town, message: Message, number: int, wait: float
) -> None:
    delivery, attempts = await begin(town.store, message, numbers=number)
    before = now()
    await record(town.store, attempts[-1].id, OFF_NOW)
    after = await reread(town.store, delivery)
    assert after.state == S.SENDING
    assert after.reason == OFF.operator_message
    assert timedelta(seconds=wait) <= after.due_at - before <= timedelta(seconds=wait * 1.5 + 5)


@pytest.mark.parametrize(
    ("attempts", "fault", "left_s", "stopped"),
    [
        pytest.param(3, OFF, 3600, False, id="the third attempt failed"),
        pytest.param(1, NO_NUMBER, 3600, False, id="trying again helps nobody"),
        pytest.param(1, OFF, 3, False, id="the message is over before it could be tried again"),
        pytest.param(1, OFF, 3600, True, id="the action ended"),
    ],
)
async def test_what_cannot_be_tried_again_has_failed(
    town: Town, message: Message, attempts: int, fault: Fault, left_s: float, *, stopped: bool
) -> None:
    delivery, begun = await begin(town.store, message, numbers=attempts)
    values = {"deadline": now() + timedelta(seconds=left_s), "stopped_at": now() if stopped else None}
    async with town.store.writing() as session:
        await session.exec(update(Message).where(col(Message.id) == message.id).values(**values))
    await record(town.store, begun[-1].id, Receipt(S.FAILED, fault=fault))
    after = await reread(town.store, delivery)
    assert (after.state, after.reason) == (S.FAILED, fault.operator_message)


async def test_a_receipt_keeps_what_the_provider_said(town: Town, message: Message) -> None:
    _, (attempt,) = await begin(town.store, message)
    await record_all(town.store, [(attempt.id, SENT), (attempt.id, Receipt(S.SENT, "SM2", "queued"))])
    async with town.store.reading() as session:
        kept = await session.get_one(Attempt, attempt.id)
    assert (kept.provider_id, kept.provider_status, kept.ended_at) == ("SM1", "sent", None)


async def test_a_long_reason_is_cut_to_what_fits(town: Town, message: Message) -> None:
    delivery, (attempt,) = await begin(town.store, message)
    await record(town.store, attempt.id, Receipt(S.FAILED, fault=Fault(False, Whose.US, "x" * 500)))
    assert (await reread(town.store, delivery)).reason == "x" * 200


async def test_only_what_is_under_way_and_still_wanted_may_leave(town: Town, redis: Redis) -> None:
    await town.has(*(somebody(name, name) for name in range(5)))
    action = await town.looks_out()
    await write_all(town, redis)
    claimed = await Queue(town.store, "sms", "twilio", 30.0).claim(4)
    ids = [one.attempt_id for one in claimed]
    numbers = [town.register.opened(one) if one else "" for one in await wanted(town.store, [*ids, "f" * 32])]
    assert numbers == [number(0), number(1), number(2), number(3), ""]
    await town.opts_out(1)
    await record(town.store, ids[2], DELIVERED)
    assert [bool(one) for one in await wanted(town.store, ids)] == [True, False, False, True]
    await town.ends(action)
    assert await wanted(town.store, ids) == [None] * 4
