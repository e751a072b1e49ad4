"""How fast a provider is given messages: so many a second by all processes together, shared in Redis."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from redis.asyncio import Redis
from redis.exceptions import RedisError

from alerting.channels import Channel, Sending
from alerting.receipts import Receipt

log = logging.getLogger(__name__)

# What may leave at once: little, so that no second holds much more than it should.
AT_ONCE_S = 0.25
ANSWER_S = 0.5
# A Redis that hangs must not cost every batch half a second.
LEAVE_ALONE_S = 5.0
# Who asked in this time still works; without Redis each has its equal share.
AT_WORK_S = 60
LONGEST_WAIT_S = 1.0

_TAKE = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local rate, most, asked = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local me, at_work = ARGV[4], tonumber(ARGV[5])
local known = redis.call('HMGET', KEYS[1], 'left', 'at')
local left = tonumber(known[1]) or most
left = math.min(most, left + math.max(0, now - (tonumber(known[2]) or now)) * rate)
local given = math.min(asked, math.floor(left))
left = left - given
redis.call('HSET', KEYS[1], 'left', tostring(left), 'at', string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil(1000 * (most / rate + 1)))
redis.call('ZADD', KEYS[2], now, me)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - at_work)
redis.call('EXPIRE', KEYS[2], at_work)
return {given, tostring(given ~= 0 and 0 or (1 - left) / rate), redis.call('ZCARD', KEYS[2])}
"""


class Bucket:
    """Fills with `rate` a second up to `most`; moments are of any clock in seconds."""

    def __init__(self, rate: float, most: float) -> None:
        self._rate, self._most = rate, most
        self._left, self._at = most, 0.0

    def take(self, asked: int, moment: float) -> tuple[int, float]:
        """How many of those asked may leave, and, when none, after how many seconds the next one. A negative number
        gives so many back."""
        self._left = min(self._most, self._left + max(0.0, moment - self._at) * self._rate)
        self._at = moment
        given = min(asked, int(self._left))
        self._left -= given
        return given, 0.0 if given else (1 - self._left) / self._rate


class Rate(Protocol):
    async def turn(self, asked: int) -> int:
        """Returns when at least one may leave: how many of those asked."""

    async def give_back(self, count: int) -> None:
        """Of what `turn` allowed so many did not leave."""

    async def take(self, asked: int) -> tuple[int, float]:
        """As Bucket.take, without waiting."""


class NoRate:
    """As fast as it goes."""

    async def turn(self, asked: int) -> int:
        return asked

    async def give_back(self, count: int) -> None:
        pass

    async def take(self, asked: int) -> tuple[int, float]:
        return asked, 0.0


class SharedRate:
    """Of one provider on one channel, `a_second` by all processes together. `name` tells which."""

    def __init__(self, redis: Redis, name: str, a_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._take = redis.register_script(_TAKE)
        self._keys = [f"burgernet:pace:{name}", f"burgernet:pace:{name}:by"]
        self._rate, self._most, self._clock = a_second, most_at_once(a_second), clock
        self._me, self._workers = uuid.uuid4().hex, 1
        self._own: Bucket | None = None
        self._away_until = 0.0

    async def turn(self, asked: int) -> int:
        while True:
            given, wait_s = await self.take(asked)
            if given:
                return given
            await asyncio.sleep(min(wait_s, LONGEST_WAIT_S))

    async def give_back(self, count: int) -> None:
        if count:
            await self.take(-count)

    async def take(self, asked: int) -> tuple[int, float]:
        if self._clock() >= self._away_until:
            try:
                return await self._take_from_all(asked)
            except (RedisError, OSError, TimeoutError) as fault:
                self._away_until = self._clock() + LEAVE_ALONE_S
                log.warning("each process keeps to its share of the rate: no Redis (%s)", type(fault).__name__)
        return self._take_own(asked)

    async def _take_from_all(self, asked: int) -> tuple[int, float]:
        async with asyncio.timeout(ANSWER_S):
            given, wait_s, workers = await self._take(
                keys=self._keys, args=[self._rate, self._most, asked, self._me, AT_WORK_S]
            )
        self._own, self._workers = None, max(int(workers), 1)
        return int(given), float(wait_s)

    def _take_own(self, asked: int) -> tuple[int, float]:
        if self._own is None:
            share = self._rate / self._workers
            self._own = Bucket(share, most_at_once(share))
        return self._own.take(asked, self._clock())


NO_RATE = NoRate()


@runtime_checkable
class Rated(Protocol):
    """A channel that may be given only so much."""

    @property
    def rate(self) -> Rate: ...


class AtRate:
    """A channel that is given no more than `rate` allows."""

    def __init__(self, channel: Channel, rate: Rate) -> None:
        self.provider, self.rate = channel.provider, rate
        self._channel = channel

    async def send(self, sending: Sending) -> Receipt:
        """Raises SendError, Unanswered."""
        return await self._channel.send(sending)


def rate_of(channel: object) -> Rate:
    return channel.rate if isinstance(channel, Rated) else NO_RATE


def rate_for(redis: Redis, name: str, a_second: float) -> Rate:
    """`a_second` 0: as fast as it goes."""
    return SharedRate(redis, name, a_second) if a_second else NO_RATE


def most_at_once(a_second: float) -> float:
    return max(1.0, a_second * AT_ONCE_S)
