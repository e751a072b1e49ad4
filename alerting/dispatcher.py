"""The dispatcher of one channel: takes what is due, hands it to the provider, writes down what came of it."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial

from redis.asyncio import Redis

from actions.models import DeliveryState, now
from actions.register import Register
from actions.store import Away, Store
from actions.together import Together
from actions.vault import NoSuchKey, NotOurs, Sealed
from alerting.allowance import Allowance, NoBounds, Share
from alerting.attempts import record_all, wanted
from alerting.bell import DELIVERIES, work
from alerting.channels import Channel, Remembers, Sending
from alerting.crew import Crew
from alerting.errors import NEVER_ARRIVED, NEVER_KNOWN, Fault, SendError, Unanswered, Whose
from alerting.gate import Gate
from alerting.practising import STRAY, practising
from alerting.queue import Claimed, Queue
from alerting.rate import Rate, rate_of
from alerting.receipts import Receipt

log = logging.getLogger(__name__)

BATCH = 100
# The queue is asked for several at a time: it waits this long for a quarter of the places to come free.
GATHER_S = 0.1
# Questions of many attempts share a round; rounds begin so far apart.
APART_S = 0.01
# An answer that took longer says too little about this moment: nothing leaves on it.
FRESH_S = 0.5
ASKED_AT_ONCE = 10
# How often a provider that does not answer is asked what became of an attempt.
ASKED_TIMES = 10
FINISH_S = 10.0
RECORD_PAUSES_S = (0.0, 0.5, 1.0, 2.0, 4.0)
NOT_ALLOWED = Fault(
    False, Whose.US, "this number lies outside the ranges that may be reached (BURGERNET_ALLOWED_PREFIXES)"
)
NO_NUMBER = Fault(False, Whose.RECIPIENT, "the number was taken out of the register")
SEALED = Fault(False, Whose.US, "the number does not open: its key is missing from BURGERNET_REGISTER_KEYS")
NOT_IN_TIME = Fault(True, Whose.PROVIDER, "the provider takes nothing at the moment")


class Dispatcher:
    """`side_by_side`: how many attempts may be under way. `allowed(number)`: whether a number may be reached at all.
    `on_stray` is told of an exercise that was about to leave for somebody who takes part in none.
    `allowance`: how much of each message may begin now; None: as much as the provider takes.

    Of the time that the queue gives an attempt, half is for handing it over and half for the provider's answer, so that
    nothing leaves any more when somebody else begins to ask what became of it."""

    def __init__(
        self,
        store: Store,
        redis: Redis,
        register: Register,
        queue: Queue,
        channel: Channel,
        allowed: Callable[[str], bool],
        side_by_side: int,
        on_stray: Callable[[], None] = lambda: None,
        allowance: Allowance | None = None,
    ) -> None:
        self._redis, self._register = redis, register
        self._queue, self._channel, self._allowed = queue, channel, allowed
        self._crew, self._askers = Crew(side_by_side), Crew(ASKED_AT_ONCE)
        self._quarter = max(side_by_side // 4, 1)
        self._half_s = queue.attempt_s / 2
        self._allowance: Allowance = allowance or NoBounds()
        self._gate = Gate()
        self._record_together = Together(partial(record_all, store), apart_s=APART_S)
        self._wanted_together = Together(partial(wanted, store), apart_s=APART_S)
        self._practising_together, self._on_stray = Together(partial(practising, store)), on_stray

    async def run(self) -> None:
        """Works until cancelled; then finishes what is under way, within 10 s."""
        name = self._channel.provider
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(work(self._redis, DELIVERIES, f"dispatcher of {name}", self.step))
                group.create_task(work(self._redis, DELIVERIES, f"upkeep of {name}", self.tidy))
        finally:
            await self.finished(FINISH_S)

    async def step(self) -> bool:
        """Takes what is due, as far as there is room; whether there may be more to do at once."""
        await self._gate.passed(latest=float("inf"))
        await self._until_free()
        allowed = await self._allowance.allowed(min(self._crew.free, BATCH))
        if allowed.most < 1:
            await asyncio.sleep(allowed.again_s)
            return True
        rate = rate_of(self._channel)
        turn = await rate.turn(allowed.most)
        latest = _moment() + self._half_s
        batch = await self._claimed(rate, turn, allowed.share)
        self._allowance.began(Counter(claimed.message_id for claimed in batch))
        for claimed in batch:
            self._crew.start(self._attempt(claimed, latest))
        return bool(batch)

    async def _claimed(self, rate: Rate, allowed: int, share: Share) -> list[Claimed]:
        """No more than the provider may be given now: what waits for its turn is not claimed yet, and can be
        stopped."""
        batch = list[Claimed]()
        try:
            batch = await self._queue.claim(allowed, share)
        finally:
            await rate.give_back(allowed - len(batch))
        return batch

    async def _until_free(self) -> None:
        await self._crew.until_free(1)
        with suppress(TimeoutError):
            async with asyncio.timeout(GATHER_S):
                await self._crew.until_free(self._quarter)

    async def tidy(self) -> bool:
        """Asks what became of attempts that a crash or a lost answer left open, and closes what is over."""
        if self._askers.free:
            for claimed in await self._queue.overdue(self._askers.free):
                self._askers.start(self._ask_afterwards(claimed))
        await self._queue.sweep()
        return False

    async def finished(self, bound_s: float) -> None:
        """Waits for what is under way, then ends what is left: it is asked for later."""
        await asyncio.gather(self._crew.finish(bound_s), self._askers.finish(bound_s))

    async def _attempt(self, claimed: Claimed, latest: float) -> None:
        try:
            receipt = await self._sent(claimed, latest)
        except SendError as refused:
            receipt = Receipt(DeliveryState.FAILED, fault=refused.fault)
        except Unanswered as lost:
            return log.warning("attempt %s: %s; the provider is asked later", claimed.attempt_id, lost)
        except Away as fault:
            why = type(fault).__name__
            return log.warning("attempt %s: no database (%s); not sent, tried later", claimed.attempt_id, why)
        await self._record(claimed, receipt)
        return None

    async def _sent(self, claimed: Claimed, latest: float) -> Receipt:
        """What the attempt led to. A provider that asks for a pause gets it, then the attempt goes on: nothing had
        left. `latest`: after this nothing may leave. Raises SendError, Unanswered and what the database raises."""
        await self._refuse_stray(claimed)
        why_not = NOT_IN_TIME
        while await self._gate.passed(latest):
            asked_at = _moment()
            sealed = await self._wanted_together.ask(claimed.attempt_id)
            if sealed is None:
                return Receipt(DeliveryState.CANCELLED)
            if _moment() > latest:
                break
            if _moment() - asked_at > FRESH_S:
                continue  # the action may be over since
            try:
                return await self._handed_over(self._sending(claimed, sealed))
            except SendError as refused:
                if not refused.pause_s:
                    raise
                why_not = refused.fault
                log.warning("%s: a pause of %.0f s: %s", self._channel.provider, refused.pause_s, refused)
                self._gate.shut(refused.pause_s)
        raise SendError(why_not)

    async def _refuse_stray(self, claimed: Claimed) -> None:
        """Whoever chose the audience: an exercise reaches those who take part in exercises. Raises SendError."""
        if claimed.notice.exercise and not await self._practising_together.ask(claimed.contact_point_id):
            log.error("attempt %s: %s; refused", claimed.attempt_id, STRAY.operator_message)
            self._on_stray()
            raise SendError(STRAY)

    async def _handed_over(self, sending: Sending) -> Receipt:
        try:
            async with asyncio.timeout(self._half_s):
                return await self._channel.send(sending)
        except TimeoutError:
            raise Unanswered("no answer in time") from None

    async def _ask_afterwards(self, claimed: Claimed) -> None:
        try:
            receipt = await self._found(claimed)
        except SendError as gone:
            receipt = Receipt(DeliveryState.FAILED, fault=gone.fault)
        except Unanswered as lost:
            if now() < claimed.started_at + timedelta(seconds=ASKED_TIMES * self._queue.attempt_s):
                return log.warning("attempt %s: %s; asked again later", claimed.attempt_id, lost)
            receipt = Receipt(DeliveryState.FAILED, fault=NEVER_KNOWN)
        await self._record(claimed, receipt)
        return None

    async def _found(self, claimed: Claimed) -> Receipt:
        if not isinstance(self._channel, Remembers):
            raise SendError(NEVER_KNOWN)
        sealed = await self._register.sealed(claimed.contact_point_id)
        if sealed is None:
            raise SendError(NO_NUMBER)
        sending = self._sending(claimed, sealed)
        try:
            async with asyncio.timeout(self._half_s):
                found = await self._channel.find(sending)
        except TimeoutError:
            raise Unanswered("no answer in time") from None
        return found or Receipt(DeliveryState.FAILED, fault=NEVER_ARRIVED)

    async def _record(self, claimed: Claimed, receipt: Receipt) -> None:
        for pause in RECORD_PAUSES_S:
            await asyncio.sleep(pause)
            try:
                await self._record_together.ask((claimed.attempt_id, receipt))
            except Away as fault:
                log.warning("attempt %s: not recorded yet (%s)", claimed.attempt_id, type(fault).__name__)
            else:
                return

    def _sending(self, claimed: Claimed, sealed: Sealed) -> Sending:
        """All that the channel needs, the number opened just before its use. Raises SendError."""
        try:
            number = self._register.opened(sealed)
        except (NoSuchKey, NotOurs):
            raise SendError(SEALED) from None
        if not self._allowed(number):
            raise SendError(NOT_ALLOWED)
        return Sending(claimed.attempt_id, number, claimed.notice, claimed.started_at, claimed.tried, claimed.number)


def _moment() -> float:
    return asyncio.get_running_loop().time()
