"""Participants from a file: good rows in, each bad one with its line and the reason."""

from collections.abc import Iterable
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions import participant_file
from actions.books import Actor
from actions.geography import in_the_netherlands
from actions.models import ContactPoint, Participant
from actions.numbers import read_number
from actions.participant_file import (
    COLUMNS,
    BadFile,
    BadRow,
    ImportReport,
    import_file,
    made_up,
    read_entry,
)
from actions.register import Entry, Register
from actions.store import Store
from actions.vault import Vaults
from tests.store.rows import all_of

HEADER = "language,postcode,lat,lon,mobile,channels\n"
GOOD = "nl,3011AB,51.9225,4.47917,06{:08d},sms\n"


@pytest.fixture
def register(store: Store, vaults: Vaults, monkeypatch: pytest.MonkeyPatch) -> Register:
    """Fed in batches of a hundred."""
    monkeypatch.setattr(participant_file, "BATCH", 100)
    return Register(store, vaults.register)


def good(number: int) -> str:
    return GOOD.format(50_000_000 + number)


def row(**changes: str) -> str:
    fields = dict(zip(COLUMNS, good(0).strip().split(","), strict=True)) | changes
    return ",".join(fields.values()) + "\n"


async def test_a_file_of_good_rows_comes_in_whole_and_a_second_time_adds_nothing(
    register: Register, store: Store, actor: Actor
) -> None:
    lines = [HEADER, *(good(number) for number in range(250))]
    assert await import_file(register, lines, actor) == ImportReport(added=250)
    assert await import_file(register, lines, actor) == ImportReport(there_already=250)
    assert len(await all_of(store, Participant)) == 250


BAD_ROWS = [
    (row(language="fr"), "language must be nl or en"),
    (row(language=""), "language must be nl or en"),
    (row(postcode="0123"), "postcode must begin with four digits"),
    (row(postcode="30"), "postcode must begin with four digits"),
    (row(postcode="٣٠١١"), "postcode must begin with four digits"),
    (row(lat="north"), "lat and lon must be degrees"),
    (row(lat="nan"), "lat and lon must be degrees"),
    (row(lat="inf"), "lat and lon must be degrees"),
    (row(lat=""), "lat and lon must be degrees"),
    (row(lat="4.47917", lon="51.9225"), "lat and lon must be degrees"),
    (row(mobile="0612"), "mobile must be a Dutch telephone number"),
    (row(mobile="+442079460958"), "mobile must be a Dutch telephone number"),
    (row(mobile="anonymous"), "mobile must be a Dutch telephone number"),
    (row(mobile="08000011"), "mobile must be a Dutch telephone number"),
    (row(channels=""), "channels must be one or more of sms voice"),
    (row(channels="sms pigeon"), "channels must be one or more of sms voice"),
    (row(mobile="0101234567"), "a land line takes no texts: leave sms out"),
    ("nl,3011\n", "2 values under 6 columns"),
    (row().strip() + ",more\n", "7 values under 6 columns"),
    (row(postcode='"3011'), "unexpected end of data"),
    (row(postcode='"30"11'), "',' expected after '\"'"),
    (row(postcode='3"0,"11'), "unexpected end of data"),
    (row(postcode="3011\0"), "too long or not text"),
    (row(postcode="3" * 10_000_000), "too long or not text"),
    (row(postcode="30\r11"), "new-line character"),
    ("\ufffd\ufffd\ufffd\n", "1 values under 6 columns"),
]


