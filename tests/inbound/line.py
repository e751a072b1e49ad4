"""Our number for texts, with everything behind it: telephones text it, and read what comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from redis.asyncio import Redis
from sqlmodel import col, select, update

from actions.books import Actor
from actions.desk import Desk, NewAction
from actions.geography import to_rd
from actions.matching import OpenAction
from actions.models import Action, ContactPoint, Delivery, DeliveryState, InboundText, Message, MessageKind, Tip, now
from actions.numbers import allowed, read_number
from actions.register import Entry, Register
from actions.store import Store
from actions.tips import Tips, Told
from actions.vault import Vaults
from alerting.channels.twilio_client import TwilioClient
from alerting.channels.twilio_replies import TwilioReplies
from alerting.inbound.answers import Answers
from alerting.inbound.reception import Reception
from alerting.inbound.wording import words
from burgernet.embedded import free_port
from stand_ins.twilio import Twilio
from tests.store.rows import all_of
from web.hooks import inbound
from web.server import application, serve

OUR_NUMBER = "+3197010200000"
FREE_NUMBER = "0800-0011"
ANNA, BERT = "+31612345671", "+31612345672"
PLACES = {"rotterdam": (51.9225, 4.4792), "amsterdam": (52.3731, 4.8926)}
ME = Actor("tester", "tests", "to see that it works")


class Clock:
    """The present moment, and any later one."""

    def __init__(self) -> None:
        self._ahead = timedelta(0)

    def __call__(self) -> datetime:
        return now() + self._ahead

    def runs(self, **ahead: float) -> None:
        self._ahead += timedelta(**ahead)


class Line:
    """`url`: where texts are brought. Every verb returns when what it says is so."""

    def __init__(self, store: Store, redis: Redis, vaults: Vaults, twilio: Twilio, clock: Clock) -> None:
        self.store, self.redis, self.vaults, self.twilio, self.clock = store, redis, vaults, twilio, clock
        self.desk = Desk(store)
        self.register = Register(store, vaults.register)
        self.client = TwilioClient(twilio.account_sid, twilio.auth_token, twilio.url)
        self.answers = self.worker()
        self.url = ""

    def use(self, vaults: Vaults) -> None:
        """Other keys, as after a restart with other settings; `serving` starts the web role with them."""
        self.vaults = vaults
        self.register = Register(self.store, vaults.register)
        self.answers = self.worker()

    @asynccontextmanager
    async def serving(self, public_url: str = "") -> AsyncIterator[None]:
        """A web role started anew, with the keys of now."""
        before = self.url
        async with served(self, public_url) as self.url:
            yield
        self.url = before

    async def happened(self, **ago: float) -> None:
        """Every text so far came in so long ago."""
        async with self.store.writing() as session:
            moment = now() - timedelta(**ago)
            await session.exec(update(InboundText).values(received_at=moment))

    def reception(self) -> Reception:
        return Reception(self.store, self.vaults, {OUR_NUMBER, "+318000011"})

    def worker(self) -> Answers:
        replies = TwilioReplies(self.client, OUR_NUMBER)
        return Answers(self.store, self.redis, self.vaults.police, replies, _allowed, FREE_NUMBER)

    async def texted(self, number: str, said: str, sid: str = "", *, to: str = OUR_NUMBER) -> None:
        """A telephone texts us, and we take it."""
        assert await self.twilio.brings(self.url, number, to, said, sid) == 204

    async def answered(self, number: str) -> list[str]:
        """What this telephone has read when every answer that is due has been tried."""
        await self.works()
        return self.twilio.texts_to(number)

    async def works(self) -> None:
        """Every answer that is due is tried."""
        while await self.answers.step():
            await self.answers.finished(5)
        await self.answers.finished(5)

    async def texts(self) -> list[InboundText]:
        return sorted(await all_of(self.store, InboundText), key=lambda text: text.received_at)

    async def action(self, region: str = "rotterdam", *, exercise: bool = False) -> OpenAction:
        lat, lon = PLACES[region]
        area = {"type": "circle", "lat": lat, "lon": lon, "radius": 2000}
        texts = {"nl": ("de blauwe Golf", "Kijk uit naar een auto."), "en": ("the blue Golf", "Look out for a car.")}
        return await self.desk.start_action(NewAction("look_out", region, area, texts, exercise=exercise), ME)

    async def ended(self, action: OpenAction, **ago: float) -> None:
        """The action ended so long ago."""
        await self.desk.end_action(action.code, "none", {"nl": ("Klaar", "Het is voorbij.")}, ME)
        async with self.store.writing() as session:
            this = col(Action.id) == action.id
            await session.exec(update(Action).where(this).values(ended_at=now() - timedelta(**ago)))

    async def takes_part(self, number: str, language: str = "nl") -> None:
        x, y = to_rd(*PLACES["rotterdam"])
        entry = Entry(language, "3011", x, y, number, read_number(number).kind, frozenset({"sms"}))
        await self.register.add([entry], ME)

    async def alerted(self, number: str, *actions: OpenAction, language: str = "nl", state: str = "delivered") -> None:
        """A participant got the message of these actions."""
        await self.takes_part(number, language)
        contact = await self.contact(number)
        async with self.store.writing() as session:
            for action in actions:
                alert = select(Message.id).where(Message.action_id == action.id, Message.kind == MessageKind.ALERT)
                message_id = (await session.exec(alert)).one()
                assert message_id is not None
                assert contact.id is not None
                session.add(
                    Delivery(
                        message_id=message_id,
                        contact_point_id=contact.id,
                        channel="sms",
                        language=language,
                        distance=100,
                        state=DeliveryState(state),
                    )
                )

    async def contact(self, number: str) -> ContactPoint:
        async with self.store.reading() as session:
            digests = self.register.digests(number)
            return (await session.exec(select(ContactPoint).where(col(ContactPoint.digest).in_(digests)))).one()

    async def signed_off(self, number: str) -> bool:
        return (await self.contact(number)).opted_out_at is not None

    async def tips(self, action: OpenAction) -> list[Told]:
        return await Tips(self.store, self.vaults.police).of_action(action.code, ME)

    async def tip_rows(self) -> list[Tip]:
        return await all_of(self.store, Tip)

    @staticmethod
    def words(answer: str, language: str = "nl", code: str = "") -> str:
        return words(answer, language, code, FREE_NUMBER)


@asynccontextmanager
async def open_line(store: Store, redis: Redis, vaults: Vaults, clock: Clock) -> AsyncIterator[Line]:
    """The line over real HTTP. `public_url` in the settings is where Twilio posts."""
    async with Twilio("AC" + "1" * 32, "a token of a test") as twilio:
        line = Line(store, redis, vaults, twilio, clock)
        async with served(line) as line.url:
            yield line
        await line.answers.finished(5)
        await line.client.close()


@asynccontextmanager
async def served(line: Line, public_url: str = "") -> AsyncIterator[str]:
    """A web role for texts, with a reception of its own; the address to post them to."""
    bind = f"127.0.0.1:{free_port()}"
    routes = inbound.routes(line.reception(), line.redis, line.twilio.auth_token, public_url or f"http://{bind}")
    ready = asyncio.Event()
    serving = asyncio.create_task(serve(application(routes), bind, ready))
    async with asyncio.timeout(10):
        await ready.wait()
    try:
        yield f"http://{bind}{inbound.INBOUND}"
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


def _allowed(number: str) -> bool:
    return allowed(number, ["+31"], ["+3190"])
