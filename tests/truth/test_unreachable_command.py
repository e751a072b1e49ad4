"""`burgernet participants unreachable`, as typed: counts on the screen, numbers only in a file of one's own."""

from __future__ import annotations

import asyncio
import csv
import stat
from pathlib import Path

import pytest
from sqlmodel import col, select, update

from actions.books import Actor
from actions.desk import Refused
from actions.models import Audit, ContactPoint, now
from actions.register import Register
from actions.store import Store
from actions.vault import Vault
from tests.store.people import JAN, PIET, entry
from tests.typed import KEY, Types, settle, types_after

ME = Actor("tester", "tests", "to see that it works")


@pytest.fixture
def typed(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Types:
    settle(tmp_path, sqlite_url, monkeypatch)
    asyncio.run(two_people(sqlite_url))
    return types_after("participants", monkeypatch=monkeypatch)


async def two_people(url: str) -> None:
    """Two participants; the number of the first is not in use any more."""
    store = Store.open(url)
    register = Register(store, Vault({1: KEY}))
    await register.add([entry(JAN), entry(PIET)], ME)
    async with store.writing() as session:
        gone = col(ContactPoint.digest).in_(register.digests(JAN))
        why = "this number is not in use"
        await session.exec(
            update(ContactPoint).where(gone).values(unreachable_since=now(), unreachable_why=why, unreachable_times=1)
        )
    await store.close()


async def verbs(url: str) -> list[str]:
    store = Store.open(url)
    async with store.reading() as session:
        found = list(await session.exec(select(Audit.verb).order_by(col(Audit.id))))
    await store.close()
    return found


def test_they_are_counted_by_reason_without_a_number(typed: Types) -> None:
    said = typed("unreachable").output
    assert "this number is not in use" in said
    assert "mobile" in said
    assert JAN not in said


def test_the_export_is_for_its_owner_alone_and_audited(typed: Types, sqlite_url: str, tmp_path: Path) -> None:
    file = tmp_path / "gone.csv"
    assert typed("unreachable", "--file", str(file)).output.startswith("1 written to ")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    heading, row = csv.reader(file.read_text("utf-8").splitlines())
    assert heading[2] == "address"
    assert row[1:3] == ["mobile", JAN]
    assert row[4] == "this number is not in use"
    assert asyncio.run(verbs(sqlite_url))[-1] == "export"
    with pytest.raises(Refused, match="name a new file"):
        typed("unreachable", "--file", str(file))
    assert typed("reachable", row[0]).output == f"Contact point {row[0]} is alerted again.\n"
    assert JAN not in typed("unreachable").output
    assert asyncio.run(verbs(sqlite_url))[-1] == "find reachable"


def test_a_contact_point_that_is_not_there_is_refused(typed: Types) -> None:
    with pytest.raises(Refused, match="there is no contact point 999"):
        typed("reachable", "999")
