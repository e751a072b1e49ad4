"""Who is alive among the controllers of a node, and who may serve whose name. On a real Redis, with short leases."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis

from telephony import lease as leases
from telephony import siblings as looking
from telephony.lease import Lease, LeaseLost
from telephony.siblings import Siblings

ONE, TWO = "burgernet-one", "burgernet-two"
LEASE_S = 0.6


@pytest.fixture(autouse=True)
def short_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "LEASE_MS", int(LEASE_S * 1000))
    monkeypatch.setattr(leases, "RENEW_S", LEASE_S / 6)
    monkeypatch.setattr(looking, "LEASE_S", LEASE_S)


async def taken(redis: Redis, app: str, *, ours: bool = True) -> Lease:
    lease = Lease(redis, app, ours=ours)
    assert await lease.take_now()
    return lease


async def found_dead(siblings: Siblings) -> list[str]:
    """What is seen first, looking again and again."""
    async with asyncio.timeout(10):
        while not (dead := await siblings.dead()):  # noqa: ASYNC110 - time itself is waited for
            await asyncio.sleep(0.02)
    return dead


async def test_who_does_not_renew_any_more_is_dead(redis: Redis) -> None:
    own = await taken(redis, ONE)
    keeping = asyncio.create_task(own.keep())
    await taken(redis, TWO)
    siblings = Siblings(redis, own, [ONE, TWO])
    assert await siblings.dead() == []
    assert siblings.alive == {TWO}
    assert await found_dead(siblings) == [TWO]
    assert siblings.alive == frozenset()
    keeping.cancel()


async def test_for_the_time_of_a_lease_after_the_start_nobody_counts_as_dead(redis: Redis) -> None:
    own = await taken(redis, ONE)
    keeping = asyncio.create_task(own.keep())
    began = asyncio.get_running_loop().time()
    assert await found_dead(Siblings(redis, own, [ONE, TWO])) == [TWO]
    assert asyncio.get_running_loop().time() - began >= LEASE_S
    keeping.cancel()


async def test_a_redis_that_was_emptied_makes_nobody_dead_who_renews(redis: Redis) -> None:
    own, other = await taken(redis, ONE), await taken(redis, TWO)
    siblings = Siblings(redis, own, [ONE, TWO])
    await asyncio.sleep(LEASE_S + 0.1)  # the doubt of the start is over
    await own.take_now()
    await redis.flushall()
    assert await siblings.dead() == []
    await own.take_now()
    assert await siblings.dead() == []
    await other.take_now()
    keeping = [asyncio.create_task(lease.keep()) for lease in (own, other)]
    for _ in range(20):
        assert await siblings.dead() == []
        await asyncio.sleep(LEASE_S / 10)
    for task in keeping:
        task.cancel()


async def test_a_process_that_stood_still_calls_nobody_dead_at_once(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "LOOK_S", 0.05)
    own = await taken(redis, ONE)
    siblings = Siblings(redis, own, [ONE, TWO])
    await asyncio.sleep(LEASE_S + 0.1)
    await redis.persist(leases.lease_key(ONE))
    own.taken_at = 0
    assert await siblings.dead() == []


async def test_who_comes_back_gets_the_name_and_nobody_else_does(redis: Redis) -> None:
    instead = await taken(redis, TWO, ours=False)
    keeping = asyncio.create_task(instead.keep())
    back = Lease(redis, TWO)
    assert not await back.take_now()
    async with asyncio.timeout(10):
        await instead.wanted.wait()
    keeping.cancel()
    await instead.give_back()
    assert not await Lease(redis, TWO, ours=False).take_now()
    assert await back.take_now()


async def test_who_lost_the_lease_stops(redis: Redis) -> None:
    own = await taken(redis, ONE)
    await redis.delete(leases.lease_key(ONE))
    await taken(redis, ONE, ours=False)
    with pytest.raises(LeaseLost, match="took over"):
        async with asyncio.timeout(10):
            await own.keep()
