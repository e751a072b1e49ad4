"""Several processes keep one rate; without Redis each keeps its share of it."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from actions.models import DeliveryState, MessageKind, now
from alerting.channels import Sending
from alerting.rate import LEAVE_ALONE_S, NO_RATE, AtRate, SharedRate, rate_for, rate_of
from alerting.receipts import Receipt
from alerting.renditions import Notice


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The rate is in Redis."""
    return sqlite_url


async def test_two_processes_take_from_one_bucket(redis: Redis) -> None:
    one, two = (SharedRate(redis, "sms:twilio", 8) for _ in range(2))
    assert (await one.take(1))[0] == 1
    assert (await two.take(5))[0] == 1  # two at once is a quarter of a second's worth
    given, wait_s = await one.take(1)
    assert given == 0
    assert 0 < wait_s <= 1 / 8


async def test_what_did_not_leave_can_be_taken_by_another(redis: Redis) -> None:
    one, two = (SharedRate(redis, "sms:twilio", 0.01) for _ in range(2))
    assert await one.turn(100) == 1
    assert (await two.take(1))[0] == 0
    await one.give_back(1)
    assert (await two.take(1))[0] == 1


async def test_other_providers_have_a_bucket_of_their_own(redis: Redis) -> None:
    one, two = SharedRate(redis, "sms:twilio", 0.01), SharedRate(redis, "sms:spryng", 0.01)
    assert (await one.take(1))[0] == (await two.take(1))[0] == 1


async def test_without_redis_each_process_keeps_to_its_share(redis: Redis) -> None:
    clock = [1000.0]
    rates = [SharedRate(redis, "sms:twilio", 40, lambda: clock[0]) for _ in range(4)]
    for rate in rates:
        await rate.take(1)
    gone = Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0))
    mine = SharedRate(gone, "sms:twilio", 40, lambda: clock[0])
    mine._workers = rates[-1]._workers
    assert mine._workers == 4
    left = 0
    for _ in range(100):
        left += (await mine.take(100))[0]
        clock[0] += 0.02
    assert 15 <= left <= 2 * 10 + 3
    await gone.aclose()


async def test_a_redis_that_is_back_is_asked_again(redis: Redis) -> None:
    clock = [1000.0]
    rate = SharedRate(Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0)), "x", 0.01, lambda: clock[0])
    away = rate._take.registered_client
    assert (await rate.take(1))[0] == 1
    rate._take.registered_client = redis
    assert (await rate.take(1))[0] == 0
    clock[0] += LEAVE_ALONE_S
    assert (await rate.take(1))[0] == 1
    await away.aclose()


async def test_without_a_bound_everything_may_leave(redis: Redis) -> None:
    assert rate_for(redis, "sms:twilio", 0) is NO_RATE
    assert await NO_RATE.turn(100) == 100


class Letterbox:
    provider = "smtp"

    def __init__(self) -> None:
        self.sent: list[Sending] = []

    async def send(self, sending: Sending) -> Receipt:
        self.sent.append(sending)
        return Receipt(DeliveryState.SENT)


async def test_a_channel_of_any_kind_is_given_no_more_than_its_rate(redis: Redis) -> None:
    box, rate = Letterbox(), SharedRate(redis, "email:smtp", 0.01)
    channel = AtRate(box, rate)
    assert (channel.provider, rate_of(channel), rate_of(box)) == ("smtp", rate, NO_RATE)
    golf = Notice(MessageKind.ALERT, "427", "nl", "de Golf", "Gezien.")
    letter = Sending("a" * 32, "a@example.nl", golf, now(), frozenset())
    assert (await channel.send(letter)).state == DeliveryState.SENT
    assert box.sent == [letter]
