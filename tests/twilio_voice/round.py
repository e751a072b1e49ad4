"""A round of calls: people in a row, an action in their midst, Twilio on loopback, and our own exchange scripted."""

from __future__ import annotations

import io
import wave
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from aiohttp import web
from sqlmodel import col, select, update

from actions.call_book import CallBook
from actions.models import Action, Attempt, Call, ContactPoint, Delivery, DeliveryState, Withdrawal, now
from actions.numbers import CallerKind, allowed
from actions.register import Entry
from actions.tips import Tips, Told
from actions.vault import Vaults
from alerting.channels import Channel, Sending
from alerting.channels.in_order import InOrder, Way
from alerting.channels.standing import Standing, Trunk
from alerting.channels.twilio_voice import TwilioVoice
from alerting.dispatcher import Dispatcher
from alerting.left_tips import LeftTips
from alerting.purse import Purse
from alerting.queue import Queue
from alerting.receipts import Receipt
from alerting.still_ringing import StillRinging
from alerting.ways import Ways
from ivr_flows.catalogue import catalogue
from ivr_flows.spoken import spoken
from stand_ins import twilio_voice as stand_in
from tests.texts.wave import MIDDLE, WHY, Wave, number
from web.hooks import twilio_calls, twilio_voice
from web.hooks.twiml import Words
from web.server import application

CALLER_ID = "+31101234567"
SIP = "sip:08000011@sip.example.nl"
NL, EN = catalogue()["nl"], catalogue()["en"]


class OwnExchange:
    """Our own exchange, as a script: each call takes the next of `outcomes`, after that it is answered."""

    provider = "asterisk"

    def __init__(self) -> None:
        self.there = True
        self.outcomes: list[Receipt | Exception] = []
        self.called: list[str] = []
        self.asked: list[str] = []

    async def send(self, sending: Sending) -> Receipt:
        self.called.append(sending.to)
        outcome = self.outcomes.pop(0) if self.outcomes else Receipt(DeliveryState.CONFIRMED, "own")
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def find(self, sending: Sending) -> Receipt | None:
        self.asked.append(sending.attempt_id)
        return Receipt(DeliveryState.ANSWERED, "own")


@dataclass
class Round(Wave):
    """`lines` is the stand-in for Twilio, `own` the one for our exchange."""

    lines: stand_in.TwilioVoice = field(kw_only=True)
    vaults: Vaults = field(kw_only=True)
    book: CallBook = field(kw_only=True)
    own: OwnExchange = field(default_factory=OwnExchange, kw_only=True)

    def __post_init__(self) -> None:
        self.ringing = StillRinging(self.store, self.channel())
        self.left_tips = LeftTips(self.store, self.book, self.client)
        self.tips = Tips(self.store, self.vaults.police)

    async def lives(
        self, *numbers: str, metres: float = 0.0, language: str = "nl", channels: Sequence[str] = ("voice",)
    ) -> None:
        x, y = MIDDLE
        entries = [
            Entry(language, "3011", x + metres + place, y, e164, CallerKind.MOBILE, frozenset(channels))
            for place, e164 in enumerate(numbers)
        ]
        await self.register.add(entries, WHY)

    def channel(self) -> TwilioVoice:  # type: ignore[override]
        return TwilioVoice(
            self.client,
            CALLER_ID,
            f"{self.public_url}{twilio_voice.CONVERSATION}",
            f"{self.public_url}{twilio_calls.STATUS}",
            3600,
        )

    def two_ways(self, try_again_s: float = 30.0) -> InOrder:
        own = Way(self.own, Trunk(lambda: self.own.there, try_again_s))
        purse = Purse(self.store, "voice", {})
        return InOrder((own, Way(self.channel(), Standing(), practises=False)), Ways(self.store, purse), purse)

    def worker(  # type: ignore[override]
        self, channel: Channel | None = None, *, attempt_s: float = 20.0, side_by_side: int = 20
    ) -> Dispatcher:
        channel = channel or self.channel()
        may_reach = partial(allowed, prefixes=["+31"], refused=["+3190"])
        queue = Queue(self.store, "voice", channel.provider, attempt_s)
        worker = Dispatcher(self.store, self.redis, self.register, queue, channel, may_reach, side_by_side)
        self.workers.append(worker)
        return worker

    async def calls_one(self, callee: stand_in.Callee, language: str = "nl") -> stand_in.PhoneCall:
        """An action starts, the only participant is called by Twilio, and the call goes on to its end."""
        self.lines.callees[number(0)] = callee
        await self.lives(number(0), language=language)
        await self.starts()
        await self.sends()
        return self.lines.calls[-1]

    async def call_row(self) -> Call:
        """The only call in the books; on a busy machine its facts may have waited in the spool."""
        await self.book.replay()
        async with self.store.reading() as session:
            return (await session.exec(select(Call))).one()

    async def told(self) -> list[Told]:
        """The tips of the only action, the newest first."""
        await self.book.replay()
        async with self.store.reading() as session:
            code = (await session.exec(select(Action.code))).one()
        return await self.tips.of_action(code, WHY)

    async def withdrawn(self) -> int:
        """How many withdrew from an action."""
        async with self.store.reading() as session:
            return len(list(await session.exec(select(Withdrawal))))

    async def opted_out(self) -> bool:
        """Whether the only participant signed off for good."""
        async with self.store.reading() as session:
            return (await session.exec(select(ContactPoint))).one().opted_out_at is not None

    async def providers(self) -> dict[str, str]:
        """By which way each number was last tried."""
        query = (
            select(Attempt, Delivery)
            .join(Delivery, col(Delivery.id) == Attempt.delivery_id)
            .order_by(col(Attempt.number))
        )
        async with self.store.reading() as session:
            rows = list(await session.exec(query))
        numbers = await self.register.numbers_of([delivery.contact_point_id for _, delivery in rows])
        return {numbers[delivery.contact_point_id]: attempt.provider for attempt, delivery in rows}

    async def answer_is_lost(self) -> None:
        """Nobody wrote down what Twilio answered or told."""
        async with self.store.writing() as session:
            under_way = {"state": DeliveryState.SENDING}
            await session.exec(update(Attempt).values(**under_way, provider_id=None))
            await session.exec(update(Delivery).values(**under_way, claimed_until=now() + timedelta(minutes=1)))


def wav(seconds: int) -> bytes:
    """A recording as operators make them."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(b"\x10\x01" * 8000 * seconds)
    return file.getvalue()


async def served(app: web.Application, port: int) -> web.AppRunner:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner


def hooks(round_: Round, token: str, sip: str = SIP) -> web.Application:
    """What Twilio reaches."""
    hearers = twilio_voice.Hearers(
        round_.store, round_.redis, round_.book, round_.tips, Words(catalogue(), spoken, "0800-0011"), sip, 3600
    )
    return application(
        [
            *twilio_calls.routes(round_.store, round_.book, token, round_.public_url),
            *twilio_voice.routes(hearers, token, round_.public_url),
        ]
    )
