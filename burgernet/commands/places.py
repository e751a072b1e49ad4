"""`burgernet places`: what CBS and BAG publish, taken in from files; made-up files for a trial; what is there."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TimeElapsedColumn
from rich.table import Table

from actions.places.made_up import write_files
from actions.places.report import Imported
from actions.places.taking_in import Job, jobs_in
from actions.places.there import Held, what_is_there
from burgernet.base import Base
from burgernet.commands.terminal import by_command, err, out, with_base

app = typer.Typer(no_args_is_help=True, help="Boundaries, postcodes and addresses.")

ONE_OR_NONE = "It has bad rows, so nothing of this kind was taken from it."


@app.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(help="GeoPackage, GeoJSON or CSV as CBS, PDOK and BAG publish them.")],
    why: Annotated[str, typer.Option(help="Why, for the audit.")] = "published places",
) -> None:
    """Take in municipalities, safety regions, postcodes and addresses: what a file holds is seen from its columns. A
    second run changes nothing; broken off, begin it again."""
    jobs = jobs_in(files)

    async def work(base: Base) -> None:
        with Progress(
            SpinnerColumn(), *Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeElapsedColumn(), console=err
        ) as progress:
            for job in jobs:
                bar = progress.add_task(f"{job.report.file}: {_what(job)}", total=job.table.count)
                await job.run(base.store, by_command(why), partial(progress.advance, bar))
                progress.update(bar, completed=job.table.count)

    with_base(work)
    for job in jobs:
        _say(job.report)
    if any(job.report.faults.count for job in jobs):
        raise typer.Exit(2)


@app.command("made-up")
def made_up(
    folder: Annotated[Path, typer.Argument(help="Where to write the files.")] = Path("made-up-places"),
) -> None:
    """Write made-up files for a trial: 25 safety regions, some municipalities, postcodes and addresses."""
    try:
        written = write_files(folder)
    except OSError as fault:
        err.print(f"{folder} cannot be written: {fault.strerror}", markup=False)
        raise typer.Exit(1) from None
    out.print(f"burgernet places import {' '.join(map(str, written))}", markup=False)


@app.command("list")
def list_places() -> None:
    """Show what is there, and what is lacking."""
    held: Held = with_base(lambda base: what_is_there(base.store))
    table = Table("what", "there")
    for what, count in held.counts.items():
        table.add_row(what, str(count))
    out.print(table)
    for lack in held.lacks:
        out.print(lack, markup=False)


def _what(job: Job) -> str:
    return job.report.what.replace("_", " ")


def _say(report: Imported) -> None:
    what = report.what.replace("_", " ")
    for number, reason in report.faults.first:
        err.print(f"{report.file}, {what}, row {number}: {reason}", markup=False)
    if more := report.faults.count - len(report.faults.first):
        err.print(f"{report.file}: {more} more bad rows", markup=False)
    if report.faults.count and report.what != "address":
        out.print(f"{report.file}: {ONE_OR_NONE}", markup=False)
        return
    out.print(
        f"{report.file}, {what}: {report.found} read, {report.changed} new or changed, "
        f"{report.faults.count} bad rows and {report.passed_over} without place or postcode left out.",
        markup=False,
    )
    if not report.regions_told:
        out.print("The regions of these postcodes were not told: import safety regions, then this file again.")
