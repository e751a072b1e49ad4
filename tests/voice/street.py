"""A street where people want to be called: their telephones, the action that is told to them, what is written of it.

The same on the real Asterisk, with a public network in between, and on the one in memory."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from sqlmodel import col, select

from actions import live
from actions.desk import NewAction, Texts
from actions.matching import OpenAction
from actions.models import Attempt, Call, ContactPoint, Delivery, Message, MessageKind
from actions.sounds import NOTHING_RECORDED, Sounds
from alerting.audience import write_next
from alerting.bell import DELIVERIES
from alerting.fallback import write_fallbacks
from alerting.renditions import Notice, voice, voice_in_short
from ivr_flows.spoken import spoken
from telephony.speech import Spoken
from tests.alerting.town import ACTOR, Town, circle, number, somebody
from tests.conversations.exchange import Exchange, Handset, Phone, until

T = TypeVar("T", contravariant=True)

TITLE, BODY = "de blauwe Golf", "Kijk uit naar een blauwe auto. Hij rijdt naar Delft."
WORDS: Texts = {"nl": (TITLE, BODY), "en": ("the blue Golf", "Look out for a blue car.")}
NEWS: Texts = {"nl": (TITLE, "Hij is nu rood.")}
FOUND: Texts = {"nl": (TITLE, "Hij is gevonden.")}
BOUND_S = 20.0


class Line(Handset[T], Protocol[T]):
    """What a subscriber's telephone can do besides."""

    async def says(self, hertz: int, seconds: float = 0) -> None: ...
    async def picks_up(self) -> None: ...
    async def is_free(self) -> None: ...

    @property
    def display(self) -> str: ...
    @property
    def stage(self) -> str: ...


class Subscriber(Phone):
    """A participant's telephone: it says nothing until it is told to."""

    def __init__(self, name: int, line: Line[T], sound_of: Callable[..., Awaitable[T]]) -> None:
        super().__init__(line, sound_of)
        self.number, self.person, self._line = number(name), name, line
        self.is_free, self.picks_up = line.is_free, line.picks_up

    @property
    def display(self) -> str:
        """The number shown when it rang last."""
        return self._line.display

    @property
    def is_ringing(self) -> bool:
        return self._line.stage == "rings"

    @property
    def is_in_a_call(self) -> bool:
        return self._line.stage == "talks"

    async def says(self, hertz: int, seconds: float = 0) -> None:
        """Says a tone from now on, or for `seconds` and then nothing."""
        self.tone = hertz
        await self._line.says(hertz, seconds)

    async def hears_all(self, *sentences: str, language: str = "nl", bound_s: float = BOUND_S) -> None:
        """Hears these sentences, one after another."""
        for sentence in sentences:
            await self.hears(Spoken(spoken(sentence, language), language), language, bound_s)

    async def hears_the_message(self, action: OpenAction, language: str = "nl") -> None:
        """The whole alert, and what can be answered."""
        await self.hears_all(*alert(action, language), language=language)
        await self.hears("alert-keys", language, BOUND_S)


Plug = Callable[[int], Awaitable[Subscriber]]


class Street:
    """Every verb returns when what it says is so. `plug`: a registered telephone for a person by name."""

    def __init__(self, exchange: Exchange, plug: Plug) -> None:
        self.exchange, self.base, self._plug = exchange, exchange.base, plug
        self.town = Town(self.base.store, self.base.register, self.base.desk)

    async def person(self, name: int = 1, *, language: str = "nl", plugged: bool = True) -> Subscriber:
        """Somebody who wants to be called, and the telephone."""
        await self.town.has(somebody(name, east=name, language=language, channels=("voice",)))
        phone = await self._plug(name)
        self.exchange.phones.append(phone)
        if not plugged:
            await phone.unregisters()
        return phone

    async def starts(
        self, texts: Texts = WORDS, sounds: Sounds = NOTHING_RECORDED, by: str | None = None
    ) -> OpenAction:
        """An action is started, and its audience written."""
        new = NewAction("look_out", "rotterdam", circle(2000), texts, by, sounds=sounds)
        action = await self.base.desk.start_action(new, ACTOR)
        await self._wake()
        return action

    async def updates(self, action: OpenAction, texts: Texts = NEWS) -> None:
        await self.base.desk.update_action(action.code, texts, ACTOR)
        await self._wake()

    async def ends(self, action: OpenAction) -> None:
        await self.base.desk.end_action(action.code, "direct", FOUND, ACTOR)
        await self._wake()

    async def texts(self, action: OpenAction, kind: str = "alert") -> list[str]:
        """The numbers for which a text follows the call, after a look whether one should."""
        while await write_fallbacks(self.base.store, self.base.redis):
            pass
        return [row.to for row in await self.town.rows(action, kind) if row.channel == "sms"]

    async def state(self, phone: Subscriber, kind: str = "alert") -> str | None:
        """The state of the only call about the newest message of a kind to somebody; None before there is one."""
        message = select(Delivery.state).where(Delivery.channel == "voice")
        query = message.where(Delivery.contact_point_id == await self.town.contact_point(phone.person))
        async with self.base.store.reading() as session:
            found = list(await session.exec(query.where(Delivery.message_id == await self._message(kind))))
        return found[0] if found else None

    async def becomes(self, phone: Subscriber, state: str, kind: str = "alert") -> None:
        async def so() -> bool:
            return await self.state(phone, kind) == state

        try:
            await until(so, f"the call is {state}")
        except TimeoutError:
            raise AssertionError(f"the call is {await self.state(phone, kind)}, not {state}") from None

    async def attempts(self, phone: Subscriber) -> list[Attempt]:
        return await self.town.attempts(phone.person)

    async def call(self, how: str) -> Call:
        """The only call in the book, which ended in this way."""
        return await self.exchange.ended(how)

    async def call_over(self) -> Call:
        """The only call in the book, ended however."""

        async def over() -> bool:
            calls = await self.exchange.calls()
            return bool(calls) and all(call.ended_how for call in calls)

        await until(over, "the call ended in the book")
        (call,) = await self.exchange.calls()
        return call

    async def opted_out(self, phone: Subscriber) -> bool:
        query = select(ContactPoint.opted_out_at).where(ContactPoint.id == await self.town.contact_point(phone.person))
        async with self.base.store.reading() as session:
            return (await session.exec(query)).one() is not None

    async def _message(self, kind: str) -> int | None:
        query = select(Message.id).where(Message.kind == kind).order_by(col(Message.id).desc())
        async with self.base.store.reading() as session:
            return (await session.exec(query)).first()

    async def _wake(self) -> None:
        while await write_next(self.base.store, self.base.redis):
            pass
        await live.wake(self.base.redis)
        await live.wake(self.base.redis, DELIVERIES)


def notice(
    action: OpenAction, language: str = "nl", kind: MessageKind = MessageKind.ALERT, texts: Texts = WORDS
) -> Notice:
    title, body = texts[language]
    return Notice(kind, action.code, language, title, body)


def alert(action: OpenAction, language: str = "nl") -> list[str]:
    """The sentences of the alert."""
    return voice(notice(action, language))


def update(action: OpenAction) -> list[str]:
    return voice(notice(action, kind=MessageKind.UPDATE, texts=NEWS))


def result(action: OpenAction) -> list[str]:
    return voice(notice(action, kind=MessageKind.RESULT, texts=FOUND))


def in_short(action: OpenAction, free_number: str) -> str:
    return voice_in_short(notice(action), free_number)
