"""Commands that move data, as typed: a list of participants taken in, keys rotated, a configuration for another
machine."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TypeVar

import pytest
from sqlmodel import SQLModel, select

from actions.call_book import CALLER
from actions.models import Audit, Call, ContactPoint, now
from actions.numbers import read_number
from actions.store import Store
from actions.vault import Sealed, Vault, new_key, read_keys
from burgernet.base import opened
from burgernet.settings import Settings
from tests.truth.conftest import Command

T = TypeVar("T", bound=SQLModel)

GOOD = [
    "nl,3011AB,51.9225,4.4792,0612345678,sms",
    "en,2511,52.07,4.3,+31687654321,sms voice",
    "nl,6211,50.85,5.69,0433123456,voice",
]
BAD = {
    3: ("de,3011,51.9225,4.4792,0611111111,sms", "language must be nl or en"),
    5: ("nl,3011,0,0,0622222222,sms", "a place in the Netherlands"),
    6: ("nl,3011,51.9225,4.4792,112,sms", "mobile must be a Dutch telephone number"),
    7: ("nl,6211,50.85,5.69,0433123457,sms", "a land line takes no texts"),
    8: ("nl,x,51.9225,4.4792,0633333333,fax", "channels must be one or more of email sms voice"),
}


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A file in which good and bad rows take turns."""
    file = tmp_path / "people.csv"
    first, second, third = GOOD
    rows = [first, BAD[3][0], second, *(BAD[line][0] for line in (5, 6, 7, 8)), third]
    file.write_text("\n".join(["language,postcode,lat,lon,mobile,channels", *rows, ""]), "utf-8")
    return file


@pytest.fixture
def store(settings: Settings) -> Store:
    return Store.open(settings.database_url)


def rows(store: Store, model: type[T]) -> list[T]:
    """All rows of a table."""

    async def read() -> list[T]:
        async with store.reading() as session:
            found = list(await session.exec(select(model)))
        await store.close()
        return found

    return asyncio.run(read())


def test_good_rows_come_in_and_each_bad_one_is_named_with_its_line(
    burgernet: Command, store: Store, people: Path
) -> None:
    status, said = burgernet("participants", "import", str(people), "--why", "the municipality's list")
    assert status == 2
    for line, (row, why) in BAD.items():
        (named,) = [words for words in said.splitlines() if words.startswith(f"line {line}: ")]
        assert why in named
        assert row.split(",")[4] not in named
    assert said.count("\n") == len(BAD) + 1
    assert "3 added, 0 there already, 5 bad rows left out." in said
    assert sorted(row.kind for row in rows(store, ContactPoint)) == ["landline", "mobile", "mobile"]
    assert "the municipality's list" in {entry.reason for entry in rows(store, Audit)}


def test_a_second_run_of_the_same_list_adds_nothing(burgernet: Command, store: Store, people: Path) -> None:
    burgernet("participants", "import", str(people))
    status, said = burgernet("participants", "import", str(people))
    assert (status, len(rows(store, ContactPoint))) == (2, 3)
    assert "0 added, 3 there already, 5 bad rows left out." in said


def test_a_list_without_a_bad_row_ends_well(burgernet: Command, people: Path) -> None:
    people.write_text("\n".join(["language,postcode,lat,lon,mobile,channels", *GOOD]), "utf-8")
    assert burgernet("participants", "import", str(people)) == (
        0,
        "3 added, 0 there already, 0 bad rows left out.\n",
    )


def test_a_file_that_is_no_list_changes_nothing(burgernet: Command, store: Store, people: Path) -> None:
    people.write_text("name,number\nA,0612345678\n", "utf-8")
    status, said = burgernet("participants", "import", str(people))
    assert status == 1
    assert "lacking: language,postcode,mobile,channels" in said
    assert rows(store, ContactPoint) == []


def test_keys_rotate_moves_every_sealed_row_and_the_old_keys_can_go(
    burgernet: Command, settings: Settings, store: Store, people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    burgernet("participants", "import", str(people))
    old = settings.register_keys.get_secret_value()
    asyncio.run(a_call_in_the_book(settings))
    fresh = burgernet("keys", "new")[1].strip()
    for group in ("REGISTER", "POLICE"):
        monkeypatch.setenv(f"BURGERNET_{group}_KEYS", f"{old},2:{fresh}")

    status, said = burgernet("keys", "rotate")
    assert status == 0
    assert "contact_point: 3 rows moved to the newest key." in said
    assert "call: 1 rows moved to the newest key." in said
    assert {row.key_version for row in rows(store, ContactPoint)} == {2}
    (call,) = rows(store, Call)
    assert call.sealed
    assert Vault(read_keys(f"2:{fresh}")).open(Sealed(call.sealed, 2), CALLER) == b"+31612345678"

    for group in ("REGISTER", "POLICE"):
        monkeypatch.setenv(f"BURGERNET_{group}_KEYS", f"2:{fresh}")
    assert "0 added, 3 there already" in burgernet("participants", "import", str(people))[1]
    assert "contact_point: 0 rows moved" in burgernet("keys", "rotate")[1]


def test_a_rotation_without_the_old_key_says_which_is_lacking_and_moves_nothing(
    burgernet: Command, store: Store, people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    burgernet("participants", "import", str(people))
    monkeypatch.setenv("BURGERNET_REGISTER_KEYS", f"2:{new_key()}")
    status, said = burgernet("keys", "rotate")
    assert (status, said) == (1, "burgernet: key version 1 is not in the settings; add it back, then rotate\n")
    assert {row.key_version for row in rows(store, ContactPoint)} == {1}


def test_a_configuration_for_another_machine_is_readable_by_its_owner_alone(burgernet: Command, tmp_path: Path) -> None:
    assert burgernet("seed")[0] == 0
    folder = tmp_path / "node" / "etc"
    status, said = burgernet("asterisk", "render", "--folder", str(folder), "--home", "/opt/node", "--user", "pbx")
    assert (status, said) == (0, f"Configuration written below {folder}.\n")
    files = {file.name: file for file in folder.iterdir()}
    assert {"pjsip.conf", "ari.conf", "manager.conf", "extensions.conf"} <= files.keys()
    assert {file.stat().st_mode & 0o777 for file in files.values()} == {0o600}
    assert "[rotterdam-1]" in files["pjsip.conf"].read_text("utf-8")
    assert "/opt/node/" in files["asterisk.conf"].read_text("utf-8")


def test_files_that_were_open_to_everybody_are_closed_by_the_next_render(burgernet: Command, tmp_path: Path) -> None:
    (tmp_path / "pjsip.conf").touch(mode=0o644)
    assert burgernet("asterisk", "render", "--folder", str(tmp_path))[0] == 0
    assert (tmp_path / "pjsip.conf").stat().st_mode & 0o777 == 0o600


def test_a_folder_that_cannot_be_written_is_named(burgernet: Command, tmp_path: Path) -> None:
    taken = tmp_path / "file"
    taken.touch()
    status, said = burgernet("asterisk", "render", "--folder", str(taken))
    assert status == 1
    assert said.startswith(f"burgernet: {taken} cannot be written: ")


async def a_call_in_the_book(settings: Settings) -> None:
    async with opened(settings) as base:
        await base.book.arrived("a-call", read_number("+31612345678"), "08000011", now())
