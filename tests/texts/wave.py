"""A wave of texts: people in a row, an action in their midst, a provider on loopback, workers of our own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from redis.asyncio import Redis
from sqlalchemy.exc import OperationalError
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.books import Actor
from actions.desk import Desk, NewAction, Texts
from actions.geography import to_rd
from actions.matching import OpenAction
from actions.models import Attempt, ContactPoint, Delivery, DeliveryState, Kind, Message, MessageKind, bits, now
from actions.numbers import CallerKind, allowed
from actions.register import Entry, Register
from actions.store import LOCK_WAIT_S, Store
from actions.wishes import Wishes
from alerting.audience import write_next
from alerting.channels import Channel
from alerting.channels.sms import TwilioSms
from alerting.channels.twilio_client import TwilioClient
from alerting.dispatcher import Dispatcher
from alerting.queue import Queue
from stand_ins.twilio import Twilio
from web.hooks.twilio import STATUS

CENTRE = (51.9225, 4.4792)
ALL_KINDS = Wishes(kinds=bits(Kind))
MIDDLE = to_rd(*CENTRE)
KILOMETRE: Mapping[str, object] = {"type": "circle", "lat": CENTRE[0], "lon": CENTRE[1], "radius": 1000}
WHY = Actor("tester", "tests", "to see that it works")
GOLF: Texts = {"nl": ("de blauwe Golf", "Blauwe Golf, gezien op de Coolsingel.")}
FOUND: Texts = {"nl": ("de blauwe Golf", "De auto is gevonden.")}


def number(place: int) -> str:
    """The mobile number of the nth person of the row."""
    return f"+3165{place:07d}"


async def until(holds: Callable[[], Awaitable[bool]], what: str, bound_s: float = 15.0) -> None:
    """Returns when the condition holds; fails the test when it does not in time."""
    over = asyncio.get_running_loop().time() + bound_s
    while not await holds():
        assert asyncio.get_running_loop().time() < over, f"not within {bound_s} s: {what}"
        await asyncio.sleep(0.02)


class Unsteady(Store):
    """A store on the same database that can be slow to read, or away."""

    def __init__(self, store: Store) -> None:
        super().__init__(store._engine)
        self.slow_s, self.unreadable, self.refuses_writes = 0.0, False, 0

    @asynccontextmanager
    async def reading(self, *, transaction: bool = False) -> AsyncIterator[AsyncSession]:
        await asyncio.sleep(self.slow_s)
        if self.unreadable:
            raise OperationalError("SELECT", {}, OSError("gone"))
        async with super().reading() as session:
            yield session

    @asynccontextmanager
    async def writing(self, lock_s: float = LOCK_WAIT_S) -> AsyncIterator[AsyncSession]:
        if self.refuses_writes:
            self.refuses_writes -= 1
            raise OperationalError("UPDATE", {}, OSError("gone"))
        async with super().writing(lock_s) as session:
            yield session


@dataclass
class Wave:
    store: Store
    redis: Redis
    register: Register
    desk: Desk
    twilio: Twilio
    client: TwilioClient
    public_url: str
    workers: list[Dispatcher] = field(default_factory=list)

    async def lives(self, *numbers: str, metres: float = 0.0) -> None:
        """These people take part about places in a row, the first this far east of the middle, one metre apart."""
        x, y = MIDDLE
        entries = [
            Entry("nl", "3011", x + metres + place, y, e164, CallerKind.MOBILE, frozenset({"sms"}), wishes=ALL_KINDS)
            for place, e164 in enumerate(numbers)
        ]
        await self.register.add(entries, WHY)

    async def alerts(self, people: int, kind: str = "look_out") -> OpenAction:
        """An action starts among so many people, and its audience is written."""
        await self.lives(*map(number, range(people)))
        return await self.starts(kind)

    async def starts(self, kind: str = "look_out") -> OpenAction:
        action = await self.desk.start_action(NewAction(kind, "rotterdam", KILOMETRE, GOLF), WHY)
        await self.audience()
        return action

    async def updates(self, action: OpenAction) -> None:
        await self.desk.update_action(action.code, FOUND, WHY)
        await self.audience()

    async def ends(self, action: OpenAction) -> None:
        await self.desk.end_action(action.code, "direct", FOUND, WHY)

    async def audience(self) -> None:
        while await write_next(self.store, self.redis):
            pass

    def channel(self) -> TwilioSms:
        return TwilioSms(self.client, "Burgernet", f"{self.public_url}{STATUS}", "0800-0011")

    def worker(
        self,
        channel: Channel | None = None,
        *,
        store: Store | None = None,
        attempt_s: float = 20.0,
        side_by_side: int = 20,
    ) -> Dispatcher:
        """A dispatcher of texts, not at work yet. `store`: what it reads and writes with, its queue apart."""
        channel = channel or self.channel()
        may_reach = partial(allowed, prefixes=["+31"], refused=["+3190"])
        queue = Queue(self.store, "sms", channel.provider, attempt_s)
        worker = Dispatcher(store or self.store, self.redis, self.register, queue, channel, may_reach, side_by_side)
        self.workers.append(worker)
        return worker

    async def sends(self, worker: Dispatcher | None = None) -> None:
        """A worker asks afterwards and sends all that is due; then every callback has come."""
        worker = worker or self.worker()
        await worker.tidy()
        while await worker.step():
            pass
        await worker.finished(20)
        await self.twilio.settled()

    async def time_passes(self) -> None:
        """Long enough for every retry to be due and every open attempt to be overdue."""
        past = now() - timedelta(seconds=1)
        async with self.store.writing() as session:
            again = (col(Delivery.state) == DeliveryState.SENDING) & col(Delivery.claimed_until).is_(None)
            await session.exec(update(Delivery).where(again).values(due_at=past))
            still_open = col(Attempt.state) == DeliveryState.SENDING
            await session.exec(update(Attempt).where(still_open).values(deadline=past))

    async def is_over(self, kind: MessageKind = MessageKind.ALERT) -> None:
        """The time of these messages has passed."""
        past = now() - timedelta(seconds=1)
        async with self.store.writing() as session:
            await session.exec(update(Message).where(col(Message.kind) == kind).values(deadline=past))

    async def opts_out(self, e164: str) -> None:
        async with self.store.writing() as session:
            this = col(ContactPoint.digest).in_(self.register.digests(e164))
            await session.exec(update(ContactPoint).where(this).values(opted_out_at=now()))

    async def deliveries(self, kind: MessageKind = MessageKind.ALERT) -> dict[str, Delivery]:
        """By number."""
        query = select(Delivery).join(Message, col(Message.id) == Delivery.message_id).where(Message.kind == kind)
        async with self.store.reading() as session:
            rows = list(await session.exec(query))
        numbers = await self.register.numbers_of([row.contact_point_id for row in rows])
        return {numbers[row.contact_point_id]: row for row in rows}

    async def states(self, kind: MessageKind = MessageKind.ALERT) -> dict[str, str]:
        """The state of each number's delivery."""
        return {e164: row.state for e164, row in (await self.deliveries(kind)).items()}

    async def state(self) -> str:
        """The state of the only alert."""
        (only,) = (await self.states()).values()
        return only

    async def attempts(self) -> list[Attempt]:
        """The oldest first."""
        async with self.store.reading() as session:
            return list(await session.exec(select(Attempt).order_by(col(Attempt.number), col(Attempt.started_at))))

    def texted(self) -> list[str]:
        """The numbers of the texts that the provider took, in its order."""
        return [message["to"] for message in self.twilio.messages]
