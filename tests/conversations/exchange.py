"""A telephone exchange to hold conversations on: phones, rooms, actions, and the product's telephony role in between.

The same for the real Asterisk (real.py) and for the one in memory (pretend.py).
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, contextmanager
from datetime import timedelta
from itertools import count
from typing import Any, Protocol
from unittest.mock import patch

import numpy as np
from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from actions import live
from actions.books import Actor
from actions.desk import NewAction
from actions.geography import to_rd
from actions.matching import OpenAction
from actions.models import (
    Action,
    Call,
    ContactPoint,
    ControlRoom,
    Delivery,
    DeliveryState,
    Message,
    MessageKind,
    Recording,
    Tip,
    now,
)
from actions.numbers import read_number
from actions.register import Entry
from actions.seed import seed
from burgernet import roster, served_name, telephony_role
from burgernet.base import Base
from burgernet.served_name import controller_of, switchboard
from burgernet.settings import Settings
from ivr_flows.catalogue import said_in
from ivr_flows.switchboard import Patience, Switchboard
from ivr_flows.whisper import whisper
from telephony.ari import Ari
from telephony.controller import Controller
from telephony.hearing import Samples
from telephony.lease import lease_key
from telephony.speech import RATE, Prompt, Speech
from tests.conversations.phones import BOUND_S
from tests.conversations.phones import Handset as Handset
from tests.conversations.phones import Music as Music
from tests.conversations.phones import Phone as Phone
from watch.rules import Facts

log = logging.getLogger(__name__)

LOOK_AGAIN_S = 0.02
ME = Actor("tester", "tests", "a conversation")
TONES = (440, 620, 850, 1130, 1490, 1910, 2370)
FREE_NUMBER = "08000011"
# The carrier's trunk: what comes from this loopback address is believed about who calls.
CARRIER = "127.0.0.2"
LINES = {"line-1": "0612345678", "line-2": "0101234567"}
OPERATORS_A_ROOM = 2
MANY = 1000
USUAL = {
    "controller": "test",
    "controllers": ["test", "two"],
    "calls_at_once_per_caller": MANY,
    "calls_a_minute_per_caller": MANY,
    "recorded_kinds": ["look_out"],
}
PLACES = {"rotterdam": (51.92, 4.48), "den-haag": (52.07, 4.3), "amsterdam": (52.37, 4.9), "limburg": (50.85, 5.69)}


async def seeded(base: Base) -> None:
    """The country, in which operators are free again as soon as a talk is over."""
    await seed(base.store, ME, OPERATORS_A_ROOM)
    async with base.store.writing() as session:
        await session.exec(update(ControlRoom).values(wrap_up_s=0))


class Wiring(Protocol):
    """What differs between the two exchanges."""

    async def operator(self, account: str, tone: int) -> Phone:
        """The phone of an operator, registered."""
        ...

    async def line(self, account: str, tone: int) -> Phone:
        """A phone that stands for a line of the public network with a fixed number, registered."""
        ...

    async def carrier(self, caller_id: str, tone: int, *, withheld: bool) -> Phone:
        """A phone somewhere in the world, whose calls come in through the carrier."""
        ...

    async def passes(self, seconds: float) -> None:
        """So much time passes for those who speak or listen."""
        ...

    def cut(self, ari: Ari) -> AbstractAsyncContextManager[None]:
        """Without a connection with Asterisk while the block lasts."""
        ...

    def plain_recordings(self) -> list[str]:
        """Recordings that lie open in Asterisk's folders."""
        ...

    def fills_disk(self) -> None:
        """From now on nothing more can be recorded."""
        ...

    def parts(self) -> Mapping[str, Any]:
        """What stands in for names of burgernet.telephony_role and burgernet.served_name."""
        ...


