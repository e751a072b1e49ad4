"""The result goes to everybody who was alerted, by the same channel, once: on both databases, whatever the channel."""

from __future__ import annotations

from dataclasses import replace

from redis.asyncio import Redis
from sqlmodel import col, select, update

from actions.endings import Endings
from actions.models import Action, Delivery, DeliveryState, now
from alerting.audience import write_next
from alerting.endings import end_overdue
from alerting.fallback import write_fallbacks
from tests.alerting.test_notices_fall_back import telephone, watches
from tests.alerting.town import ACTOR, Town, somebody

S = DeliveryState


async def written(town: Town, redis: Redis) -> None:
    while await write_next(town.store, redis):
        pass


async def test_the_result_follows_every_alert_that_left_by_its_channel_once(town: Town, redis: Redis) -> None:
    mailbox = replace(
        somebody(5), e164=None, kind=None, channels=frozenset({"email"}), mail="jan@example.org", participant="five"
    )
    people = [
        somebody(1, channels=("sms", "voice")),
        somebody(2, channels=("voice",)),
        watches(3),
        watches(4),
        mailbox,
        somebody(6),
        telephone(7, 0, ("voice",)),
    ]
    await town.register.add(people, ACTOR)
    action = await town.looks_out()
    await written(town, redis)
    message = await town.message(action)
    async with town.store.writing() as session:
        rows = list(await session.exec(select(Delivery).where(Delivery.message_id == message.id)))
        states = {"sms": S.DELIVERED, "voice": S.CONFIRMED, "push": S.DELIVERED, "email": S.SENT}
        for row in rows:
            row.state = states[row.channel]
        never, unanswered = await town.contact_point(6), await town.contact_point(7)
        for row in rows:
            if row.contact_point_id == never:
                row.state = S.PENDING
            if row.contact_point_id == unanswered:
                row.state = S.NO_ANSWER
    await write_fallbacks(town.store, redis)
    async with town.store.writing() as session:
        text = (col(Delivery.contact_point_id) == unanswered) & (col(Delivery.channel) == "sms")
        await session.exec(update(Delivery).where(text).values(state=S.DELIVERED))
        await session.exec(update(Action).values(ends_at=now()))
    await end_overdue(Endings(town.store), redis)
    await written(town, redis)
    result = await town.message(action, "result")
    async with town.store.reading() as session:
        query = select(Delivery.channel, Delivery.contact_point_id).where(Delivery.message_id == result.id)
        told = sorted((await session.exec(query)).all())
        alerted = select(Delivery.channel, Delivery.contact_point_id).where(
            Delivery.message_id == message.id, col(Delivery.state).not_in((S.PENDING, S.CANCELLED))
        )
        left = sorted((await session.exec(alerted)).all())
    # Whoever was texted after a call that nobody took hears the rest by text alone.
    assert told == [one for one in left if one != ("voice", unanswered)]
    assert [channel for channel, _ in told].count("sms") == 2
    assert len(told) == 7
