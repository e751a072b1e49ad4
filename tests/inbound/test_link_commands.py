"""`burgernet action link` and `call link`, as somebody types them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest

from actions.call_book import CallBook
from actions.desk import Desk, NewAction, Refused
from actions.matching import OpenAction
from actions.models import InboundText, OneTimeLink
from actions.numbers import read_number
from actions.seed import seed
from actions.store import Store
from actions.vault import Vault, Vaults
from tests.inbound.line import ME
from tests.store.rows import all_of
from tests.typed import KEY, Types, settle, types_after

T = TypeVar("T")


@pytest.fixture
def types(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Types:
    settle(tmp_path, sqlite_url, monkeypatch)
    monkeypatch.setenv("BURGERNET_TWILIO_ACCOUNT_SID", "AC1")
    return types_after(monkeypatch=monkeypatch)


@pytest.fixture
def action(sqlite_url: str) -> OpenAction:
    async def started(store: Store) -> OpenAction:
        await seed(store, ME, 1)
        area = {"type": "circle", "lat": 51.92, "lon": 4.48, "radius": 2000}
        words = {"nl": ("de Golf", "Kijk uit naar een Golf.")}
        vaults = Vaults(Vault({1: KEY}), Vault({1: KEY}))
        book = CallBook(store, vaults, Path("unused"))
        await book.arrived("call-1", read_number("+31612345678"), "08000011", datetime.now(UTC))
        return await Desk(store).start_action(NewAction("look_out", "rotterdam", area, words), ME)

    return _with_store(sqlite_url, started)


def test_a_typed_number_gets_a_link_and_stands_nowhere_in_what_is_said(
    types: Types, action: OpenAction, sqlite_url: str
) -> None:
    said = types("action", "link", action.code, "place", typed="06 1234 5678\n")
    assert said.output == "The link is on its way. It works once, for 15 minutes.\n"
    (link,) = _with_store(sqlite_url, lambda store: all_of(store, OneTimeLink))
    assert (link.purpose, link.action_id, link.room_id) == ("place", action.id, "rotterdam")
    with pytest.raises(Refused, match="a link goes to a mobile"):
        types("action", "link", action.code, typed="\n")


def test_the_caller_of_a_call_gets_a_link(types: Types, action: OpenAction, sqlite_url: str) -> None:
    assert types("call", "link", "call-1", "photo").output.startswith("The link is on its way.")
    (text,) = _with_store(sqlite_url, lambda store: all_of(store, InboundText))
    assert (text.answer, text.answer_state) == ("photo_link", "pending")
    with pytest.raises(Refused, match="call 'x' is not known"):
        types("call", "link", "x", "photo")


def test_where_no_texts_leave_it_says_so(types: Types, action: OpenAction, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BURGERNET_TWILIO_ACCOUNT_SID", "")
    with pytest.raises(Refused, match="no texts are sent from here"):
        types("call", "link", "call-1", "photo")


def _with_store(url: str, work: Callable[[Store], Awaitable[T]]) -> T:
    async def run() -> T:
        store = Store.open(url)
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(run())
