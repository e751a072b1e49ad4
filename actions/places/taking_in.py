"""Files of places, whatever they hold: boundaries first, for the postcodes are laid on them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from actions.books import Actor
from actions.places import addresses, boundaries, postcodes
from actions.places.files import BadPlaces, Row, Table, tables_in
from actions.places.report import Imported
from actions.store import Store

KNOWN = (
    "municipalities or safety regions (statcode and statnaam, gemeentecode and gemeentenaam, or identificatie and "
    "naam; outlines), postcodes (postcode, with outlines) or addresses (postcode and huisnummer)"
)
ROWS_A_STEP = 1000


@dataclass(frozen=True)
class Job:
    """One table to take in. `report` is whole when it has run."""

    table: Table
    report: Imported
    work: Callable[[Store, Table, Imported, Actor], Awaitable[None]]

    async def run(self, store: Store, actor: Actor, advance: Callable[[int], None]) -> None:
        """`advance` is told how many more rows were read. Raises what the database raises."""
        await self.work(store, replace(self.table, rows=partial(_counted, self.table, advance)), self.report, actor)


def jobs_in(files: Sequence[Path]) -> list[Job]:
    """What is to be taken in, in order. Raises BadPlaces when a file cannot be read or holds nothing that is known."""
    jobs = [job for file in files for job in _jobs(file)]
    return sorted(jobs, key=lambda job: ORDER.index(job.work))


def _jobs(file: Path) -> list[Job]:
    tables = tables_in(file)
    found = [
        Job(source.table, Imported(file.name, source.kind), _boundaries) for source in boundaries.sources_in(tables)
    ]
    if table := postcodes.source_in(tables):
        found.append(Job(table, Imported(file.name, "postcode"), _postcodes))
    found += [Job(table, Imported(file.name, "address"), addresses.take_in) for table in addresses.sources_in(tables)]
    if not found:
        raise BadPlaces(f"{file.name} holds nothing that is known here: {KNOWN}")
    return found


async def _boundaries(store: Store, table: Table, report: Imported, actor: Actor) -> None:
    found = boundaries.read(table, report.what, report.faults)
    report.found = len(found)
    if not report.faults.count:
        report.changed = await boundaries.write(store, report.what, found, actor)


async def _postcodes(store: Store, table: Table, report: Imported, actor: Actor) -> None:
    found = postcodes.read(table, report.faults)
    report.found = len(found)
    if not report.faults.count:
        report.changed, report.regions_told = await postcodes.write(store, found, actor)


def _counted(table: Table, advance: Callable[[int], None], wanted: Sequence[str]) -> Iterator[Row]:
    for number, row in enumerate(table.rows(wanted), start=1):
        if number % ROWS_A_STEP == 0:
            advance(ROWS_A_STEP)
        yield row


ORDER = (_boundaries, _postcodes, addresses.take_in)
