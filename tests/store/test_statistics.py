"""Statistics, on both databases: the same numbers whether an action was counted long ago or is going on."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, text
from sqlmodel import col, select, update

from actions import tallies as tallies_module
from actions.books import Actor
from actions.desk import Desk, NewAction
from actions.models import (
    Action,
    Attempt,
    Call,
    Delivery,
    DeliveryState,
    Message,
    Tally,
    Tip,
    now,
)
from actions.statistics import ZONE, Figures, months_until, start_of, statistics, together
from actions.store import Store
from actions.tallies import SETTLED_AFTER, settle
from tests.store.rows import all_of

CIRCLE = {"type": "circle", "lat": 51.9225, "lon": 4.47917, "radius": 2000}
TEXTS = {"nl": ("de blauwe Golf", "Kijk uit naar een blauwe Golf.")}
S = DeliveryState
THIS_MONTH = months_until(None, 1)
MANY = 50_000


async def action(store: Store, actor: Actor, outcome: str | None = None, **columns: Any) -> int:
    """An action with a call after 30 s, two tips, and six people: three of them certainly reached."""
    started = await Desk(store).start_action(NewAction("look_out", "rotterdam", CIRCLE, TEXTS), actor)
    if outcome:
        await Desk(store).end_action(started.id, outcome, TEXTS, actor)
    async with store.writing() as session:
        message = (await session.exec(select(Message).where(Message.action_id == started.id))).first()
        assert message is not None
        states = (
            ("voice", S.CONFIRMED),
            ("sms", S.DELIVERED),
            ("push", S.DELIVERED),
            ("email", S.SENT),
            ("sms", S.FAILED),
            ("sms", S.PENDING),
        )
        for place, (channel, state) in enumerate(states, start=1):
            delivery = Delivery(
                message_id=message.id or 0, contact_point_id=place, channel=channel, language="nl", state=state
            )
            session.add(delivery)
            await session.flush()
            left = started.started_at + timedelta(seconds=place)
            session.add(Attempt(delivery_id=delivery.id or 0, number=1, provider="x", started_at=left, deadline=left))
        came = started.started_at + timedelta(seconds=30)
        for call, direction in (("in", "in"), ("out", "out")):
            arrived = came if direction == "in" else started.started_at
            session.add(
                Call(
                    id=f"{call}-{started.id}",
                    direction=direction,
                    dialled="08000011",
                    caller_kind="mobile",
                    action_id=started.id,
                    arrived_at=arrived,
                )
            )
        session.add_all(Tip(action_id=started.id, source="text") for _ in range(2))
        if columns:
            await session.exec(update(Action).where(col(Action.id) == started.id).values(**columns))
    return started.id


async def over_for_long(store: Store) -> None:
    async with store.writing() as session:
        await session.exec(update(Action).values(ended_at=now() - SETTLED_AFTER - timedelta(minutes=1)))


async def test_an_action_is_counted_with_its_people_calls_tips_and_times(country: Store, actor: Actor) -> None:
    await action(country, actor, "direct")
    (row,) = await statistics(country, THIS_MONTH)
    assert (row.month, row.kind, row.region) == (THIS_MONTH[0], "look_out", "rotterdam")
    figures = row.figures
    assert (figures.actions, figures.ended, figures.direct, figures.indirect) == (1, 1, 1, 0)
    assert (figures.people, figures.reached, figures.calls, figures.tips) == (5, 3, 1, 2)
    assert figures.first_alert_s == pytest.approx(1.0)
    assert figures.first_call_s == pytest.approx(30.0)
    assert (row.figures.direct_share, row.figures.indirect_share) == (1.0, 0.0)


async def test_what_was_counted_and_kept_is_the_same_and_is_kept_once(country: Store, actor: Actor) -> None:
    for outcome in ("direct", "indirect", "none", None):
        await action(country, actor, outcome)
    before = await statistics(country, THIS_MONTH)
    assert not await settle(country)
    assert await all_of(country, Tally) == []
    async with country.writing() as session:
        ended = update(Action).where(col(Action.status) == "ended")
        await session.exec(ended.values(ended_at=now() - SETTLED_AFTER - timedelta(minutes=1)))
    for _ in range(2):
        assert not await settle(country)
    assert len(await all_of(country, Tally)) == 3
    assert await statistics(country, THIS_MONTH) == before
    async with country.writing() as session:  # what is kept needs no deliveries any more
        await session.exec(text("DELETE FROM " + ("attempt" if country.dialect == "sqlite" else "desk.attempt")))  # type: ignore[call-overload]
    (row,) = await statistics(country, THIS_MONTH)
    assert (row.figures.actions, row.figures.alerted) == (4, 3)
    assert (row.figures.direct_share, row.figures.indirect_share) == (1 / 3, 1 / 3)


async def test_exercises_drafts_other_rooms_and_other_months_are_left_out(country: Store, actor: Actor) -> None:
    await action(country, actor, exercise=True)
    await action(country, actor, room_id="limburg")
    await action(country, actor, started_at=start_of(THIS_MONTH[0]) - timedelta(seconds=1))
    (row,) = await statistics(country, THIS_MONTH)
    assert row.figures.actions == 1
    assert await statistics(country, THIS_MONTH, "rotterdam") == []
    assert [one.figures.actions for one in await statistics(country, THIS_MONTH, "limburg")] == [1]
    assert [one.month for one in await statistics(country, months_until(None, 2))] == months_until(None, 2)


async def test_more_than_is_counted_at_once_is_counted_with_the_next(
    country: Store, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tallies_module, "MOST", 1)
    for _ in range(2):
        await action(country, actor, "none")
    await over_for_long(country)
    assert [await settle(country) for _ in range(3)] == [True, True, False]
    assert len(await all_of(country, Tally)) == 2


async def test_fifty_thousand_actions_are_added_up_by_the_database(country: Store) -> None:
    await many(country)
    statements: list[str] = []
    engine = country._engine.sync_engine

    def counts(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", counts)
    months = months_until("2026-03", 3)
    rows = await statistics(country, months)
    assert len([one for one in statements if one.lstrip().startswith("SELECT")]) == 2
    by_month = together(rows, lambda row: row.month)
    assert sum(figures.actions for figures in by_month.values()) == MANY
    assert list(by_month) == months
    hours = {
        month: (start_of(after) - start_of(month)) // timedelta(minutes=2)
        for month, after in itertools.pairwise(months)
    }
    assert {month: by_month[month].actions for month in hours} == hours
    whole = Figures()
    for figures in by_month.values():
        whole.add(figures)
    assert (whole.people, whole.reached, whole.direct, whole.indirect) == (
        MANY * 100,
        MANY * 60,
        MANY // 10,
        MANY * 4 // 10,
    )
    assert (whole.first_alert_s, whole.first_call_s) == (2.0, None)


async def many(store: Store) -> None:
    """Actions that were counted, one every two minutes from the first of January on, local time."""
    sqlite = store.dialect == "sqlite"
    first = start_of("2026-01").astimezone().isoformat()
    at = (
        "datetime('2025-12-31 23:00:00', '+' || (2 * i) || ' minutes') || '.000000'"
        if sqlite
        else f"timestamptz '{first}' + i * interval '2 minutes'"
    )
    action, tally = ("action", "tally") if sqlite else ("desk.action", "desk.tally")
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY - 1})"
    no = "0" if sqlite else "false"
    async with store.writing() as session:
        connection = await session.connection()
        await connection.execute(
            text(
                f"INSERT INTO {action} (id, code, kind, status, organisation_id, room_id, region_id, area, x, y, "
                f"created_at, started_at, ended_at, outcome, exercise) {numbers} SELECT 1000 + i, '', 'look_out', "
                f"'ended', 'politie', 'rotterdam', 'rotterdam', '{{}}', 0, 0, {at}, {at}, {at}, "
                f"CASE WHEN i % 10 = 0 THEN 'direct' WHEN i % 10 < 5 THEN 'indirect' ELSE 'none' END, {no} FROM n"
            )
        )
        await connection.execute(
            text(
                f"INSERT INTO {tally} (action_id, people, reached, calls, tips, first_alert_s) {numbers} "
                "SELECT 1000 + i, 100, 60, 1, 2, 2.0 FROM n"
            )
        )


@given(st.integers(2000, 2098), st.integers(1, 12), st.integers(1, 36))
def test_months_follow_each_other_without_a_gap(year: int, month: int, count: int) -> None:
    months = months_until(f"{year}-{month:02}", count)
    assert (len(months), months[-1]) == (count, f"{year}-{month:02}")
    starts = [start_of(one) for one in months]
    assert all(timedelta(days=27) < b - a < timedelta(days=32) for a, b in itertools.pairwise(starts))


def test_a_month_begins_at_midnight_here() -> None:
    assert start_of("2026-07").isoformat() == "2026-07-01T00:00:00+02:00"
    assert start_of("2026-01") == datetime(2026, 1, 1, tzinfo=ZONE)
    with pytest.raises(ValueError, match="month must be"):
        months_until("2026-13", 1)
