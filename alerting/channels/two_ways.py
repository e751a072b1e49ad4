"""Two ways out for voice alerts: our own exchange, and another while its trunk is full or down."""

from __future__ import annotations

import asyncio
from typing import Protocol

from alerting.channels import Channel, Remembers, Sending
from alerting.channels.ringing import NOT_ANSWERED
from alerting.errors import Fault, SendError, Whose
from alerting.receipts import Receipt
from alerting.ways import Ways

# So many calls one after another that could not be put through: that is no longer about the telephones called.
IN_A_ROW = 5
TRY_AGAIN_S = 30.0
# How long the dispatcher waits when neither way takes anything.
PAUSE_S = 1.0
BOTH_FULL = Fault(True, Whose.PROVIDER, "neither way out takes calls at the moment")


class Way(Channel, Remembers, Protocol):
    """A channel that can be asked afterwards."""


class OwnWay(Way, Protocol):
    @property
    def there(self) -> bool:
        """Whether it can be asked for a call at this moment."""


class Trunk:
    """Whether a trunk that fails one call after another is worth trying: once it is down, one call in `try_again_s`
    finds out whether it is back."""

    def __init__(self, try_again_s: float = TRY_AGAIN_S) -> None:
        self._try_again_s = try_again_s
        self._unreachable, self._next_trial = 0, 0.0

    def worth_trying(self) -> bool:
        """Whoever hears yes tries it: while it is down, nobody else is told so."""
        if self._unreachable < IN_A_ROW:
            return True
        if _moment() < self._next_trial:
            return False
        self._next_trial = _moment() + self._try_again_s
        return True

    def learn(self, receipt: Receipt) -> None:
        if receipt != NOT_ANSWERED["unreachable"]:
            self._unreachable = 0
            return
        self._unreachable += 1
        if self._unreachable == IN_A_ROW:
            self._next_trial = _moment() + self._try_again_s


class TwoWays:
    """Prefers `own`. `ways` keeps by which way each attempt went, so that this is the one that is asked about it."""

    def __init__(self, own: OwnWay, other: Way, ways: Ways, trunk: Trunk | None = None) -> None:
        self._own, self._other, self._ways = own, other, ways
        self._trunk = trunk or Trunk()
        self._rests_until, self._why_it_rests = 0.0, BOTH_FULL
        self.provider = own.provider

    async def send(self, sending: Sending) -> Receipt:
        """Raises SendError, Unanswered, what the database raises. Of what one way left unanswered the other knows
        nothing: it is not tried by that. An exercise has one way alone."""
        if sending.notice.exercise:
            return await self._own.send(sending)
        full: SendError | None = None
        if self._own.there and self._trunk.worth_trying():
            try:
                receipt = await self._own.send(sending)
            except SendError as refused:
                if not refused.pause_s:
                    raise
                full = refused
            else:
                self._trunk.learn(receipt)
                return receipt
        return await self._by_the_other(sending, full)

    async def find(self, sending: Sending) -> Receipt | None:
        """Asks the way by which it went. Raises Unanswered, what the database raises."""
        way = await self._ways.way_of(sending.attempt_id)
        return await (self._other if way == self._other.provider else self._own).find(sending)

    async def _by_the_other(self, sending: Sending, full: SendError | None) -> Receipt:
        if _moment() < self._rests_until:
            raise full or SendError(self._why_it_rests, PAUSE_S)
        await self._ways.goes_by(sending.attempt_id, self._other.provider)
        try:
            return await self._other.send(sending)
        except SendError as refused:
            if not refused.pause_s:
                raise
            await self._ways.goes_by(sending.attempt_id, self.provider)
            self._rests_until, self._why_it_rests = _moment() + refused.pause_s, refused.fault
            raise full or SendError(refused.fault, min(refused.pause_s, PAUSE_S)) from refused


def _moment() -> float:
    return asyncio.get_running_loop().time()
