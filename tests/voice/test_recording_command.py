"""`burgernet action start --recording FILE`, as somebody types it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from typer.testing import CliRunner

from actions.desk import Refused
from actions.models import Action, Message, MessageSound
from actions.seed import seed
from actions.store import Store
from burgernet.command_line import app
from burgernet.commands import action as command
from telephony.given_sound import fit_for_telephone
from tests.conversations.exchange import ME
from tests.rules.test_given_sound import tone
from tests.store.rows import all_of
from tests.typed import settle

Types = Callable[..., str]
T = TypeVar("T")
START = ("start", "--kind", "look_out", "--region", "rotterdam", "--circle", "51.92,4.48,2000", "--title", "de Golf")


@pytest.fixture
def types(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Types:
    """Typing a command of `burgernet action`; what it prints. Raises what main() would say in red."""
    settle(tmp_path, sqlite_url, monkeypatch)
    _with_store(sqlite_url, lambda store: seed(store, ME, 1))

    def typed(*words: str) -> str:
        result = CliRunner().invoke(app, ["action", *words])
        if result.exception:
            raise result.exception
        return result.output

    return typed


def test_a_recording_is_kept_with_each_message(types: Types, sqlite_url: str, tmp_path: Path) -> None:
    dutch, english = tmp_path / "nl.wav", tmp_path / "en.wav"
    dutch.write_bytes(tone(rate=44100, channels=2, width=3))
    english.write_bytes(tone(seconds=2))
    said = types(*START, "--text", "Kijk uit.", "--text-en", "Look out.", *_given(dutch, english))
    code = re.findall(r"Action (\d{3}) is open", said)[0]
    types("update", code, "--text", "Hij is rood.", "--recording", str(dutch))
    types("end", code, "--outcome", "none", "--text", "Voorbij.", "--recording", str(dutch))

    kept = _with_store(sqlite_url, lambda store: all_of(store, MessageSound))
    dutch_kept, english_kept = (fit_for_telephone(file.read_bytes(), 120) for file in (dutch, english))
    assert sorted((row.message_id, row.language, row.wav) for row in kept) == [
        (1, "en", english_kept),
        (1, "nl", dutch_kept),
        (2, "nl", dutch_kept),
        (3, "nl", dutch_kept),
    ]


def test_all_that_is_wrong_with_recordings_is_said_at_once_and_nothing_changes(
    types: Types, sqlite_url: str, tmp_path: Path
) -> None:
    code = re.findall(r"Action (\d{3}) is open", types(*START, "--text", "Kijk uit."))[0]
    mp3 = tmp_path / "song.mp3"
    mp3.write_bytes(b"ID3\x04" * 100)
    wrong = _given(mp3, tmp_path / "nowhere.wav")
    for words in (START, ("update", code), ("end", code, "--outcome", "none")):
        with pytest.raises(Refused) as refused:
            types(*words, "--text", "Kijk uit.", "--text-en", "Look out.", *wrong)
        assert refused.value.faults == [
            f"the recording {mp3} cannot be used: it is no WAV file of plain samples (PCM): save it as WAV, 16 bit",
            f"the recording {tmp_path / 'nowhere.wav'} cannot be used: there is no such file",
        ]
    (action,) = _with_store(sqlite_url, lambda store: all_of(store, Action))
    assert action.status == "open"
    assert len(_with_store(sqlite_url, lambda store: all_of(store, Message))) == 1


@pytest.mark.parametrize(
    ("seconds", "with_text", "why"),
    [
        (121.0, True, "it lasts 121 s; 120 s at most"),
        (1.0, False, "en: a recording needs its text too"),
    ],
)
def test_too_long_or_without_its_text_is_refused(
    types: Types, tmp_path: Path, seconds: float, with_text: bool, why: str
) -> None:
    english = tmp_path / "en.wav"
    english.write_bytes(tone(seconds=seconds))
    with pytest.raises(Refused, match=why):
        types(*START, "--text", "Kijk uit.", *(["--text-en", "Look."] * with_text), "--recording-en", str(english))


@pytest.mark.parametrize("what", ["folder", "device", "too large"])
def test_what_is_no_file_of_a_usual_size_is_not_even_read(
    types: Types, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    large = tmp_path / "large.wav"
    large.write_bytes(tone())
    monkeypatch.setattr(command, "LARGEST_RECORDING", 1000)
    file = {"folder": tmp_path, "device": Path("/dev/zero"), "too large": large}[what]
    with pytest.raises(Refused, match="it is larger than" if what == "too large" else "there is no such file"):
        types(*START, "--text", "Kijk uit.", "--recording", str(file))


def _given(dutch: Path, english: Path) -> tuple[str, ...]:
    return "--recording", str(dutch), "--recording-en", str(english)


def _with_store(url: str, work: Callable[[Store], Awaitable[T]]) -> T:
    async def run() -> T:
        store = Store.open(url)
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(run())
