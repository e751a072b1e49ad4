"""A text for whom no notice was shown, on both databases: at a telephone of the same person, nobody twice."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from redis.asyncio import Redis
from sqlmodel import col, select, update

from actions.contacts import read_browser
from actions.entry import Entry
from actions.matching import OpenAction
from actions.models import Action, ContactPoint, Delivery, DeliveryState, Kind, MessageKind, Subscription, now
from alerting.audience import write_next
from alerting.fall_backs import NOT_SHOWN, NOTICES
from alerting.fallback import write_fallbacks
from tests.alerting.town import ACTOR, Town, number, somebody

FAR = 50_000
LONG_AGO = 2 * NOT_SHOWN


def browser(name: int) -> str:
    """A push subscription of somebody."""
    keys = {"p256dh": key(65), "auth": key(16)}
    return read_browser(json.dumps({"endpoint": f"https://push.example.org/{name}", "keys": keys}))


def key(size: int) -> str:
    return base64.urlsafe_b64encode(bytes(size)).rstrip(b"=").decode()


def watches(name: int, device: int = 0) -> Entry:
    """Somebody's browser, in the middle of the town."""
    return replace(
        somebody(name),
        e164=None,
        kind=None,
        channels=frozenset({"push"}),
        participant=f"person {name}",
        browser=browser(100 * name + device),
    )


def telephone(name: int, east: float = FAR, channels: tuple[str, ...] = ("sms",)) -> Entry:
    """The same person's telephone, far from there unless said."""
    return replace(somebody(name, east, channels=channels), participant=f"person {name}")


async def told(town: Town, redis: Redis, *people: Entry) -> OpenAction:
    await town.register.add(people, ACTOR)
    action = await town.looks_out()
    await written(town, redis)
    return action


async def written(town: Town, redis: Redis) -> None:
    while await write_next(town.store, redis):
        pass


async def becomes(town: Town, state: str, ago: timedelta = LONG_AGO, channel: str = "push", most: int = 99) -> None:
    """What became of the notices so far, and how long ago."""
    async with town.store.writing() as session:
        ids = select(Delivery.id).where(Delivery.channel == channel).order_by(col(Delivery.id)).limit(most)
        found = list(await session.exec(ids))
        these = update(Delivery).where(col(Delivery.id).in_(found))
        await session.exec(these.values(state=state, changed_at=now() - ago))


async def texts(town: Town, redis: Redis, action: OpenAction, kind: str = "alert") -> list[str]:
    """Who is texted, after three looks."""
    for _ in range(3):
        await write_fallbacks(town.store, redis)
    message = await town.message(action, kind)
    async with town.store.reading() as session:
        query = select(Delivery.contact_point_id).where(Delivery.message_id == message.id, Delivery.channel == "sms")
        contacts = list(await session.exec(query))
    return sorted((await town.register.numbers_of(contacts)).values())


@pytest.mark.parametrize("ago", [timedelta(0), LONG_AGO])
@pytest.mark.parametrize("state", DeliveryState)
async def test_a_text_follows_as_the_rule_says(town: Town, redis: Redis, state: str, ago: timedelta) -> None:
    action = await told(town, redis, watches(1), telephone(1))
    await becomes(town, state, ago)
    due = NOTICES.due(MessageKind.ALERT, state, ago)
    assert await texts(town, redis, action) == ([number(1)] if due else [])


async def test_each_person_is_texted_at_an_own_telephone_and_who_has_none_is_not(town: Town, redis: Redis) -> None:
    people = [watches(1), telephone(1), watches(2), watches(3), telephone(3)]
    action = await told(town, redis, *people)
    await becomes(town, "sent")
    assert await texts(town, redis, action) == [number(1), number(3)]


async def test_who_gets_a_text_or_a_call_anyhow_gets_no_second_one(town: Town, redis: Redis) -> None:
    called = telephone(2, 0, ("voice",))
    action = await told(town, redis, watches(1), telephone(1, 0), watches(2), called, telephone(2))
    await becomes(town, "failed")
    assert await texts(town, redis, action) == [number(1)]


