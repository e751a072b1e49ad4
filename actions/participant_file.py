"""Participants from a CSV file or made up: good rows in, each bad one named with its line and the reason."""

from __future__ import annotations

import csv
import random
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from actions.books import Actor
from actions.entry import Entry
from actions.numbers import CallerKind
from actions.participant_row import ParticipantRow, read_row
from actions.places.addresses import Key
from actions.register import Register

COLUMNS = ("language", "postcode", "lat", "lon", "mobile", "channels")
OPTIONAL = ("number", "mail", "kinds", "wakes", "quiet", "birth_year", "follows", "exercise", "participant")
# Columns that another one may stand in for.
INSTEAD = {"lat": "number", "lon": "number", "mobile": "mail"}
BATCH = 1000
# Nobody has more addresses and telephones than this; a list that says so is wrong, and its rows are held together.
MOST_ROWS_A_PARTICIPANT = 50
LONGEST_LINE = 800
NOT_FOUND = "this address is not among those imported: give lat and lon, or see `burgernet places list`"

Find = Callable[[Collection[Key]], Awaitable[Mapping[Key, tuple[float, float]]]]
Numbered = tuple[int, ParticipantRow]


@dataclass(frozen=True)
class BadRow:
    line: int
    reason: str


@dataclass
class ImportReport:
    added: int = 0
    there_already: int = 0
    bad: list[BadRow] = field(default_factory=list)


class BadFile(ValueError):
    """A file that is no list of participants; nothing was taken from it."""


async def nowhere(addresses: Collection[Key]) -> Mapping[Key, tuple[float, float]]:
    """Finds no address."""
    return {}


async def import_file(register: Register, lines: Iterable[str], actor: Actor, find: Find = nowhere) -> ImportReport:
    """Takes the good rows of a CSV file with the columns in COLUMNS, and those in OPTIONAL that it has; a second run
    adds nothing. `find` tells where addresses stand. Raises BadFile."""
    report = ImportReport()
    for batch in _batches(_rows(lines, report), report):
        entries = await _located(batch, find, report)
        added = await register.add(entries, actor)
        report.added += added
        report.there_already += len(entries) - added
    report.bad.sort(key=lambda bad: bad.line)
    return report


def made_up(count: int, seed: int, centres: Iterable[tuple[float, float]], spread_m: float = 3000) -> Iterator[Entry]:
    """Synthetic participants around places in RD metres, without quiet hours; the same `seed` gives the same people.

    The numbers lie in +3165 0000000 and up, one each."""
    chance = random.Random(seed)  # noqa: S311 - made-up people need no secrecy
    places = list(centres)
    for number in range(count):
        x0, y0 = places[number % len(places)]
        yield Entry(
            language="en" if chance.random() < 0.1 else "nl",
            postcode=str(chance.randint(1000, 9999)),
            x=round(chance.gauss(x0, spread_m), 1),
            y=round(chance.gauss(y0, spread_m), 1),
            e164=f"+3165{number:07d}",
            kind=CallerKind.MOBILE,
            channels=frozenset({"sms"}),
        )


def _rows(lines: Iterable[str], report: ImportReport) -> Iterator[Numbered]:
    numbered = enumerate(lines, start=1)
    header = _header(next(numbered, (1, ""))[1])
    for number, line in numbered:
        try:
            if values := _values(line):
                yield number, _read(header, values)
        except ValueError as fault:
            report.bad.append(BadRow(number, str(fault)))


def _batches(rows: Iterable[Numbered], report: ImportReport) -> Iterator[list[Numbered]]:
    """About BATCH at a time; rows of one participant, which stand together, are never parted."""
    batch: list[Numbered] = []
    before, alike = None, 0
    for number, row in rows:
        reference = row.entry.participant
        alike = alike + 1 if reference and reference == before else 1
        if alike > MOST_ROWS_A_PARTICIPANT:
            report.bad.append(BadRow(number, f"more than {MOST_ROWS_A_PARTICIPANT} rows of one participant"))
            continue
        if len(batch) >= BATCH and alike == 1:
            yield batch
            batch = []
        batch.append((number, row))
        before = reference
    if batch:
        yield batch


async def _located(batch: Iterable[Numbered], find: Find, report: ImportReport) -> list[Entry]:
    asked = {row.address for _, row in batch if row.address}
    places = await find(asked) if asked else {}
    entries = []
    for number, row in batch:
        if row.address is None:
            entries.append(row.entry)
        elif place := places.get(row.address):
            entries.append(row.at(place))
        else:
            report.bad.append(BadRow(number, NOT_FOUND))
    return entries


def _header(line: str) -> list[str]:
    try:
        header = [name.strip().lower() for name in _values(line.lstrip("\ufeff"))]
    except ValueError as fault:
        raise BadFile(f"the first line: {fault}") from None
    if lacking := [name for name in COLUMNS if name not in header and INSTEAD.get(name) not in header]:
        raise BadFile(
            f"the first line must name the columns, with commas: {','.join(COLUMNS)} (and if wanted "
            f"{','.join(OPTIONAL)}; number goes for lat,lon and mail for mobile); lacking: {','.join(lacking)}"
        )
    return header


def _read(header: list[str], values: list[str]) -> ParticipantRow:
    if len(values) != len(header):
        raise ValueError(f"{len(values)} values under {len(header)} columns")
    return read_row(dict(zip(header, values, strict=True)))


def _values(line: str) -> list[str]:
    """The values of one line. Each is read by itself: a quote left open must not swallow the lines after it."""
    if len(line) > LONGEST_LINE or "\0" in line:
        raise ValueError("this line is too long or not text")
    try:
        return next(csv.reader([line], strict=True), [])
    except csv.Error as fault:
        raise ValueError(str(fault)) from None
