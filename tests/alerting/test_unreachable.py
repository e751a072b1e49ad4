"""Numbers at which nothing arrives, on both databases: told of by providers, alerted no more, found again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis
from sqlmodel import col, select, update

from actions.call_book import CallBook
from actions.matching import OpenAction
from actions.models import Attempt, Audit, ContactPoint, Delivery, DeliveryState, now
from actions.numbers import read_number
from actions.reachability import Gone
from actions.unreachable import Unreachable
from actions.vault import Vaults
from alerting.attempts import record
from alerting.audience import write_next
from alerting.errors import Fault, Whose
from alerting.inbound.reception import Incoming, Reception
from alerting.receipts import Receipt
from tests.alerting.town import ACTOR, Town, number, somebody

NOT_IN_USE = Fault(False, Whose.RECIPIENT, "this number is not in use", Gone.CERTAIN)
UNKNOWN = Fault(False, Whose.RECIPIENT, "this mailbox is not known", Gone.PERHAPS)
OFF = Fault(False, Whose.RECIPIENT, "the telephone was off")
OURS = Fault(False, Whose.US, "our account is closed")


async def alerted(town: Town, redis: Redis) -> OpenAction:
    """One person is alerted by a text, and an attempt is under way."""
    await town.has(somebody(1))
    action = await town.looks_out()
    while await write_next(town.store, redis):
        pass
    return action


async def tried(town: Town, fault: Fault | None, state: str = DeliveryState.FAILED) -> None:
    """One more attempt at a delivery to the person, and what the provider said of it."""
    async with town.store.writing() as session:
        query = select(Delivery).where(Delivery.contact_point_id == await town.contact_point(1))
        delivery = (await session.exec(query.order_by(col(Delivery.id).desc()).limit(1))).one()
        numbers = list(await session.exec(select(Attempt.number).where(Attempt.delivery_id == delivery.id)))
        attempt = Attempt(delivery_id=delivery.id or 0, number=len(numbers) + 1, provider="twilio", deadline=now())
        session.add(attempt)
        attempt_id = attempt.id
    assert await record(town.store, attempt_id, Receipt(DeliveryState(state), fault=fault))


async def contact(town: Town) -> ContactPoint:
    async with town.store.reading() as session:
        return (await session.exec(select(ContactPoint))).one()


async def a_day_earlier(town: Town) -> None:
    """What was said so far was said on an earlier day."""
    async with town.store.writing() as session:
        one = (await session.exec(select(ContactPoint))).one()
        day = now() - timedelta(days=9 - one.unreachable_times)
        await session.exec(update(ContactPoint).values(unreachable_on=day.date().isoformat()))


async def audited(town: Town, verb: str) -> list[tuple[str, str]]:
    async with town.store.reading() as session:
        return [(row.actor, row.reason) for row in await session.exec(select(Audit).where(Audit.verb == verb))]


async def test_a_number_that_is_not_in_use_is_unreachable_at_once(town: Town, redis: Redis) -> None:
    await alerted(town, redis)
    await tried(town, NOT_IN_USE)
    found = await contact(town)
    assert found.unreachable_since is not None
    assert found.unreachable_why == "this number is not in use"
    assert len(await audited(town, "find unreachable")) == 1
    await tried(town, NOT_IN_USE)
    assert (await contact(town)).unreachable_since == found.unreachable_since
    assert len(await audited(town, "find unreachable")) == 1


async def test_what_is_not_certain_counts_on_three_days(town: Town, redis: Redis) -> None:
    await alerted(town, redis)
    for times in (1, 2):
        for _ in range(2):
            await tried(town, UNKNOWN)
        assert ((await contact(town)).unreachable_times, (await contact(town)).unreachable_since) == (times, None)
        await a_day_earlier(town)
    await tried(town, UNKNOWN)
    assert (await contact(town)).unreachable_why == "this mailbox is not known"


@pytest.mark.parametrize("fault", [OFF, OURS])
async def test_no_other_fault_speaks_against_a_number(town: Town, redis: Redis, fault: Fault) -> None:
    await alerted(town, redis)
    for _ in range(4):
        await tried(town, fault)
        await a_day_earlier(town)
    assert (await contact(town)).unreachable_times == 0
    assert (await contact(town)).unreachable_since is None


async def test_what_arrives_after_all_takes_the_doubt_away(town: Town, redis: Redis) -> None:
    await alerted(town, redis)
    await tried(town, UNKNOWN)
    await tried(town, None, DeliveryState.SENT)
    assert (await contact(town)).unreachable_times == 1
    await tried(town, None, DeliveryState.DELIVERED)
    assert ((await contact(town)).unreachable_times, (await contact(town)).unreachable_on) == (0, None)
    await tried(town, NOT_IN_USE)
    await tried(town, None, DeliveryState.DELIVERED)
    assert (await contact(town)).unreachable_since is None
    assert len(await audited(town, "find reachable")) == 1


@pytest.mark.parametrize("said", ["START", "bent u daar?"])
async def test_a_text_from_it_makes_it_reachable_again(town: Town, redis: Redis, vaults: Vaults, said: str) -> None:
    await alerted(town, redis)
    await tried(town, NOT_IN_USE)
    assert await Reception(town.store, vaults, ()).take(Incoming("one", number(1), "+31850001234", said))
    assert (await contact(town)).unreachable_since is None
    assert await audited(town, "find reachable") == [("the public", "a text came from it")]


async def test_a_call_from_it_makes_it_reachable_again_and_a_call_of_another_does_not(
    town: Town, redis: Redis, vaults: Vaults, tmp_path: Path
) -> None:
    await alerted(town, redis)
    await tried(town, NOT_IN_USE)
    book = CallBook(town.store, vaults, tmp_path / "spool")
    for call, caller in (("one", number(2)), ("two", "anonymous")):
        await book.arrived(call, read_number(caller), "08000011", now())
    await book.replay()  # what a busy database did not take in time
    assert (await contact(town)).unreachable_since is not None
    await book.arrived("three", read_number(number(1)), "08000011", now())
    await book.written()
    await book.replay()
    assert (await contact(town)).unreachable_since is None
    assert await audited(town, "find reachable") == [("the public", "a call came from it")]


async def test_who_is_added_with_something_new_is_reachable_again_and_the_same_list_twice_changes_nothing(
    town: Town, redis: Redis
) -> None:
    await alerted(town, redis)
    await tried(town, NOT_IN_USE)
    await town.has(somebody(1))
    assert (await contact(town)).unreachable_since is not None
    await town.has(somebody(1, 500))
    assert (await contact(town)).unreachable_since is None
    assert len(await audited(town, "find reachable")) == 1


async def test_the_keeper_counts_them_by_reason_and_says_who_is_in_use_after_all(
    town: Town, redis: Redis, vaults: Vaults
) -> None:
    await alerted(town, redis)
    await tried(town, NOT_IN_USE)
    kept = Unreachable(town.store, vaults.register)
    (count,) = await kept.counts()
    assert (count.kind, count.why, count.contact_points) == ("mobile", "this number is not in use", 1)
    (lost,) = [one async for one in kept.all(ACTOR)]
    assert lost.address == number(1)
    assert await audited(town, "export") == [("tester", "to see that it works")]
    await kept.reachable(lost.id, ACTOR)
    assert await kept.counts() == []
