"""`burgernet participants`: take in a list, make some up, erase one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from actions.geography import to_rd
from actions.participant_file import BATCH, COLUMNS, BadFile, ImportReport, import_file, made_up
from burgernet.base import Base
from burgernet.commands.terminal import by_command, err, out, with_base

app = typer.Typer(no_args_is_help=True, help="Take in participants from a file, or make some up.")

ROTTERDAM, AMSTERDAM = (51.9225, 4.4792), (52.3731, 4.8926)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help=f"CSV in UTF-8 with the columns {','.join(COLUMNS)}.")],
    why: Annotated[str, typer.Option(help="Why, for the audit.")] = "list of participants",
) -> None:
    """Take in the good rows of a file; each bad one is named with its line. A second run adds nothing."""

    async def work(base: Base) -> ImportReport:
        try:
            with file.open(encoding="utf-8", errors="replace", newline="") as lines:
                return await import_file(base.register, lines, by_command(why))
        except OSError as fault:
            raise BadFile(f"{file} cannot be read: {fault.strerror}") from None

    report = with_base(work)
    for bad in report.bad:
        err.print(f"line {bad.line}: {bad.reason}", markup=False)
    out.print(f"{report.added} added, {report.there_already} there already, {len(report.bad)} bad rows left out.")
    if report.bad:
        raise typer.Exit(2)


@app.command()
def generate(
    count: Annotated[int, typer.Argument(min=1, max=5_000_000, help="How many.")] = 2000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same people.")] = 1,
) -> None:
    """Make up participants around Rotterdam and Amsterdam, for a trial. Their numbers belong to nobody."""
    centres = [to_rd(*ROTTERDAM), to_rd(*AMSTERDAM)]

    async def work(base: Base) -> int:
        added, batch = 0, []
        with Progress(console=err, transient=True) as progress:
            for entry in progress.track(made_up(count, seed, centres), total=count, description="Participants"):
                batch.append(entry)
                if len(batch) == BATCH:
                    added += await base.register.add(batch, by_command("synthetic participants"))
                    batch = []
            return added + await base.register.add(batch, by_command("synthetic participants"))

    out.print(f"{with_base(work)} synthetic participants added.")