async def test_who_has_two_browsers_is_texted_only_when_neither_showed_it(town: Town, redis: Redis) -> None:
    action = await told(town, redis, watches(1), watches(1, device=1), telephone(1))
    await becomes(town, "delivered")
    await becomes(town, "failed", most=1)
    assert await texts(town, redis, action) == []
    await becomes(town, "sent")
    assert await texts(town, redis, action) == [number(1)]


@pytest.mark.parametrize("why", ["opted out", "unreachable", "other kinds", "asleep", "exercise", "ended"])
async def test_nobody_is_texted_who_does_not_want_it_or_cannot_be(town: Town, redis: Redis, why: str) -> None:
    action = await told(town, redis, watches(1), telephone(1))
    await becomes(town, "failed")
    async with town.store.writing() as session:
        mobile = col(ContactPoint.kind) == "mobile"
        texted = col(Subscription.channel) == "sms"
        match why:
            case "opted out":
                await session.exec(update(ContactPoint).where(mobile).values(opted_out_at=now()))
            case "unreachable":
                await session.exec(update(ContactPoint).where(mobile).values(unreachable_since=now()))
            case "other kinds":
                await session.exec(update(Subscription).where(texted).values(kinds=Kind.AMBER.bit))
            case "asleep":
                await session.exec(update(Subscription).where(texted).values(quiet_from=1, quiet_until=0))
                await session.exec(update(Subscription).where(texted).values(wakes=0))
            case "exercise":
                await session.exec(update(Action).values(exercise=True))
    if why == "ended":
        await town.ends(action)
    assert await texts(town, redis, action) == []


@pytest.mark.parametrize("woken", ["by choice", "for a reason"])
async def test_who_may_be_woken_is_texted_at_night(town: Town, redis: Redis, woken: str) -> None:
    action = await told(town, redis, watches(1), telephone(1))
    await becomes(town, "failed")
    async with town.store.writing() as session:
        wakes = Kind.LOOK_OUT.bit if woken == "by choice" else 0
        await session.exec(update(Subscription).values(quiet_from=1, quiet_until=0, wakes=wakes))
        if woken == "for a reason":
            await session.exec(update(Action).values(quiet_reason="a life is in danger"))
    assert await texts(town, redis, action) == [number(1)]


async def test_the_text_stands_in_the_ring_of_the_notice(town: Town, redis: Redis) -> None:
    await told(town, redis, watches(1), telephone(1))
    async with town.store.writing() as session:
        await session.exec(update(Delivery).values(ring=3))
    await becomes(town, "failed")
    await write_fallbacks(town.store, redis)
    async with town.store.reading() as session:
        (text,) = await session.exec(select(Delivery).where(Delivery.channel == "sms"))
    assert (text.ring, text.state, text.language) == (3, "pending", "nl")


@pytest.mark.parametrize("kind", ["update", "result"])
@pytest.mark.parametrize(("shown", "channels"), [(False, ["sms"]), (True, ["push", "sms"])])
async def test_who_was_texted_instead_hears_what_follows_by_text_alone_unless_the_notice_was_shown_after_all(
    town: Town, redis: Redis, kind: str, shown: bool, channels: list[str]
) -> None:
    action = await told(town, redis, watches(1), telephone(1), watches(2))
    await becomes(town, "sent")
    assert await texts(town, redis, action) == [number(1)]
    await becomes(town, "delivered", channel="sms")
    if shown:
        await becomes(town, "delivered")
    await (town.updates(action) if kind == "update" else town.ends(action))
    await written(town, redis)
    message = await town.message(action, kind)
    other = await contact_of_browser(town, 2)
    async with town.store.reading() as session:
        query = select(Delivery.channel, Delivery.contact_point_id).where(Delivery.message_id == message.id)
        rows = (await session.exec(query)).all()
    # An update goes to whoever is there too, as if it were the first that they hear.
    expected = channels if kind == "result" else ["push", "sms"]
    assert sorted(channel for channel, contact in rows if contact != other) == expected
    assert [channel for channel, contact in rows if contact == other] == ["push"]


async def contact_of_browser(town: Town, name: int) -> int:
    digests = town.register.digests(browser(100 * name))
    async with town.store.reading() as session:
        found = await session.exec(select(ContactPoint.id).where(col(ContactPoint.digest).in_(digests)))
        return found.one() or 0
