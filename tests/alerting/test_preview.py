"""A look ahead says what is then written: whom, by which channel, when, in which ring."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from redis.asyncio import Redis
from sqlmodel import select

from actions.desk import NewAction, Refused
from actions.models import Action, Audit, Delivery, Message, MessageKind
from actions.options import Options
from alerting.audience import look
from alerting.audience.preview import Carrier, preview
from alerting.bounds import EURO
from alerting.renditions import Notice, text
from tests.alerting.test_audience import polygon, square, write_all
from tests.alerting.test_choosing import quiet_now
from tests.alerting.town import ACTOR, WORDS, Town, circle, somebody

CARRIERS = {"sms": Carrier(100.0, round(0.08 * EURO)), "voice": Carrier(0.5, round(0.02 * EURO))}
NUMBER = "0800-0011"


def asked(**more: object) -> NewAction:
    return NewAction("look_out", "rotterdam", more.pop("area", circle(2000)), WORDS, **more)  # type: ignore[arg-type]


async def populated(town: Town, people: int) -> None:
    """People with one or two addresses and channels, some of them asleep, some signed off."""
    random = Random(8)
    for name in range(people):
        east, north = random.uniform(-2500, 2500), random.uniform(-2500, 2500)
        channels = random.choice([("sms",), ("voice",), ("sms", "voice")])
        places = [(east, north), (random.uniform(-2500, 2500), 0)][: random.choice([1, 1, 2])]
        await town.has(*(somebody(name, *place, channels=channels) for place in places))
        match name % 6:
            case 0 | 1:
                await town.wishes(name, **quiet_now(), wakes=name % 6)
            case 2:
                await town.signs_off(name)
            case 3:
                await town.wishes(name, kinds=2)


@pytest.mark.parametrize("area", [circle(2000), polygon(square(1500), square(400))], ids=["circle", "polygon"])
async def test_what_is_seen_ahead_is_what_is_written(town: Town, redis: Redis, area: dict[str, object]) -> None:
    await populated(town, 60)
    new = asked(area=area, options=Options(min_age=None))
    ahead = await preview(town.store, new, CARRIERS, NUMBER)
    async with town.store.reading() as session:
        for table in (Action, Message, Delivery):
            assert list(await session.exec(select(table))) == []
    await town.desk.start_action(new, ACTOR)
    await write_all(town, redis)
    async with town.store.reading() as session:
        rows = list(await session.exec(select(Delivery)))
    assert ahead.exact
    assert ahead.contact_points == len({row.contact_point_id for row in rows})
    assert 0 < ahead.people <= ahead.contact_points * 2
    now_or_later = Counter((row.channel, row.due_at > row.created_at) for row in rows)
    assert {
        (name, late): count
        for name, channel in ahead.channels.items()
        for late, count in ((False, channel.now), (True, channel.later))
        if count
    } == now_or_later
    assert {ring.number: ring.deliveries for ring in ahead.rings} == Counter(row.ring for row in rows)
    assert ahead.left_asleep == sum(channel.later for channel in ahead.channels.values()) > 0
    assert ahead.woken_by_choice > 0


async def test_it_says_how_long_and_for_how_much(town: Town) -> None:
    await town.has(
        *(somebody(name, name) for name in range(50)), *(somebody(name, channels=("voice",)) for name in range(50, 60))
    )
    ahead = await preview(town.store, asked(), CARRIERS, NUMBER)
    texts, calls = ahead.channels["sms"], ahead.channels["voice"]
    assert texts.seconds == pytest.approx(0.5)
    assert calls.seconds == pytest.approx(20)
    parts = text(Notice(MessageKind.ALERT, "427", "nl", *WORDS["nl"]), NUMBER).segments
    assert texts.micro_euros == pytest.approx(50 * parts * 80_000)
    assert calls.micro_euros == pytest.approx(10 * 20_000)


async def test_a_reason_to_wake_shows_whom_it_wakes(town: Town) -> None:
    await town.has(somebody(1), somebody(2), somebody(3))
    await town.wishes(1, **quiet_now(), wakes=0)
    await town.wishes(2, **quiet_now(), wakes=1)
    ahead = await preview(town.store, asked(options=Options("life in danger")), CARRIERS, NUMBER)
    assert (ahead.woken_for_reason, ahead.woken_by_choice, ahead.left_asleep) == (1, 1, 0)
    assert ahead.channels["sms"].now == 3


async def test_of_a_large_ring_a_part_is_looked_at_and_reckoned_up(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look, "LOOKED_AT", 40)
    random = Random(4)
    await town.has(*(somebody(name, random.uniform(-1400, 1400), random.uniform(-1400, 1400)) for name in range(300)))
    ahead = await preview(town.store, asked(), CARRIERS, NUMBER)
    assert not ahead.exact
    assert ahead.contact_points == pytest.approx(300, rel=0.05)


async def test_what_cannot_be_started_cannot_be_looked_at(town: Town) -> None:
    with pytest.raises(Refused) as refused:
        await preview(town.store, NewAction("theft", "nowhere", {"type": "circle"}, {}), CARRIERS, NUMBER)
    assert len(refused.value.faults) >= 4
    async with town.store.reading() as session:
        assert [row for row in await session.exec(select(Audit)) if row.object_kind == "action"] == []
