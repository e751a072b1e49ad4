"""`burgernet call` and `burgernet operator number`, as somebody types them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from actions.call_book import CallBook
from actions.desk import Desk, NewAction, Refused
from actions.matching import Match, OpenAction
from actions.models import Audit
from actions.seed import seed
from actions.store import Store
from actions.vault import Vault, Vaults
from tests.inbound.line import ME
from tests.store.rows import all_of
from tests.typed import KEY, Types, settle, types_after

WAV = b"RIFF" + b"\0" * 100
CALL = "burgernet-one-1.1"


@pytest.fixture
def types(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Types:
    settle(tmp_path, sqlite_url, monkeypatch)
    return types_after(monkeypatch=monkeypatch)


@pytest.fixture
def action(sqlite_url: str) -> OpenAction:
    """An action about which somebody called; the talk was recorded, and the operator spoke a note."""

    async def made() -> OpenAction:
        store, vault = Store.open(sqlite_url), Vault({1: KEY})
        await seed(store, ME, 1)
        area = {"type": "circle", "lat": 51.92, "lon": 4.48, "radius": 2000}
        new = NewAction("look_out", "rotterdam", area, {"nl": ("de Golf", "Kijk uit naar een auto.")})
        action = await Desk(store).start_action(new, ME)
        book = CallBook(store, Vaults(vault, vault), Path("unused"))
        await book.matched(CALL, Match(action, "code", 1.0, ()), "nl")
        await book.ended(CALL, "operator hung up")  # what was handed in before is written with it
        await book.keep_sound(CALL, "talk1", WAV, 12.0)
        for _ in range(2):  # a second time keeps nothing more
            await book.keep_sound(CALL, "note2", WAV, 5.0, ("rotterdam-1", action.id, "rotterdam"))
        await store.close()
        return action

    return asyncio.run(made())


def consulted(sqlite_url: str) -> list[str]:
    async def rows() -> list[str]:
        store = Store.open(sqlite_url)
        found = [row.object_kind for row in await all_of(store, Audit) if row.verb == "consult"]
        await store.close()
        return found

    return asyncio.run(rows())


def test_a_recorded_talk_is_listed_and_written_to_a_file_and_that_is_noted(
    types: Types, action: OpenAction, sqlite_url: str, tmp_path: Path
) -> None:
    listed = types("call", "recordings", action.code).stdout
    assert CALL in listed
    assert "12" in listed
    recording = next(word for word in listed.split() if len(word) == 32)

    types("call", "recording", recording, "talk.wav")
    file = tmp_path / "talk.wav"
    assert file.read_bytes() == WAV
    assert file.stat().st_mode & 0o077 == 0
    assert consulted(sqlite_url) == ["recordings of action", "recording"]
    with pytest.raises(Refused, match="there already"):
        types("call", "recording", recording, "talk.wav")


@pytest.mark.usefixtures("action")
def test_a_recording_of_no_talk_is_refused(types: Types) -> None:
    with pytest.raises(Refused, match="no talk has recording"):
        types("call", "recording", "0" * 32, "talk.wav")


def test_typed_and_spoken_notes_are_listed_with_the_action(types: Types, action: OpenAction) -> None:
    types("call", "note", CALL, "--text", "Beller klonk zeker", "--operator", "rotterdam-1")
    listed = types("call", "notes", action.code).stdout
    assert "Beller klonk zeker" in listed
    assert "recording of 5 s" in listed
    assert listed.count("rotterdam-1") == 2


@pytest.mark.usefixtures("action")
def test_a_short_number_is_given_once(types: Types) -> None:
    assert "rotterdam-1 has number 77" in types("operator", "number", "rotterdam-1", "77").stdout
    with pytest.raises(Refused, match="77 is the number of rotterdam-1 already"):
        types("operator", "number", "rotterdam", "77")
