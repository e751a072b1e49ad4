"""Participants from a file: good rows in, each bad one with its line and the reason."""

from collections.abc import Iterable
from datetime import date
from functools import partial
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions import participant_file
from actions.books import Actor
from actions.geography import in_the_netherlands
from actions.models import Address, AddressPlace, ContactPoint, Kind, Participant, bits
from actions.numbers import read_number
from actions.participant_file import (
    COLUMNS,
    MOST_ROWS_A_PARTICIPANT,
    NOT_FOUND,
    OPTIONAL,
    BadFile,
    BadRow,
    ImportReport,
    import_file,
    made_up,
)
from actions.participant_row import read_row
from actions.places.addresses import places_of
from actions.register import Entry, Register
from actions.store import Store
from actions.vault import Vaults
from actions.wishes import Wishes
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
    (row(channels=""), "channels must be one or more of email sms voice"),
    (row(channels="sms pigeon"), "channels must be one or more of email sms voice"),
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


WIDE = ",".join((*COLUMNS, *OPTIONAL)) + "\n"


def wide(**changes: str) -> str:
    """A row with all columns, those that are optional empty."""
    fields = dict(zip(COLUMNS, good(0).strip().split(","), strict=True)) | dict.fromkeys(OPTIONAL, "") | changes
    return ",".join(fields.values()) + "\n"


async def the_one(actor: Actor, **changes: str) -> Entry:
    (entry,), report = await taken([WIDE, wide(**changes)], actor)
    assert report == ImportReport(added=1)
    return entry


async def test_who_came_in_by_a_list_is_not_woken_unless_it_says_so(actor: Actor) -> None:
    (entry,), _ = await taken([HEADER, good(1)], actor)
    assert entry.wishes == (await the_one(actor)).wishes == Wishes(quiet_from=23 * 60, quiet_until=7 * 60)
    assert (await the_one(actor, quiet="none")).wishes == Wishes()


async def test_a_list_may_say_what_a_participant_wants_and_who_it_is(actor: Actor) -> None:
    entry = await the_one(
        actor,
        mail="Jan@Example.nl",
        channels="sms email",
        kinds="look_out amber",
        wakes="none",
        quiet="22:30-08:00",
        birth_year="1980",
        follows="yes",
        exercise="No",
        participant="7",
    )
    assert entry.wishes == Wishes(bits([Kind.LOOK_OUT, Kind.AMBER]), 0, 22 * 60 + 30, 8 * 60)
    assert (entry.mail, entry.birth_year, entry.participant) == ("jan@example.nl", 1980, "7")
    assert (entry.follows, entry.exercise) == (True, False)


async def test_a_list_of_mail_addresses_needs_no_column_for_numbers(actor: Actor) -> None:
    lines = ["language,postcode,lat,lon,mail,channels\n", "nl,3011,51.9225,4.47917,jan@example.nl,email\n"]
    (entry,), _ = await taken(lines, actor)
    assert (entry.e164, entry.mail, entry.channels) == (None, "jan@example.nl", frozenset({"email"}))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"mail": "jan"}, "mail must be a mail address"),
        ({"channels": "email"}, "mail must be a mail address"),
        ({"channels": "voice", "mobile": "", "mail": "jan@example.nl"}, "mobile must be a Dutch telephone number"),
        ({"channels": "push"}, "channels must be one or more of email sms voice"),
        ({"kinds": "burglary"}, "kinds must be one or more of look_out"),
        ({"kinds": "none"}, "kinds must be one or more of look_out"),
        ({"wakes": "burglary"}, "wakes must be one or more of look_out"),
        ({"quiet": "23-7"}, "quiet must be hours like 23:00-07:00"),
        ({"birth_year": "1880"}, "birth_year must be the year of somebody of 16 or older"),
        ({"birth_year": str(date.today().year - 15)}, "birth_year must be the year of somebody of 16 or older"),  # noqa: DTZ011
        ({"birth_year": "9" * 30}, "birth_year must be the year of somebody of 16 or older"),
        ({"follows": "perhaps"}, "follows must be yes or no"),
        ({"exercise": "1"}, "exercise must be yes or no"),
        ({"lat": "", "lon": "", "number": "12"}, NOT_FOUND),
        ({"lat": "", "lon": "", "number": "12", "postcode": "3011"}, "four digits and two letters"),
        ({"lat": "", "lon": "", "number": "A"}, "the house number must begin with digits"),
    ],
)
async def test_a_bad_value_in_a_column_that_is_optional_is_named_too(
    actor: Actor, changes: dict[str, str], reason: str
) -> None:
    entries, report = await taken([WIDE, wide(**changes)], actor)
    assert entries == []
    assert [bad.line for bad in report.bad] == [2]
    assert reason in report.bad[0].reason


async def test_a_place_is_looked_up_by_postcode_and_house_number(
    register: Register, store: Store, actor: Actor
) -> None:
    async with store.writing() as session:
        session.add(AddressPlace(postcode="3011AB", number="12 A", x=92_000.0, y=437_000.0))
    lines = [
        "language,postcode,number,mobile,channels\n",
        "nl,3011 ab,13,0612345677,sms\n",
        "nl,3011 ab,12-a,0612345678,sms\n",
        "nl,x,12-a,0612345678,sms\n",
    ]
    report = await import_file(register, lines, actor, partial(places_of, store))
    assert (report.added, [bad.line for bad in report.bad]) == (1, [2, 4])
    (address,) = await all_of(store, Address)
    assert (address.postcode, address.x, address.y) == ("3011", 92_000.0, 437_000.0)
    assert (await import_file(register, lines, actor, partial(places_of, store))).there_already == 1


async def test_rows_of_one_participant_are_one_however_the_list_is_cut(
    register: Register, store: Store, actor: Actor
) -> None:
    lines = [WIDE, *(wide(mobile=f"06{50_000_000 + number}", participant="") for number in range(99))]
    lines += [wide(mobile="0612345678", lat=f"51.92{place}", participant="7") for place in range(3)]
    lines += [wide(mobile="0612345679", participant="8")]
    assert (await import_file(register, lines, actor)).added == 103
    assert (await import_file(register, lines, actor)).there_already == 103
    assert len(await all_of(store, Participant)) == 101
    assert len(await all_of(store, Address)) == 103


async def test_nobody_has_more_rows_than_can_be_held_together(actor: Actor) -> None:
    rows = [wide(mobile=f"06{50_000_000 + number}", participant="7") for number in range(MOST_ROWS_A_PARTICIPANT + 1)]
    entries, report = await taken([WIDE, *rows], actor)
    assert len(entries) == MOST_ROWS_A_PARTICIPANT
    assert report.bad == [BadRow(MOST_ROWS_A_PARTICIPANT + 2, "more than 50 rows of one participant")]


@given(st.fixed_dictionaries({name: st.text(max_size=20) for name in (*COLUMNS, *OPTIONAL)}))
def test_no_row_raises_anything_but_its_faults(fields: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_row(fields)


def test_made_up_people_are_the_same_for_the_same_seed_and_have_numbers_of_their_own() -> None:
    centres = [(92_000.0, 437_000.0), (121_000.0, 487_000.0)]
    people = list(made_up(200, 7, centres))
    assert people == list(made_up(200, 7, centres))
    assert people != list(made_up(200, 8, centres))
    assert len({one.e164 for one in people}) == 200
    assert all(read_number(one.e164).e164 == one.e164 for one in people)
    assert all(in_the_netherlands(one.x, one.y) for one in people)
    assert {one.language for one in people} == {"nl", "en"}
