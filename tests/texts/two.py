"""A wave of texts with two providers: Twilio is preferred, Spryng takes over."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial

from sqlmodel import col, select

from actions.models import Attempt, now
from actions.numbers import allowed
from alerting.bounds import Tariffs
from alerting.channels.in_order import InOrder, Way
from alerting.channels.spryng import SpryngSms
from alerting.channels.standing import Standing
from alerting.dispatcher import Dispatcher
from alerting.purse import Purse, Spent, day_of, spent_on
from alerting.queue import Queue
from alerting.rate import NO_RATE, Rate
from alerting.ways import Ways
from burgernet.text_ways import text_parts
from stand_ins.spryng import Spryng
from tests.texts.wave import Wave


@dataclass
class Two:
    wave: Wave
    spryng: Spryng
    by_spryng: SpryngSms
    tariffs: Tariffs | None = None

    def worker(
        self,
        *,
        try_again_s: float = 30.0,
        attempt_s: float = 20.0,
        side_by_side: int = 20,
        rate: Rate = NO_RATE,
        at_once: int = 0,
    ) -> Dispatcher:
        """`rate`, `at_once`: of the preferred provider."""
        wave = self.wave
        purse = Purse(wave.store, "sms", self.tariffs or {}, partial(text_parts, free_number="0800-0011"))
        first = Way(wave.channel(), Standing(try_again_s), rate, at_once)
        channel = InOrder((first, Way(self.by_spryng, Standing(try_again_s))), Ways(wave.store, purse), purse)
        queue = Queue(wave.store, "sms", channel.provider, attempt_s, purse=purse)
        may_reach = partial(allowed, prefixes=["+31"], refused=["+3190"])
        worker = Dispatcher(wave.store, wave.redis, wave.register, queue, channel, may_reach, side_by_side)
        wave.workers.append(worker)
        return worker

    async def sends(self, worker: Dispatcher) -> None:
        await self.wave.sends(worker)
        await self.spryng.settled()

    def texted(self) -> Counter[str]:
        """How many texts each number got, by both together."""
        return Counter(self.wave.texted()) + Counter(f"+{message['to']}" for message in self.spryng.messages)

    def by(self) -> tuple[int, int]:
        """How many texts Twilio and Spryng took."""
        return len(self.wave.twilio.messages), len(self.spryng.messages)

    async def providers(self) -> Counter[str]:
        """By whom the attempts went, as the books say."""
        async with self.wave.store.reading() as session:
            return Counter(await session.exec(select(Attempt.provider).order_by(col(Attempt.id))))

    async def spent(self) -> list[Spent]:
        return await spent_on(self.wave.store, day_of(now()), self.tariffs or {})
