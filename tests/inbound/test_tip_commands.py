"""`burgernet action tips`, `note` and `tip-sound`, as somebody types them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from actions.call_book import CallBook
from actions.desk import Desk, NewAction, Refused
from actions.matching import OpenAction
from actions.models import Audit
from actions.seed import seed
from actions.store import Store
from actions.vault import Vault, Vaults
from tests.inbound.line import ME
from tests.store.rows import all_of
from tests.typed import KEY, Types, settle, types_after

WAV = b"RIFF" + b"\0" * 100
T = TypeVar("T")


@pytest.fixture
def types(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Types:
    settle(tmp_path, sqlite_url, monkeypatch)
    return types_after("action", monkeypatch=monkeypatch)


@pytest.fixture
def action(sqlite_url: str) -> OpenAction:
    """An open action with one recorded tip."""

    async def started(store: Store) -> OpenAction:
        await seed(store, ME, 1)
        area = {"type": "circle", "lat": 51.92, "lon": 4.48, "radius": 2000}
        new = NewAction("look_out", "rotterdam", area, {"nl": ("de Golf", "Kijk uit naar een Golf.")})
        action = await Desk(store).start_action(new, ME)
        vaults = Vaults(Vault({1: KEY}), Vault({1: KEY}))
        await CallBook(store, vaults, Path("unused")).keep_tip("call-1", action.id, action.room_id, WAV, 7.0)
        return action

    return _with_store(sqlite_url, started)


def test_a_note_is_kept_and_listed_with_the_recording(types: Types, action: OpenAction) -> None:
    said = types("note", action.code, "Gezien bij de [bold]brug[/]", "--operator", "rotterdam-1")
    assert said.output == f"The note is kept with action {action.code}.\n"
    listed = types("tips", action.code).output
    assert "Gezien bij de [bold]brug[/]" in listed
    assert "recording of 7 s" in listed
    assert listed.index("brug") < listed.index("recording")


def test_who_read_the_tips_and_why_is_in_the_audit(types: Types, action: OpenAction, sqlite_url: str) -> None:
    types("tips", action.code, "--why", "briefing")
    (row,) = _with_store(sqlite_url, lambda store: all_of(store, Audit, verb="consult"))
    assert (row.origin, row.reason) == ("command line", "briefing")


def test_the_sound_of_a_tip_is_written_to_a_file_that_nobody_else_reads(
    types: Types, action: OpenAction, tmp_path: Path
) -> None:
    tip_id = _sound_id(types("tips", action.code).output)
    file = tmp_path / "tip.wav"
    assert "Remove it" in types("tip-sound", tip_id, str(file)).output
    assert file.read_bytes() == WAV
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(Refused, match="is there already"):
        types("tip-sound", tip_id, str(file))
    with pytest.raises(Refused, match="cannot be written: No such file"):
        types("tip-sound", tip_id, str(tmp_path / "no" / "tip.wav"))


def test_what_is_not_there_is_named(types: Types, action: OpenAction, tmp_path: Path) -> None:
    unknown = "999" if action.code != "999" else "998"
    for words in (("tips", unknown), ("note", unknown, "Gezien")):
        with pytest.raises(Refused, match=f"no action has code '{unknown}'"):
            types(*words)
    with pytest.raises(Refused, match="no tip 'x' has a recording"):
        types("tip-sound", "x", str(tmp_path / "tip.wav"))
    assert not (tmp_path / "tip.wav").exists()


def test_without_tips_it_says_so(types: Types, action: OpenAction) -> None:
    assert types("tips").output == "Every tip has its action.\n"


def _sound_id(listed: str) -> str:
    """The one id in a table: 32 hexadecimal digits, however the table is drawn."""
    (found,) = {word for word in listed.replace("│", " ").split() if len(word) == 32}
    return found


def _with_store(url: str, work: Callable[[Store], Awaitable[T]]) -> T:
    async def run() -> T:
        store = Store.open(url)
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(run())