class Taken:
    """Takes what a register would be given."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    async def add(self, entries: list[Entry], actor: Actor) -> int:
        self.entries += entries
        return len(entries)


async def taken(lines: Iterable[str], actor: Actor) -> tuple[list[Entry], ImportReport]:
    """What would be stored, and the report."""
    register = Taken()
    return register.entries, await import_file(cast("Register", register), lines, actor)


@pytest.mark.parametrize(("bad", "reason"), BAD_ROWS)
async def test_a_bad_row_is_named_with_its_line_and_the_good_ones_around_it_come_in(
    actor: Actor, bad: str, reason: str
) -> None:
    entries, report = await taken([HEADER, good(1), bad, good(2), "\n", bad, good(3)], actor)
    assert [entry.e164 for entry in entries] == ["+31650000001", "+31650000002", "+31650000003"]
    assert [bad_row.line for bad_row in report.bad] == [3, 6]
    assert reason in report.bad[0].reason
    assert len(report.bad[0].reason) < 200


async def test_of_a_file_full_of_bad_rows_exactly_the_good_ones_are_stored(
    register: Register, store: Store, actor: Actor
) -> None:
    lines = [HEADER] + [line for number, (bad, _) in enumerate(BAD_ROWS) for line in (bad, good(number))]
    report = await import_file(register, lines, actor)
    assert report.added == len(await all_of(store, ContactPoint)) == len(BAD_ROWS)
    assert [bad_row.line for bad_row in report.bad] == list(range(2, len(lines) + 1, 2))


async def test_a_row_with_several_faults_names_them_all(actor: Actor) -> None:
    entries, report = await taken([HEADER, "fr,x,0,0,0,pigeon\n"], actor)
    assert entries == []
    assert report.bad[0].line == 2
    assert report.bad[0].reason.count(";") == 4


async def test_no_number_stands_in_what_is_reported(actor: Actor) -> None:
    _, report = await taken([HEADER, row(mobile="0612345678999"), row(language="0612345678")], actor)
    assert len(report.bad) == 2
    assert "0612345678" not in repr(report)


@pytest.mark.parametrize(
    ("first", "said"),
    [
        ("", "lacking: language,postcode,lat,lon,mobile,channels"),
        ("\n", "lacking: language"),
        ("language;postcode;lat;lon;mobile;channels\n", "lacking: language"),
        ("language,postcode,lat,lon,mobile\n", "lacking: channels"),
        (good(1), "lacking: language"),
        ("\0\n", "the first line: this line is too long or not text"),
        ("x" * 10_000_000, "the first line: this line is too long or not text"),
        ('"language\n', "the first line: unexpected end of data"),
    ],
)
async def test_a_file_that_is_no_list_of_participants_is_refused_whole(actor: Actor, first: str, said: str) -> None:
    register = Taken()
    with pytest.raises(BadFile) as refused:
        await import_file(cast("Register", register), [first, good(1)], actor)
    assert said in str(refused.value)
    assert register.entries == []


async def test_an_empty_file_is_refused(actor: Actor) -> None:
    with pytest.raises(BadFile):
        await taken([], actor)


@pytest.mark.parametrize(
    "header",
    [
        "\ufeff" + HEADER,
        '\ufeff"language",postcode,lat,lon,mobile,channels\n',
        HEADER.replace("\n", "\r\n"),
        " Language , POSTCODE,lat,lon,mobile,channels\n",
    ],
)
async def test_a_header_as_spreadsheets_write_it_is_understood(actor: Actor, header: str) -> None:
    _, report = await taken([header, good(1).replace("\n", "\r\n")], actor)
    assert report == ImportReport(added=1)


async def test_columns_may_come_in_any_order_with_others_between(actor: Actor) -> None:
    lines = ["mobile,name,channels,lat,lon,language,postcode\n", "0612345678,Jan,sms voice,51.9225,4.47917,nl,3011\n"]
    entries, _ = await taken(lines, actor)
    assert [(entry.e164, entry.channels) for entry in entries] == [("+31612345678", frozenset({"sms", "voice"}))]


async def test_a_file_from_disk_with_bytes_that_are_no_text(actor: Actor, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(HEADER.encode() + b"\xff\xfe\x80,\n" + good(1).encode())
    with file.open(encoding="utf-8", errors="replace", newline="") as lines:
        _, report = await taken(lines, actor)
    assert report == ImportReport(added=1, bad=[BadRow(2, "2 values under 6 columns")])


def in_pieces(lines: list[str]) -> Iterable[str]:
    yield from lines
    raise OSError("the disk is gone")


async def test_a_file_that_breaks_off_leaves_whole_rows_only(register: Register, store: Store, actor: Actor) -> None:
    with pytest.raises(OSError, match="the disk is gone"):
        await import_file(register, in_pieces([HEADER, *(good(number) for number in range(150))]), actor)
    assert len(await all_of(store, Participant)) == 100
    report = await import_file(register, [HEADER, *(good(number) for number in range(150))], actor)
    assert report == ImportReport(added=50, there_already=100)


@given(st.fixed_dictionaries({name: st.text(max_size=20) for name in COLUMNS}))
def test_no_row_raises_anything_but_its_faults(fields: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_entry(fields)


def test_made_up_people_are_the_same_for_the_same_seed_and_have_numbers_of_their_own() -> None:
    centres = [(92_000.0, 437_000.0), (121_000.0, 487_000.0)]
    people = list(made_up(200, 7, centres))
    assert people == list(made_up(200, 7, centres))
    assert people != list(made_up(200, 8, centres))
    assert len({one.e164 for one in people}) == 200
    assert all(read_number(one.e164).e164 == one.e164 for one in people)
    assert all(in_the_netherlands(one.x, one.y) for one in people)
    assert {one.language for one in people} == {"nl", "en"}
