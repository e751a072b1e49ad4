"""An action's time, on both databases: it ends by itself exactly once, unless somebody ends or extends it first."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis
from sqlmodel import col, update

from actions.books import Actor
from actions.desk import LIFETIME, LONGEST_OPEN, Desk, NewAction, OutOfStep, Refused
from actions.drafts import Drafts
from actions.endings import CLOSED, NO_LONGER, Endings, Reminders, without_result
from actions.models import Action, Kind, Message, MessageText, now
from actions.store import Store
from alerting.endings import end_overdue, remind
from tests.store.rows import all_of, audited, told

CIRCLE = {"type": "circle", "lat": 51.9225, "lon": 4.47917, "radius": 2000}
TEXTS = {"nl": ("de blauwe Golf", "Kijk uit naar een blauwe Golf."), "en": ("the blue Golf", "Look for a blue Golf.")}
RESULT = {"nl": ("de blauwe Golf", "De auto is gevonden. Dank u wel.")}
NEW = NewAction("look_out", "rotterdam", CIRCLE, TEXTS)
HOUR = timedelta(hours=1)


@pytest.fixture
def desk(country: Store) -> Desk:
    return Desk(country)


@pytest.fixture
def endings(country: Store) -> Endings:
    return Endings(country)


async def make(store: Store, action_id: int, **columns: Any) -> None:
    async with store.writing() as session:
        await session.exec(update(Action).where(col(Action.id) == action_id).values(**columns))


async def only(store: Store) -> Action:
    (action,) = await all_of(store, Action)
    return action


def close(one: datetime | None, other: datetime) -> bool:
    return one is not None and abs(one - other) < timedelta(minutes=1)


@pytest.mark.parametrize("kind", Kind)
async def test_an_action_stays_open_as_long_as_its_alert_is_worth_sending(
    desk: Desk, country: Store, actor: Actor, kind: Kind
) -> None:
    await desk.start_action(replace(NEW, kind=kind), actor)
    action = await only(country)
    assert action.started_at is not None
    assert action.ends_at == action.started_at + LIFETIME[kind]


async def test_what_is_said_at_the_start_goes_before_what_is_set_for_the_kind(country: Store, actor: Actor) -> None:
    desk, drafts = Desk(country, {**LIFETIME, Kind.LOOK_OUT: HOUR}), Drafts(country, {Kind.LOOK_OUT: HOUR})
    await desk.start_action(NEW, actor)
    await desk.start_action(replace(NEW, ends_after=2 * HOUR), actor)
    made = await drafts.make(NEW, actor)
    await drafts.start(made.action.id or 0, actor, ends_after=3 * HOUR)
    await drafts.start((await drafts.make(NEW, actor)).action.id or 0, actor)
    await drafts.make(replace(NEW, ends_after=4 * HOUR), actor, start=True)
    open_for = [round(((a.ends_at or now()) - (a.started_at or now())) / HOUR) for a in await all_of(country, Action)]
    assert open_for == [1, 2, 3, 1, 4]


@pytest.mark.parametrize("open_for", [timedelta(0), timedelta(seconds=59), -HOUR, LONGEST_OPEN + HOUR])
async def test_a_time_that_makes_no_sense_is_refused(
    desk: Desk, endings: Endings, country: Store, actor: Actor, open_for: timedelta
) -> None:
    started = await desk.start_action(NEW, actor)
    drafts = Drafts(country)
    draft = (await drafts.make(NEW, actor)).action.id or 0
    for refused in (
        desk.start_action(replace(NEW, ends_after=open_for), actor),
        drafts.start(draft, actor, ends_after=open_for),
        endings.extend(started.id, open_for, actor),
    ):
        with pytest.raises(Refused, match="stays open for 1 minute to 20160 minutes"):
            await refused


async def test_an_action_whose_time_is_over_ends_without_result_in_each_language_of_its_alert(
    desk: Desk, country: Store, actor: Actor, redis: Redis, endings: Endings
) -> None:
    started = await desk.start_action(NEW, actor)
    await end_overdue(endings, redis)
    assert (await only(country)).status == "open"
    await make(country, started.id, ends_at=now())
    await end_overdue(endings, redis)
    action = await only(country)
    assert (action.status, action.outcome) == ("ended", "none")
    assert action.ended_at is not None
    result = max(await all_of(country, Message), key=lambda message: message.id or 0)
    assert result.kind == "result"
    words = {
        row.language: (row.title, row.body) for row in await all_of(country, MessageText) if row.message_id == result.id
    }
    assert words == {"nl": ("de blauwe Golf", NO_LONGER["nl"]), "en": ("the blue Golf", NO_LONGER["en"])}
    assert (await audited(country))[-1] == (
        "burgernet",
        "alerting role",
        "end",
        "action",
        "its time was over and nobody ended it",
    )
    assert await told(country) == ["action.started", "action.ended"]


async def test_an_action_that_an_earlier_version_started_gets_an_end_counted_from_now(
    desk: Desk, country: Store, actor: Actor, endings: Endings
) -> None:
    started = await desk.start_action(NEW, actor)
    await endings.give_ends({Kind.LOOK_OUT: HOUR})
    assert (await told(country)) == ["action.started"]
    await make(country, started.id, ends_at=None, started_at=now() - 9 * HOUR)
    await endings.give_ends({Kind.LOOK_OUT: HOUR})
    action = await only(country)
    assert action.status == "open"
    assert close(action.ends_at, now() + HOUR)
    assert (await audited(country))[-1][2] == "extend"
    assert (await told(country))[-1] == "action.extended"


async def test_of_several_workers_one_ends_it_and_an_operator_at_the_same_moment_is_told_so(
    desk: Desk, country: Store, actor: Actor, redis: Redis, endings: Endings
) -> None:
    started = await desk.start_action(NEW, actor)
    await make(country, started.id, ends_at=now())
    workers = [end_overdue(Endings(country), redis) for _ in range(4)]
    outcomes = await asyncio.gather(
        desk.end_action(started.id, "direct", RESULT, actor), *workers, return_exceptions=True
    )
    action = await only(country)
    refused = isinstance(outcomes[0], OutOfStep)
    assert action.outcome == ("none" if refused else "direct")
    assert [type(fault) for fault in outcomes[1:]] == [bool] * 4
    assert [message.kind for message in await all_of(country, Message)] == ["alert", "result"]


async def test_an_action_that_was_extended_meanwhile_does_not_end(
    desk: Desk, country: Store, actor: Actor, redis: Redis, endings: Endings
) -> None:
    started = await desk.start_action(NEW, actor)
    await make(country, started.id, ends_at=now(), reminded_at=now())
    until = await endings.extend(started.code, 2 * HOUR, actor)
    assert not await endings.end_itself(started.id)
    action = await only(country)
    assert (action.status, action.ends_at, action.reminded_at) == ("open", until, None)
    assert close(until, now() + 2 * HOUR)
    assert (await audited(country))[-1][2] == "extend"
    assert (await told(country))[-1] == "action.extended"


async def test_an_extension_never_shortens_and_comes_too_late_for_an_ended_one(
    desk: Desk, actor: Actor, endings: Endings
) -> None:
    started = await desk.start_action(NEW, actor)
    with pytest.raises(Refused, match="stays open until"):
        await endings.extend(started.id, HOUR, actor)
    await desk.end_action(started.id, "none", RESULT, actor)
    with pytest.raises(OutOfStep, match="only an open action can be extended"):
        await endings.extend(started.id, HOUR, actor)


async def test_a_room_is_reminded_after_half_the_time_and_again_and_again(
    desk: Desk, country: Store, actor: Actor, endings: Endings
) -> None:
    started = await desk.start_action(NEW, actor)
    reminders = Reminders(again=timedelta(minutes=30))
    await remind(endings, reminders)
    assert await endings.long_open(reminders) == []
    await make(country, started.id, started_at=now() - 3 * HOUR, ends_at=now() + HOUR)
    for _ in range(3):
        await remind(endings, reminders)
    assert (await told(country)).count("action.reminded") == 1
    await make(country, started.id, reminded_at=now() - timedelta(minutes=31))
    await asyncio.gather(*(remind(endings, reminders) for _ in range(3)))
    assert (await told(country)).count("action.reminded") == 2
    assert [one.room_id for one in await endings.long_open(reminders)] == ["rotterdam"]


@given(
    share=st.floats(0.01, 1),
    minutes=st.integers(1, 20_000),
    passed=st.floats(0, 2),
    since=st.none() | st.integers(0, 120),
    again=st.integers(1, 60),
)
def test_a_reminder_is_due_after_its_share_and_not_within_the_pause(
    share: float, minutes: int, passed: float, since: int | None, again: int
) -> None:
    start = now()
    moment = start + timedelta(minutes=minutes) * passed
    last = None if since is None else moment - timedelta(minutes=since)
    reminders = Reminders({Kind.AMBER: share}, timedelta(minutes=again))
    due = reminders.due("amber", start, start + timedelta(minutes=minutes), last, moment)
    early = moment < start + timedelta(minutes=minutes) * share
    assert due == (not early and (since is None or since >= again))


@pytest.mark.parametrize("kind", Kind)
def test_the_words_of_an_end_without_result_fit_the_kind(kind: Kind) -> None:
    assert without_result(kind, TEXTS)["en"] == ("the blue Golf", CLOSED.get(kind, NO_LONGER)["en"])
