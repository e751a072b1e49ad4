"""Participants from a CSV file or made up: good rows in, each bad one named with its line and the reason."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from actions.books import Actor
from actions.geography import in_the_netherlands, to_rd
from actions.numbers import CallerKind, read_number
from actions.register import Entry, Register

COLUMNS = ("language", "postcode", "lat", "lon", "mobile", "channels")
LANGUAGES = ("nl", "en")
CHANNELS = frozenset({"sms", "voice"})
BATCH = 1000
LONGEST_LINE = 500


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


async def import_file(register: Register, lines: Iterable[str], actor: Actor) -> ImportReport:
    """Takes the good rows of a CSV file with the columns in COLUMNS; a second run adds nothing. Raises BadFile."""
    report = ImportReport()
    rows = _rows(lines, report)
    while batch := list(islice(rows, BATCH)):
        added = await register.add(batch, actor)
        report.added += added
        report.there_already += len(batch) - added
    return report


def read_entry(row: Mapping[str, str]) -> Entry:
    """One row as an entry. Raises ValueError with every fault."""
    faults = []
    language, postcode = row["language"].strip(), row["postcode"].strip()[:4]
    if language not in LANGUAGES:
        faults.append(f"language must be {' or '.join(LANGUAGES)}")
    if not (len(postcode) == 4 and postcode.isascii() and postcode.isdigit() and postcode[0] != "0"):
        faults.append("postcode must begin with four digits")
    x, y = _place(row["lat"], row["lon"])
    if not in_the_netherlands(x, y):
        faults.append("lat and lon must be degrees of a place in the Netherlands")
    number = read_number(row["mobile"])
    if number.e164 is None or number.kind not in (CallerKind.MOBILE, CallerKind.LANDLINE):
        faults.append("mobile must be a Dutch telephone number")
    channels = frozenset(row["channels"].split())
    if not channels or not channels <= CHANNELS:
        faults.append(f"channels must be one or more of {' '.join(sorted(CHANNELS))}")
    if "sms" in channels and number.kind is CallerKind.LANDLINE:
        faults.append("a land line takes no texts: leave sms out")
    if faults or number.e164 is None:
        raise ValueError("; ".join(faults))
    return Entry(language, postcode, x, y, number.e164, number.kind, channels)


def made_up(count: int, seed: int, centres: Iterable[tuple[float, float]], spread_m: float = 3000) -> Iterator[Entry]:
    """Synthetic participants around places in RD metres; the same `seed` gives the same people.

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


def _rows(lines: Iterable[str], report: ImportReport) -> Iterator[Entry]:
    numbered = enumerate(lines, start=1)
    header = _header(next(numbered, (1, ""))[1])
    for number, line in numbered:
        try:
            if values := _values(line):
                yield _entry(header, values)
        except ValueError as fault:
            report.bad.append(BadRow(number, str(fault)))


def _header(line: str) -> list[str]:
    try:
        header = [name.strip().lower() for name in _values(line.lstrip("\ufeff"))]
    except ValueError as fault:
        raise BadFile(f"the first line: {fault}") from None
    if lacking := [name for name in COLUMNS if name not in header]:
        raise BadFile(
            f"the first line must name the columns, with commas: {','.join(COLUMNS)}; lacking: {','.join(lacking)}"
        )
    return header


def _entry(header: list[str], values: list[str]) -> Entry:
    if len(values) != len(header):
        raise ValueError(f"{len(values)} values under {len(header)} columns")
    return read_entry(dict(zip(header, values, strict=True)))


def _values(line: str) -> list[str]:
    """The values of one line. Each is read by itself: a quote left open must not swallow the lines after it."""
    if len(line) > LONGEST_LINE or "\0" in line:
        raise ValueError("this line is too long or not text")
    try:
        return next(csv.reader([line], strict=True), [])
    except csv.Error as fault:
        raise ValueError(str(fault)) from None


def _place(lat: str, lon: str) -> tuple[float, float]:
    try:
        return to_rd(float(lat), float(lon))
    except ValueError:
        return (0.0, 0.0)
