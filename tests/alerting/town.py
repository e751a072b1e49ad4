"""A town to alert: people at metres from its middle, actions on them, and what is written about both."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import col, select, update

from actions.books import Actor
from actions.desk import Desk, NewAction, Texts
from actions.geography import to_rd
from actions.matching import OpenAction
from actions.models import Address, Attempt, ContactPoint, Delivery, Message, Participant, Subscription, now
from actions.numbers import CallerKind
from actions.register import Entry, Register
from actions.store import Store

LAT, LON = 51.92, 4.48
X, Y = to_rd(LAT, LON)
ACTOR = Actor("tester", "tests", "to see that it works")
WORDS: Texts = {"nl": ("De blauwe Golf", "Kijk uit naar een blauwe Golf."), "en": ("The blue Golf", "A blue Golf.")}
UPDATED: Texts = {"nl": ("De blauwe Golf", "Hij is nu gezien in Schiedam.")}
FOUND: Texts = {"nl": ("De blauwe Golf", "De bestuurder is aangehouden."), "en": ("The blue Golf", "He was arrested.")}
BOUND_S = 20.0


def number(name: int) -> str:
    return f"+316{10_000_000 + name}"


def somebody(
    name: int, east: float = 0.0, north: float = 0.0, *, language: str = "nl", channels: Iterable[str] = ("sms",)
) -> Entry:
    """A participant `east` and `north` metres from the middle of the town; `name` makes the number."""
    return Entry(language, "3011", X + east, Y + north, number(name), CallerKind.MOBILE, frozenset(channels))


def circle(radius: float) -> dict[str, Any]:
    return {"type": "circle", "lat": LAT, "lon": LON, "radius": radius}


@dataclass(frozen=True)
class Row:
    """A delivery as tests look at it; `to` is the number."""

    to: str
    channel: str
    language: str
    distance: int
    state: str
    reason: str | None


@dataclass(frozen=True)
class Town:
    store: Store
    register: Register
    desk: Desk

    async def has(self, *people: Entry) -> None:
        await self.register.add(people, ACTOR)

    async def looks_out(
        self, area: Mapping[str, Any] | None = None, kind: str = "look_out", texts: Texts = WORDS
    ) -> OpenAction:
        new = NewAction(kind, "rotterdam", dict(area or circle(2000)), texts)
        return await self.desk.start_action(new, ACTOR)

    async def updates(self, action: OpenAction) -> None:
        await self.desk.update_action(action.code, UPDATED, ACTOR)

    async def ends(self, action: OpenAction) -> None:
        await self.desk.end_action(action.code, "direct", FOUND, ACTOR)

    async def signs_off(self, name: int) -> None:
        """The participant who subscribed by this number, not the number itself."""
        async with self.store.writing() as session:
            query = (
                select(Participant.id)
                .where(col(Participant.id).in_(_owners(await self.contact_point(name))))
                .order_by(col(Participant.id))
                .limit(1)
            )
            first = (await session.exec(query)).one()
            await session.exec(update(Participant).where(col(Participant.id) == first).values(signed_off_at=now()))

    async def wishes(self, name: int, **values: Any) -> None:
        """Columns of all subscriptions of a number: kinds, wakes, quiet hours."""
        async with self.store.writing() as session:
            this = col(Subscription.contact_point_id) == await self.contact_point(name)
            await session.exec(update(Subscription).where(this).values(**values))

    async def is_somebody(self, name: int, **values: Any) -> None:
        """Columns of all participants who subscribed by a number: exercise, follows, year of birth."""
        async with self.store.writing() as session:
            these = col(Participant.id).in_(_owners(await self.contact_point(name)))
            await session.exec(update(Participant).where(these).values(**values))

    async def opts_out(self, name: int) -> None:
        """The number wants no more messages."""
        async with self.store.writing() as session:
            this = col(ContactPoint.id) == await self.contact_point(name)
            await session.exec(update(ContactPoint).where(this).values(opted_out_at=now()))

    async def contact_point(self, name: int) -> int:
        digests = self.register.digests(number(name))
        async with self.store.reading() as session:
            found = await session.exec(select(ContactPoint.id).where(col(ContactPoint.digest).in_(digests)))
            return found.one() or 0

    async def message(self, action: OpenAction, kind: str = "alert") -> Message:
        """The newest message of this kind."""
        query = select(Message).where(Message.action_id == action.id, Message.kind == kind)
        async with self.store.reading() as session:
            found = (await session.exec(query.order_by(col(Message.id).desc()).limit(1))).first()
        assert found is not None
        return found

    async def rows(self, action: OpenAction, kind: str = "alert") -> list[Row]:
        """The deliveries of a message in the order in which they were written."""
        message = await self.message(action, kind)
        async with self.store.reading() as session:
            query = select(Delivery).where(Delivery.message_id == message.id).order_by(col(Delivery.id))
            written = list(await session.exec(query))
        numbers: dict[int, str] = {}
        for start in range(0, len(written), 500):
            numbers |= await self.register.numbers_of([row.contact_point_id for row in written[start : start + 500]])
        return [
            Row(numbers[row.contact_point_id], row.channel, row.language, row.distance, row.state, row.reason)
            for row in written
        ]

    async def row(self, action: OpenAction, name: int, kind: str = "alert") -> Row:
        (found,) = [row for row in await self.rows(action, kind) if row.to == number(name)]
        return found

    async def attempts(self, name: int | None = None) -> list[Attempt]:
        """Attempts, oldest first; at one number if given."""
        query = select(Attempt).join(Delivery, col(Delivery.id) == Attempt.delivery_id)
        if name is not None:
            query = query.where(Delivery.contact_point_id == await self.contact_point(name))
        async with self.store.reading() as session:
            return list(await session.exec(query.order_by(col(Attempt.started_at), col(Attempt.number))))


async def until(so: Callable[[], Awaitable[bool]], what: str, bound_s: float = BOUND_S) -> None:
    """Returns when `so`; fails with `what` after the bound."""
    try:
        async with asyncio.timeout(bound_s):
            while not await so():  # noqa: ASYNC110 - what is waited for lies in Redis or the database
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"it did not come to this within {bound_s:.0f} s: {what}") from None


def _owners(contact_point_id: int) -> Any:
    return (
        select(Address.participant_id)
        .join(Subscription, col(Subscription.address_id) == Address.id)
        .where(Subscription.contact_point_id == contact_point_id)
    )