class Exchange:
    """Every verb returns when what it says is so. `patience` shortens the waits of callers."""

    def __init__(self, base: Base, wiring: Wiring, patience: Patience) -> None:
        self.base, self.wiring, self.patience = base, wiring, patience
        self.phones: list[Phone] = []
        self._tones = count()
        self._serving: asyncio.Task[None] | None = None
        self.board: Switchboard
        self.controller: Controller

    async def starts(self) -> None:
        """The controller, with all it needs; calls are taken when this returns."""
        self._serving = await _started(self.base)

    @asynccontextmanager
    async def beside(self, controller: str) -> AsyncIterator[None]:
        """While the block lasts, a second controller of this name runs on the same node."""
        settings = self.base.settings.model_copy(update={"controller": controller})
        serving = await _started(dataclasses.replace(self.base, settings=settings))
        try:
            yield
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)

    @asynccontextmanager
    async def in_place(self) -> AsyncIterator[None]:
        """While the block lasts, what starts is of this exchange."""
        parts = {**self.wiring.parts(), "switchboard": self._switchboard, "controller_of": self._controller_of}
        with ExitStack() as patches:
            for name, part in parts.items():
                home = telephony_role if hasattr(telephony_role, name) else served_name
                patches.enter_context(patch.object(home, name, part))
            yield

    def _switchboard(self, *given: Any) -> Switchboard:
        return dataclasses.replace(switchboard(*given), patience=self.patience)

    def _controller_of(self, base: Base, ari: Ari, speech: Speech, board: Switchboard) -> Controller:
        controller = controller_of(base, ari, speech, board)
        if ari.app == self.base.settings.app:  # not one that is served in another's place
            self.board, self.controller = board, controller
        return controller

    async def stops(self) -> None:
        """The controller ends in the middle of whatever it does; the calls go on in Asterisk."""
        if self._serving:
            self._serving.cancel()
            await asyncio.gather(self._serving, return_exceptions=True)
            self._serving = None

    async def operator(self, account: str, *, on_duty: bool = True) -> Phone:
        """The phone of an operator: rotterdam-1 is the first one of that room."""
        phone = self._keep(await self.wiring.operator(account, self._tone()))
        if on_duty:
            await self.signs_on(account)
        return phone

    async def caller(self, number: str = "+31612345678", *, withheld: bool = False, silent: bool = False) -> Phone:
        """Somebody with this caller ID, as the carrier brings it."""
        tone = 0 if silent else self._tone()
        return self._keep(await self.wiring.carrier(number, tone, withheld=withheld))

    async def line(self, account: str) -> Phone:
        return self._keep(await self.wiring.line(account, self._tone()))

    async def signs_on(self, account: str) -> None:
        """As from the command line; returns when callers can come."""
        await self.base.desk.sign_on(account, ME)
        await live.wake(self.base.redis, roster.CHANNEL)
        await until(lambda: self.is_free(account), f"{account} on duty")

    async def is_free(self, account: str) -> bool:
        room = account.rpartition("-")[0]
        return await self.base.redis.zscore(f"burgernet:free:{room}", account) is not None

    async def on_duty(self, account: str) -> bool:
        return bool(await self.base.redis.hexists("burgernet:duty", account))

    async def off_duty(self, account: str) -> bool:
        return not await self.on_duty(account)

    async def signs_off(self, account: str) -> None:
        """As from the command line; returns when no more callers come."""
        await self.base.desk.sign_off(account, ME)
        await live.wake(self.base.redis, roster.CHANNEL)
        await until(lambda: self.off_duty(account), f"{account} off duty")

    async def action(
        self, region: str = "rotterdam", title: str = "de blauwe Golf", by: str | None = None, kind: str = "look_out"
    ) -> OpenAction:
        """An open action in the middle of a region, known to the flows."""
        lat, lon = PLACES[region]
        area = {"type": "circle", "lat": lat, "lon": lon, "radius": 2000}
        texts = {"nl": (title, "Kijk uit naar een auto."), "en": (f"{title} EN", "Look out for a car.")}
        action = await self.base.desk.start_action(NewAction(kind, region, area, texts, by), ME)
        await live.wake(self.base.redis)
        await until(lambda: self._knows(action), "the action known")
        return action

    async def ends(self, action: OpenAction) -> None:
        await self.base.desk.end_action(action.code, "none", {"nl": ("Klaar", "De actie is voorbij.")}, ME)
        await live.wake(self.base.redis)
        await until(lambda: self._knows(action, known=False), "the action over")

    async def ended_long_ago(self, action: OpenAction) -> None:
        async with self.base.store.writing() as session:
            (await session.get_one(Action, action.id)).ended_at = now() - timedelta(hours=2)

    async def lives_here(self, number: str, action: OpenAction) -> str:
        """A participant with this number takes part, near the action."""
        read = read_number(number)
        assert read.e164
        x, y = to_rd(*PLACES[action.region_id])
        await self.base.register.add([Entry("nl", "3011", x, y, read.e164, read.kind, frozenset({"sms"}))], ME)
        return read.e164

    async def alerted(self, number: str, action: OpenAction, metres: int = 100) -> None:
        """This number got the message of the action."""
        e164 = await self.lives_here(number, action)
        async with self.base.store.writing() as session:
            digests = self.base.register.digests(e164)
            contact = (await session.exec(select(ContactPoint).where(col(ContactPoint.digest).in_(digests)))).one()
            alert = select(Message).where(Message.action_id == action.id, Message.kind == MessageKind.ALERT)
            message = (await session.exec(alert)).one()
            assert message.id is not None
            assert contact.id is not None
            session.add(
                Delivery(
                    message_id=message.id,
                    contact_point_id=contact.id,
                    channel="sms",
                    language="nl",
                    distance=metres,
                    state=DeliveryState.DELIVERED,
                )
            )

    @contextmanager
    def database(self, how: str) -> Iterator[None]:
        """The database is "away", or "stuck" (it takes requests and answers none), while the block lasts."""
        back = asyncio.Event()

        @asynccontextmanager
        async def session(*_: object) -> AsyncIterator[AsyncSession]:
            if how == "stuck":
                await back.wait()
            raise OSError("the database is away")
            yield

        with patch.multiple(self.base.store, reading=session, writing=session):
            yield
        back.set()

    async def waiting(self, count: int) -> None:
        """So many callers stand in the lines of the rooms."""

        async def in_line() -> bool:
            return bool(await self.base.redis.hlen("burgernet:waiting") == count)

        await until(in_line, f"{count} waiting")

    async def redis_stalls(self, seconds: float) -> None:
        """From now on Redis answers nobody for so long."""
        await self.base.redis.client_pause(int(seconds * 1000))

    @asynccontextmanager
    async def asterisk_unreachable(self) -> AsyncIterator[None]:
        """The connection with Asterisk is cut, and cannot be made again while the block lasts."""
        async with self.wiring.cut(self.controller.ari):
            await until(self._cut_off, "the cut noticed")
            yield
        await asyncio.wait_for(self.controller.ari.connected.wait(), BOUND_S)

    async def leads_nothing(self) -> bool:
        return not self.controller.calls

    async def _cut_off(self) -> bool:
        return not self.controller.ari.connected.is_set()

    async def facts(self) -> Facts:
        """What the process sees, for the alarms."""
        return {name: value for look in self.base.looks for name, value in (await look()).items()}

    async def calls(self) -> list[Call]:
        """Every row of the book of calls, oldest first."""
        async with self.base.store.reading() as session:
            return list(await session.exec(select(Call).order_by(col(Call.arrived_at))))

    async def is_closed(self) -> bool:
        """Whether the controller takes no new calls."""
        return self.controller._closed

    async def dialplan_knows(self, **wanted: str) -> bool:
        """Whether these globals have these values."""
        ari = self.controller.ari
        found = [await ari.request("GET", "asterisk/variable", variable=name) for name in wanted]
        return [each["value"] for each in found] == list(wanted.values())

    async def all_ended(self, wanted: int) -> bool:
        """Whether there are so many calls in the book, and all of them are over."""
        calls = await self.calls()
        return len(calls) == wanted and all(call.ended_how for call in calls)

    async def leads(self, controller: str) -> bool:
        """Whether somebody serves the name of this controller."""
        return bool(await self.base.redis.exists(lease_key(f"burgernet-{controller}")))

    async def ended(self, how: str) -> Call:
        """The only call in the book, which ended in this way."""

        async def over() -> bool:
            calls = await self.calls()
            return bool(calls) and all(call.ended_how for call in calls)

        await until(over, "the call ended in the book")
        (call,) = await self.calls()
        assert call.ended_how == how
        return call

    async def tips(self) -> list[tuple[Tip, Recording]]:
        """Recorded tips, as they are kept."""
        async with self.base.store.reading() as session:
            rows = await session.exec(select(Tip, Recording).join(Recording, col(Recording.id) == Tip.recording_id))
            return [(tip, recording) for tip, recording in rows]

    async def sounds(self, kind: str) -> list[Recording]:
        """Recordings of a kind, as they are kept."""
        async with self.base.store.reading() as session:
            return list(await session.exec(select(Recording).where(Recording.kind == kind)))

    async def is_quiet(self) -> None:
        """Nothing is left of any call: no channel, bridge or file in Asterisk, no task, nobody waiting or claimed."""
        left: dict[str, Any] = {}

        async def nothing() -> bool:
            ari, redis = self.controller.ari, self.base.redis
            left.update(
                channels=[channel["id"] for channel in await ari.listing("channels")],
                bridges=[bridge["id"] for bridge in await ari.listing("bridges")],
                recordings=await ari.listing("recordings/stored"),
                conversations=self.controller.calls,
                legs=list(self.controller._legs),
                claims=await redis.hgetall("burgernet:claim"),
                waiting=await redis.hgetall("burgernet:waiting"),
                lines=await redis.keys("burgernet:line:*"),
            )
            return not any(left.values())

        try:
            await until(nothing, "nothing left", bound_s=8)
        except TimeoutError:
            raise AssertionError(f"left behind: { {what: much for what, much in left.items() if much} }") from None

    async def _knows(self, action: OpenAction, *, known: bool = True) -> bool:
        if self._serving is None:  # the next controller reads it at its start
            return True
        return known == (action.id in {open_action.id for open_action in self.board.actions.now()})

    def _tone(self) -> int:
        return TONES[next(self._tones)]

    def _keep(self, phone: Phone) -> Phone:
        self.phones.append(phone)
        return phone


