"""The dispatcher of one channel: takes what is due, hands it to the provider, writes down what came of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

from redis.asyncio import Redis

from actions.models import DeliveryState
from actions.register import Register
from actions.store import Away, Store
from alerting.bell import DELIVERIES, work
from alerting.channels import Channel, Remembers, Sending
from alerting.crew import Crew
from alerting.errors import NEVER_ARRIVED, NEVER_KNOWN, Fault, SendError, Unanswered, Whose
from alerting.queue import Claimed, Queue, record
from alerting.receipts import Receipt
from alerting.renditions import Notice

log = logging.getLogger(__name__)

BATCH = 100
FINISH_S = 10.0
NOT_ALLOWED = Fault(
    False, Whose.US, "this number lies outside the ranges that may be reached (BURGERNET_ALLOWED_PREFIXES)"
)
NO_NUMBER = Fault(False, Whose.RECIPIENT, "the number was taken out of the register")


class Dispatcher:
    """`side_by_side`: how many attempts may be under way. `allowed(number)`: whether a number may be reached at all."""

    def __init__(
        self,
        store: Store,
        redis: Redis,
        register: Register,
        queue: Queue,
        channel: Channel,
        allowed: Callable[[str], bool],
        side_by_side: int,
    ) -> None:
        self._store, self._redis, self._register = store, redis, register
        self._queue, self._channel, self._allowed = queue, channel, allowed
        self._crew = Crew(side_by_side)
        self._paused_until = 0.0

    async def run(self) -> None:
        """Works until cancelled; then finishes what is under way, within 10 s."""
        try:
            await work(self._redis, DELIVERIES, f"dispatcher of {self._channel.provider}", self.step)
        finally:
            await self._crew.finish(FINISH_S)

    async def step(self) -> bool:
        """One round of the queue; whether there may be more to do at once."""
        await self._crew.until_free(1)
        await self._settle_open_ones()
        if self._paused_until > asyncio.get_running_loop().time() or not self._crew.free:
            return False
        batch = await self._queue.claim(self._room())
        if not batch:
            await self._queue.sweep()
            return False
        for claimed, sending in await self._sendings(batch):
            self._crew.start(self._attempt(claimed, sending))
        return True

    async def finished(self, bound_s: float) -> None:
        """Returns when nothing is under way."""
        await self._crew.finish(bound_s)

    async def _settle_open_ones(self) -> None:
        """Attempts that a crash or a lost answer left open: the provider is asked what became of them."""
        for claimed, sending in await self._sendings(await self._queue.overdue(self._room())):
            self._crew.start(self._ask_afterwards(claimed, sending))

    async def _attempt(self, claimed: Claimed, sending: Sending | None) -> None:
        if receipt := await self._sent(claimed, sending):
            await self._record(claimed, receipt)

    async def _sent(self, claimed: Claimed, sending: Sending | None) -> Receipt | None:
        """What the attempt led to; None when nobody knows yet."""
        if sending is None:
            return Receipt(DeliveryState.FAILED, fault=NO_NUMBER)
        if not self._allowed(sending.e164):
            return Receipt(DeliveryState.FAILED, fault=NOT_ALLOWED)
        try:
            if not await self._queue.still_wanted(claimed.message_id):
                return Receipt(DeliveryState.CANCELLED)
            return await self._channel.send(sending)
        except SendError as refused:
            self._pause(refused.pause_s)
            return Receipt(DeliveryState.FAILED, fault=refused.fault)
        except Unanswered as lost:
            log.warning("attempt %s: %s; the provider is asked later", claimed.attempt_id, lost)
        except Away as fault:
            log.warning("attempt %s: no database (%s); not sent, tried later", claimed.attempt_id, type(fault).__name__)
        return None

    async def _ask_afterwards(self, claimed: Claimed, sending: Sending | None) -> None:
        if sending is None or not isinstance(self._channel, Remembers):
            await self._record(claimed, Receipt(DeliveryState.FAILED, fault=NEVER_KNOWN))
            return
        try:
            found = await self._channel.find(sending)
        except Unanswered as lost:
            log.warning("attempt %s: %s; asked again later", claimed.attempt_id, lost)
            return
        await self._record(claimed, found or Receipt(DeliveryState.FAILED, fault=NEVER_ARRIVED))

    async def _record(self, claimed: Claimed, receipt: Receipt) -> None:
        try:
            await record(self._store, claimed.attempt_id, receipt)
        except Away as fault:
            log.warning("attempt %s: not recorded (%s); asked for later", claimed.attempt_id, type(fault).__name__)

    async def _sendings(self, batch: Sequence[Claimed]) -> list[tuple[Claimed, Sending | None]]:
        """Each attempt with all that the channel needs; None where the number is not in the register any more."""
        if not batch:
            return []
        numbers = await self._register.numbers_of({claimed.contact_point_id for claimed in batch})
        notices = await self._queue.notices({claimed.message_id for claimed in batch})
        return [(claimed, _sending(claimed, numbers, notices)) for claimed in batch]

    def _room(self) -> int:
        return min(self._crew.free, BATCH)

    def _pause(self, seconds: float) -> None:
        if seconds:
            log.warning("%s asks for a pause of %.0f s", self._channel.provider, seconds)
            self._paused_until = asyncio.get_running_loop().time() + seconds


def _sending(claimed: Claimed, numbers: Mapping[int, str], notices: Mapping[tuple[int, str], Notice]) -> Sending | None:
    number = numbers.get(claimed.contact_point_id)
    if number is None:
        return None
    notice = notices[claimed.message_id, claimed.language]
    return Sending(claimed.attempt_id, number, notice, claimed.started_at, claimed.tried)
