"""`burgernet action watch`, `action report`, `action extend` and `statistics`, as typed."""

from __future__ import annotations

import asyncio
import csv
import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from sqlmodel import select, update

from actions.books import Actor
from actions.desk import Desk, NewAction, Refused
from actions.models import Delivery, DeliveryState, Message
from actions.reach import Counted, Reach
from actions.seed import seed
from actions.statistics import months_until
from actions.store import Store
from actions.waves import Wave
from burgernet.commands.statistics import beside
from burgernet.commands.watch import drawn
from tests.typed import Types, settle, types_after

ME = Actor("tester", "tests", "to see that it works")
CIRCLE = {"type": "circle", "lat": 51.9225, "lon": 4.47917, "radius": 2000}
TEXTS = {"nl": ("de blauwe Golf", "Kijk uit naar een blauwe Golf.")}


@pytest.fixture
def typed(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Types:
    settle(tmp_path, sqlite_url, monkeypatch)
    return types_after(monkeypatch=monkeypatch)


async def an_action(url: str, *, over: bool) -> str:
    """An action of whose alert four deliveries are decided, in two rings; its code."""
    store = Store.open(url)
    await seed(store, ME, 1)
    started = await Desk(store).start_action(NewAction("look_out", "rotterdam", CIRCLE, TEXTS), ME)
    if over:
        await Desk(store).end_action(started.id, "direct", TEXTS, ME)
    states = (DeliveryState.CONFIRMED, DeliveryState.MACHINE, DeliveryState.DELIVERED, DeliveryState.FAILED)
    async with store.writing() as session:
        message = (await session.exec(select(Message).order_by(Message.id))).first()  # type: ignore[arg-type]
        assert message is not None
        await session.exec(update(Message).values(audience_written_at=message.created_at))
        for place, state in enumerate(states):
            session.add(
                Delivery(
                    message_id=message.id or 0,
                    contact_point_id=place,
                    channel="voice" if place < 2 else "sms",
                    language="nl",
                    state=state,
                    ring=1 + place // 2,
                )
            )
    await store.close()
    return started.code


def test_a_wave_that_is_over_is_told_in_lines_and_the_command_ends(typed: Types, sqlite_url: str) -> None:
    code = asyncio.run(an_action(sqlite_url, over=True))
    said = typed("action", "watch", code, "--interval", "0.2").output
    assert said == f"{code} ended: alert of 4: 2 reached, 1 perhaps, 1 not reached; 0 calls, 0 tips\n"


def test_the_report_shows_rings_channels_and_people(typed: Types, sqlite_url: str) -> None:
    code = asyncio.run(an_action(sqlite_url, over=False))
    said = typed("action", "report", code).output
    for words in ("ring 1", "ring 2", "voice", "sms", "█", "▓", "×", "people, by the best of each", "1 alert: failed"):
        assert words in said, words


def test_an_action_is_extended_by_its_code(typed: Types, sqlite_url: str) -> None:
    code = asyncio.run(an_action(sqlite_url, over=False))
    assert f"Action {code} stays open until" in typed("action", "extend", code, "600").output
    with pytest.raises(Refused, match="stays open until"):
        typed("action", "extend", code, "5")


@pytest.mark.parametrize("command", ["watch", "report"])
def test_a_code_that_nobody_has_is_refused(typed: Types, sqlite_url: str, command: str) -> None:
    asyncio.run(an_action(sqlite_url, over=True))
    with pytest.raises(Refused, match="no action has code '999'"):
        typed("action", command, "999")


def test_statistics_are_shown_beside_the_goal_and_as_csv(typed: Types, sqlite_url: str) -> None:
    asyncio.run(an_action(sqlite_url, over=True))
    said = typed("statistics").output
    assert "the goal: 10% direct, 40% indirect" in said
    assert "100%" in said
    month = months_until(None, 1)[0]
    heading, row = csv.reader(typed("statistics", "--csv", "--month", month).output.splitlines())
    found = dict(zip(heading, row, strict=True))
    assert (found["month"], found["region"], found["direct"], found["people"]) == (month, "rotterdam", "1", "4")
    assert "no action started" in typed("statistics", "--month", "2025-01").output
    with pytest.raises(Refused, match="is not a month"):
        typed("statistics", "--month", "2025-13")


def test_a_share_stands_beside_a_mark_where_the_goal_is() -> None:
    assert beside(None, 0.1) == "··········|··········"
    assert beside(0.1, 0.1) == "██████████|··········"
    assert beside(0.9, 0.1) == "██████████|██████████"


def test_a_wave_is_drawn_by_channel_and_ring() -> None:
    ring: Any = Counted(human=3, waiting=1)
    reach = Reach(human=3, waiting=1, message_id=1, message_kind="alert", ways={"voice": ring}, rings={1: ring})
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(drawn(Wave(1, "427", "rotterdam", "open", False, [reach], calls=2, tips=1, pace=12.4)))
    said = console.export_text()
    for words in ("Action 427, open: 2 calls, 1 tips, 12 a minute", "voice", "ring 1", "█", "░"):
        assert words in said