@asynccontextmanager
async def exchange_on(base: Base, wiring: Wiring, patience: Patience) -> AsyncIterator[Exchange]:
    """An exchange whose controller runs. At the end everybody hangs up, and nothing may be left of any call."""
    await base.redis.flushall()
    exchange = Exchange(base, wiring, patience)
    async with exchange.in_place():
        await exchange.starts()
        try:
            yield exchange
            for phone in exchange.phones:
                await phone.put_away()
            await exchange.is_quiet()
        finally:
            await exchange.stops()


async def _started(base: Base) -> asyncio.Task[None]:
    ready = asyncio.Event()
    serving = asyncio.create_task(telephony_role.telephony_role(base, log.info, ready))
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait({waiting, serving}, timeout=30, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if serving.done():
        serving.result()
    assert ready.is_set(), "the telephony role did not start"
    return serving


async def until(so: Callable[[], Awaitable[bool]], what: str, bound_s: float = BOUND_S) -> None:
    """Returns when it is so. Raises TimeoutError."""
    try:
        async with asyncio.timeout(bound_s):
            while not await so():  # noqa: ASYNC110 - what is waited for lies in Asterisk, Redis or the database
                await asyncio.sleep(LOOK_AGAIN_S)
    except TimeoutError:
        raise TimeoutError(f"not within {bound_s:.0f} s: {what}") from None


def whispered(action: OpenAction, language: str = "nl") -> Prompt:
    """What the operator hears before the caller."""
    return whisper(action, language)[0]


def offered(title: str, key: int, language: str = "nl") -> Prompt:
    """One line of the menu between actions."""
    return said_in(language, "option", title=title, key=key)


def settings_of(sqlite_url: str, redis_url: str, **more: Any) -> Settings:
    """Settings for one test, complete, from nothing but these."""
    keys = "1:" + "A" * 43 + "="
    return Settings(
        _env_file=None,
        database_url=sqlite_url,
        redis_url=redis_url,
        register_keys=keys,
        police_keys=keys,
        ari_password=secrets.token_hex(16),
        ami_password=secrets.token_hex(16),
        trunk_addresses=[CARRIER],
        callback_numbers=["+31850001234"],
        **{**USUAL, "sip_secret": secrets.token_hex(16), **more},
    )


async def noise(text: str, language: str) -> Samples:
    """A voice for tests: every text its own noise, which a correlation tells from any other, and soon over."""
    seed_of_text = int.from_bytes(hashlib.sha256(f"{language} {text}".encode()).digest()[:8])
    seconds = min(max(0.4, len(text) * 0.008), 1.2)
    sound: Samples = np.random.default_rng(seed_of_text).uniform(-0.5, 0.5, int(RATE * seconds))
    return sound
