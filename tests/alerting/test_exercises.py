"""An exercise that would leave for somebody who takes part in none is refused, whoever chose the audience."""

from __future__ import annotations

from functools import partial

import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from sqlalchemy import update
from sqlmodel import col, select

from actions.desk import Desk, NewAction
from actions.matching import OpenAction
from actions.models import Address, Delivery, DeliveryState, Participant, Subscription
from actions.numbers import allowed
from actions.register import Register
from actions.store import Store
from actions.vault import Vaults
from alerting.audience import write_next
from alerting.channels import Sending
from alerting.dispatcher import Dispatcher
from alerting.fallback import write_fallbacks
from alerting.practising import STRAY, practising
from alerting.queue import Queue
from alerting.receipts import Receipt
from tests.alerting.town import ACTOR, WORDS, Town, circle, number, somebody
from watch.strays import LATELY_S, Strays

PRACTISES, FOR_REAL = 1, 2


class Noting:
    """A channel that takes everything."""

    provider = "noting"

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def send(self, sending: Sending) -> Receipt:
        self.sent.append(sending.to)
        return Receipt(DeliveryState.SENT, sending.attempt_id)


@pytest.fixture
async def town(country: Store, vaults: Vaults) -> Town:
    """One who takes part in exercises, and one who does not."""
    town = Town(country, Register(country, vaults.register), Desk(country))
    await town.has(somebody(PRACTISES, 10), somebody(FOR_REAL, 20))
    await becomes(town, PRACTISES, exercise=True)
    return town


async def becomes(town: Town, name: int, *, exercise: bool) -> None:
    contact_point = await town.contact_point(name)
    owners = (
        select(Address.participant_id)
        .join(Subscription, col(Subscription.address_id) == Address.id)
        .where(Subscription.contact_point_id == contact_point)
    )
    async with town.store.writing() as session:
        await session.exec(update(Participant).where(col(Participant.id).in_(owners)).values(exercise=exercise))


async def starts_exercise(town: Town) -> OpenAction:
    new = NewAction("look_out", "rotterdam", circle(2000), WORDS, exercise=True)
    return await town.desk.start_action(new, ACTOR)


async def sent_by_a_worker(town: Town, redis: Redis, strays: Strays) -> list[str]:
    channel = Noting()
    may_reach = partial(allowed, prefixes=["+31"], refused=[])
    queue = Queue(town.store, "sms", channel.provider, 20.0)
    worker = Dispatcher(town.store, redis, town.register, queue, channel, may_reach, 5, strays.told)
    while await worker.step():
        pass
    await worker.finished(5)
    return channel.sent


async def written(town: Town, redis: Redis) -> None:
    while await write_next(town.store, redis):
        pass


async def test_a_delivery_of_an_exercise_to_somebody_else_never_leaves_and_is_told(town: Town, redis: Redis) -> None:
    action = await starts_exercise(town)
    message = await town.message(action)
    assert message.id
    async with town.store.writing() as session:
        for name in (PRACTISES, FOR_REAL):  # as if the audience had been chosen wrongly
            contact = await town.contact_point(name)
            session.add(Delivery(message_id=message.id, contact_point_id=contact, channel="sms", language="nl"))
    strays = Strays(CollectorRegistry())
    assert await sent_by_a_worker(town, redis, strays) == [number(PRACTISES)]
    assert strays.lately() == 1
    refused = await town.row(action, FOR_REAL)
    assert (refused.state, refused.reason) == ("failed", STRAY.operator_message)


async def test_alert_fallback_update_and_result_of_an_exercise_reach_who_practises_and_nobody_else(
    town: Town, redis: Redis
) -> None:
    await town.has(somebody(3, 30, channels=("voice",)), somebody(4, 40, channels=("voice",)))
    await becomes(town, 3, exercise=True)
    action, strays = await starts_exercise(town), Strays(CollectorRegistry())
    await written(town, redis)
    async with town.store.writing() as session:  # the telephone did not reach
        await session.exec(update(Delivery).where(col(Delivery.channel) == "voice").values(state=DeliveryState.FAILED))
    await write_fallbacks(town.store, redis)
    await sent_by_a_worker(town, redis, strays)
    await town.updates(action)
    await written(town, redis)
    await sent_by_a_worker(town, redis, strays)
    await town.ends(action)
    await written(town, redis)
    await sent_by_a_worker(town, redis, strays)
    reached = {kind: {row.to for row in await town.rows(action, kind)} for kind in ("alert", "update", "result")}
    assert reached == {kind: {number(PRACTISES), number(3)} for kind in ("alert", "update", "result")}
    assert ("sms", number(3)) in {(row.channel, row.to) for row in await town.rows(action)}
    assert strays.lately() == 0


async def test_what_is_for_real_does_not_reach_who_only_practises(town: Town, redis: Redis) -> None:
    action = await town.looks_out()
    await written(town, redis)
    assert {row.to for row in await town.rows(action)} == {number(FOR_REAL)}


async def test_who_signed_off_practises_no_more(town: Town) -> None:
    contact = await town.contact_point(PRACTISES)
    assert await practising(town.store, [contact, 10**6]) == [True, False]
    await town.signs_off(PRACTISES)
    assert await practising(town.store, [contact]) == [False]


def test_a_stray_is_told_of_for_an_hour() -> None:
    moments = iter([0.0, LATELY_S - 1, LATELY_S + 1])
    strays = Strays(CollectorRegistry(), lambda: next(moments))
    strays.told()
    assert (strays.lately(), strays.lately()) == (1, 0)
