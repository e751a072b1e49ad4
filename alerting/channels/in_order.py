"""Several ways out for one channel, in the order in which they are preferred: the next takes over what one cannot, and
gives it back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from alerting.channels import Channel, Remembers, Sending
from alerting.channels.standing import SOON_S, Standing
from alerting.errors import Fault, SendError, TooMany, Unanswered, Whose
from alerting.purse import Purse
from alerting.rate import NO_RATE, Rate
from alerting.receipts import Receipt
from alerting.ways import Ways

# How long an attempt waits for a place at a provider: meanwhile its action can end.
PLACE_S = 0.5
NONE_TAKES = Fault(True, Whose.PROVIDER, "no provider takes anything at the moment")
ALL_PLACES_TAKEN = Fault(True, Whose.US, "as much is under way to the provider as the settings allow at once")


class Rememberer(Channel, Remembers, Protocol):
    """A channel that can be asked afterwards."""


@dataclass
class Way:
    """`at_once`: how many attempts by it side by side; 0: as many as there are. `practises`: whether an exercise may
    go by it."""

    channel: Rememberer
    standing: Standing
    rate: Rate = NO_RATE
    at_once: int = 0
    practises: bool = True
    _places: asyncio.Semaphore | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._places = asyncio.Semaphore(self.at_once) if self.at_once else None

    @property
    def provider(self) -> str:
        return self.channel.provider

    async def send(self, sending: Sending) -> Receipt:
        """Raises SendError, Unanswered."""
        if self._places is None:
            return await self._learnt(sending)
        try:
            async with asyncio.timeout(PLACE_S):
                await self._places.acquire()
        except TimeoutError:
            raise TooMany(ALL_PLACES_TAKEN, PLACE_S) from None
        try:
            return await self._learnt(sending)
        finally:
            self._places.release()

    async def _learnt(self, sending: Sending) -> Receipt:
        if sending.notice.exercise:
            return await self.channel.send(sending)  # by a trunk of its own, which tells nothing of the others
        try:
            receipt = await self.channel.send(sending)
        except SendError as refused:
            self.standing.refused(refused)
            raise
        except Unanswered:
            self.standing.unanswered()
            raise
        except asyncio.CancelledError:
            # Whoever waits for it has a bound: it was too slow.
            self.standing.unanswered()
            raise
        self.standing.took(receipt)
        return receipt


class InOrder:
    """`record` keeps by which way each attempt went, so that this is the one that is asked about it; `purse` tells
    whose budget of the day is used up: they come last."""

    def __init__(self, ways: tuple[Way, ...], record: Ways, purse: Purse) -> None:
        self._ways, self._record, self._purse = ways, record, purse
        self._expected = ways[0]
        self.provider = ways[0].provider

    @property
    def rate(self) -> Rate:
        return self

    async def turn(self, asked: int) -> int:
        """Nothing is claimed while no way would take it; while all are down one attempt finds out."""
        while (closed_s := self._closed_s()) > 0:  # noqa: ASYNC110 - it is time that opens them
            await asyncio.sleep(min(closed_s, SOON_S))
        self._expected = min(self._preferred(frozenset()), key=lambda way: way.standing.opens_in())
        return await self._expected.rate.turn(1 if self._expected.standing.is_down else asked)

    def _closed_s(self) -> float:
        return min(way.standing.opens_in() for way in self._ways)

    async def give_back(self, count: int) -> None:
        await self._expected.rate.give_back(count)

    async def take(self, asked: int) -> tuple[int, float]:
        return await self._expected.rate.take(asked)

    async def send(self, sending: Sending) -> Receipt:
        """Raises SendError, Unanswered, what the database raises. Of what one way left unanswered the others know
        nothing: it is not tried by them."""
        went_by, why = self.provider, list[SendError]()
        failed = await self._record.failed_by(sending.attempt_id) if sending.number > 1 else frozenset[str]()
        for way in self._worth_trying(sending, failed):
            try:
                await self._turn(way)
                if way.provider != went_by:
                    await self._record.goes_by(sending, went_by, way.provider)
                    went_by = way.provider
                return await way.send(sending)
            except SendError as refused:
                if not refused.pause_s:
                    raise
                why.append(refused)
        if went_by != self.provider:
            await self._record.goes_by(sending, went_by, self.provider)
        raise self._none_takes(why)

    async def find(self, sending: Sending) -> Receipt | None:
        """Asks the way by which it went. Raises Unanswered, what the database raises."""
        provider = await self._record.way_of(sending.attempt_id)
        way = next((way for way in self._ways if way.provider == provider), self._ways[0])
        return await way.channel.find(sending)

    def _preferred(self, failed: frozenset[str]) -> list[Way]:
        """`failed`: the providers of earlier attempts at the same delivery that failed."""
        return sorted(
            self._ways,
            key=lambda way: (self._purse.used_up(way.provider), way.standing.to_blame and way.provider in failed),
        )

    def _worth_trying(self, sending: Sending, failed: frozenset[str]) -> Iterator[Way]:
        if sending.notice.exercise:
            # One that does not practise refuses it for good.
            yield from [way for way in self._ways if way.practises] or self._ways
            return
        for way in self._preferred(failed):
            if way.standing.worth_trying():
                yield way

    async def _turn(self, way: Way) -> None:
        """The way that was expected to carry it gave its turn before. Raises TooMany."""
        if way is not self._expected:
            given, wait_s = await way.rate.take(1)
            if not given:
                raise TooMany(NONE_TAKES, wait_s)

    def _none_takes(self, why: list[SendError]) -> SendError:
        """Tried again when the first of them may be ready."""
        waits = [refused.pause_s for refused in why]
        waits += [wait_s for way in self._ways if (wait_s := way.standing.opens_in()) > 0]
        return SendError(why[0].fault if why else NONE_TAKES, min(waits, default=SOON_S))
