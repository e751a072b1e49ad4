"""A newcomer's path on the command line, on SQLite, and what it says when something is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from burgernet.settings import Settings
from tests.truth.conftest import Command
from tests.truth.running import running

TOWN = ("--kind", "look_out", "--region", "rotterdam", "--circle", "51.9225,4.4792,2000", "--title", "de blauwe Golf")


def test_a_newcomer_comes_from_an_empty_folder_to_an_action_that_has_ended(
    burgernet: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BURGERNET_DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path}/new/burgernet.db")
    assert burgernet("db", "upgrade")[0] == 0
    assert burgernet("seed")[0] == 0
    assert burgernet("seed") == (0, "0 rows added.\n")
    assert "50 synthetic participants added." in burgernet("participants", "generate", "50")[1]
    assert burgernet("operator", "sign-on", "rotterdam-1") == (0, "rotterdam-1 is on duty in room rotterdam.\n")
    status, said = burgernet("action", "start", *TOWN, "--text", "Kijk uit naar een blauwe Golf.")
    assert status == 0
    code = said.split()[1]
    assert code in burgernet("action", "list", "--status", "open")[1]
    assert burgernet("action", "update", code, "--text", "De Golf rijdt nu naar het zuiden.")[0] == 0
    assert burgernet("action", "end", code, "--outcome", "direct", "--text", "De Golf is gevonden.")[0] == 0
    assert code not in burgernet("action", "list", "--status", "open")[1]
    assert burgernet("operator", "sign-off", "rotterdam-1") == (0, "rotterdam-1 is off duty.\n")
    assert burgernet("keys", "rotate")[0] == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("action", "end", "999", "--outcome", "none", "--text", "Klaar."), "999"),
        (("action", "update", "999", "--text", "Nieuws."), "999"),
        (("action", "start", *TOWN[:4], "--title", "x", "--text", "Kijk uit."), "--circle"),
        (("action", "start", *TOWN[:4], "--circle", "hier", "--title", "x", "--text", "Kijk uit."), "LAT,LON,METRES"),
        (("action", "start", *TOWN[:4], "--area", "none.json", "--title", "x", "--text", "Kijk uit."), "none.json"),
        (("action", "start", *TOWN, "--text", ""), "text"),
        (("action", "start", *TOWN, "--text", "x" * 10_000), "at most 1000"),
        (("action", "start", "--kind", "look_out", "--region", "nowhere", *TOWN[4:], "--text", "Kijk uit."), "nowhere"),
        (("operator", "sign-on", "nobody"), "nobody"),
        (("participants", "import", "none.csv"), "none.csv"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line_without_a_traceback(
    burgernet: Command, words: tuple[str, ...], says: str
) -> None:
    status, said = burgernet(*words)
    assert status == 1
    # Advice on a message may stand before it.
    assert any(line.startswith("burgernet: ") for line in said.splitlines())
    assert says in said
    assert "Traceback" not in said


def test_settings_that_are_missing_are_all_named(burgernet: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    required = ("REDIS_URL", "REGISTER_KEYS", "POLICE_KEYS", "ARI_PASSWORD", "AMI_PASSWORD", "SIP_SECRET")
    for name in required:
        monkeypatch.delenv(f"BURGERNET_{name}")
    status, said = burgernet("run")
    assert status == 1
    for name in required:
        assert f"BURGERNET_{name}" in said


def test_a_new_key_is_fresh_every_time_and_needs_no_settings(
    burgernet: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BURGERNET_REDIS_URL")
    keys = {burgernet("keys", "new") for _ in range(3)}
    assert len(keys) == 3
    assert {status for status, _ in keys} == {0}


def test_a_role_alone_is_refused_on_sqlite(burgernet: Command) -> None:
    status, said = burgernet("run", "--role", "telephony")
    assert (status, said) == (
        1,
        "burgernet: roles apart need PostgreSQL: set BURGERNET_DATABASE_URL, or run without --role\n",
    )


async def test_a_second_run_on_the_same_sqlite_file_is_refused(
    settings: Settings, burgernet: Command, tmp_path: Path
) -> None:
    here = settings.model_copy(update={"sounds_dir": tmp_path, "redis_url": "redis://127.0.0.1:1/0"})
    with running(here, tmp_path) as first:
        first.starts()
        await first.says("Redis does not answer")
        with running(here, tmp_path / "second") as second:
            second.starts()
            await second.says("another process runs on")
            assert second.ends_by_itself() == 1
