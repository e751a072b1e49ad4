"""`burgernet participants`: take in a list, make some up, change or erase one, add a browser."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.progress import Progress

from actions.changes import Changes
from actions.contacts import read_browser, read_mail
from actions.desk import Refused
from actions.entry import Entry
from actions.geography import in_the_netherlands, to_rd
from actions.numbers import read_number
from actions.participant_file import BATCH, COLUMNS, OPTIONAL, BadFile, ImportReport, import_file, made_up
from actions.participant_row import LANGUAGES, read_birth_year
from actions.places.addresses import address_key, places_of
from actions.wishes import NIGHT, Wishes, read_kinds, read_quiet
from burgernet.base import Base
from burgernet.commands.terminal import by_command, err, out, with_base

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="Take in participants from a file, or make some up; change or erase one.")

ROTTERDAM, AMSTERDAM = (51.9225, 4.4792), (52.3731, 4.8926)
NOT_THERE = "nobody is reached by that number or address"

Language = Annotated[str | None, typer.Option(help=f"{' or '.join(LANGUAGES)}.")]
Kinds = Annotated[str | None, typer.Option(help='Of which actions: "look_out missing_child amber".')]
Wakes = Annotated[str | None, typer.Option(help='Which of them may come in quiet hours: "amber", or none.')]
Quiet = Annotated[str | None, typer.Option(help="Quiet hours: 23:00-07:00, or none.")]


@app.command("import")
def import_(
    file: Annotated[
        Path,
        typer.Argument(help=f"CSV in UTF-8: {','.join(COLUMNS)}; if wanted {','.join(OPTIONAL)} (docs/places.md)."),
    ],
    why: Annotated[str, typer.Option(help="Why, for the audit.")] = "list of participants",
) -> None:
    """Take in the good rows of a file; each bad one is named with its line. A second run adds nothing."""

    async def work(base: Base) -> ImportReport:
        try:
            with file.open(encoding="utf-8", errors="replace", newline="") as lines:
                return await import_file(base.register, lines, by_command(why), partial(places_of, base.store))
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


@app.command("set")
def set_(
    kinds: Kinds = None,
    wakes: Wakes = None,
    quiet: Quiet = None,
    language: Language = None,
    birth_year: Annotated[str | None, typer.Option(help="Somebody of 16 or older.")] = None,
    follows: Annotated[bool | None, typer.Option(help="Hears where the search goes on.")] = None,
    exercise: Annotated[bool | None, typer.Option(help="Hears of exercises, and of nothing else.")] = None,
    why: Annotated[str, typer.Option(help="Why, for the audit.")] = "the participant asked",
) -> None:
    """Change what one participant wants to hear. The number or mail address is asked for, or read from standard input:
    it would stay in the history of the shell."""
    changes = Changes(
        kinds=_read("--kinds", read_kinds, kinds),
        wakes=_read("--wakes", partial(read_kinds, none=True), wakes),
        quiet=_read("--quiet", read_quiet, quiet),
        language=_read("--language", _language, language),
        birth_year=_read("--birth-year", read_birth_year, birth_year),
        follows=follows,
        exercise=exercise,
    )
    if changes == Changes():
        raise Refused(["say what to change: `burgernet participants set --help` shows what there is"])
    contact = _contact()
    if not with_base(lambda base: base.register.change(contact, changes, by_command(why))):
        raise Refused([NOT_THERE])
    out.print("Changed.")


@app.command()
def erase(
    why: Annotated[str, typer.Option(help="Why, for the audit.")] = "the participant asked",
) -> None:
    """Erase a number or mail address, which is asked for or read from standard input, and whoever nothing else
    reaches."""
    contact = _contact()
    if not with_base(lambda base: base.register.erase(contact, by_command(why))):
        raise Refused([NOT_THERE])
    out.print("Erased.")


@app.command("add-browser")
def add_browser(
    file: Annotated[
        typer.FileText, typer.Argument(help="The push subscription as the browser gave it: JSON; - reads it.")
    ],
    postcode: Annotated[str, typer.Option(help="The postcode, such as 3011AB.")],
    number: Annotated[str, typer.Option(help="The house number, when addresses were imported.")] = "",
    lat: Annotated[float | None, typer.Option(help="Else degrees.")] = None,
    lon: Annotated[float | None, typer.Option(help="Else degrees.")] = None,
    language: Language = "nl",
    kinds: Kinds = None,
    wakes: Wakes = None,
    quiet: Quiet = None,
    exercise: Annotated[bool, typer.Option(help="Hears of exercises, and of nothing else.")] = False,
    why: Annotated[str, typer.Option(help="Why, for the audit.")] = "a browser subscribed",
) -> None:
    """Add a participant who is reached by a browser."""
    browser = _read("FILE", partial(read_browser, trial=True), file.read(10_000))
    wishes = _wishes(kinds, wakes, quiet)

    async def work(base: Base) -> int:
        x, y = await _place(base, postcode, number, lat, lon)
        entry = Entry(
            _read("--language", _language, language) or "nl",
            postcode[:4],
            x,
            y,
            None,
            None,
            frozenset({"push"}),
            browser=browser,
            wishes=wishes,
            exercise=exercise,
        )
        return await base.register.add([entry], by_command(why))

    out.print("Added." if with_base(work) else "It is there already.")


async def _place(base: Base, postcode: str, number: str, lat: float | None, lon: float | None) -> tuple[float, float]:
    """RD metres. Raises Refused."""
    if lat is not None and lon is not None:
        x, y = to_rd(lat, lon)
        if not in_the_netherlands(x, y) or not (postcode[:4].isascii() and postcode[:4].isdigit()):
            raise Refused(["--lat and --lon must be degrees in the Netherlands, and --postcode begin with four digits"])
        return x, y
    key = _read("--postcode and --number", partial(address_key, postcode), number)
    found = await places_of(base.store, [key] if key else [])
    if key not in found:
        raise Refused(
            ["this address is not among those imported: give --lat and --lon, or see `burgernet places list`"]
        )
    return found[key]


def _wishes(kinds: str | None, wakes: str | None, quiet: str | None) -> Wishes:
    """What was said, and else what others have; the night is quiet unless said otherwise. Raises Refused."""
    start, end = _read("--quiet", read_quiet, quiet) or NIGHT
    changes = {
        "kinds": _read("--kinds", read_kinds, kinds),
        "wakes": _read("--wakes", partial(read_kinds, none=True), wakes),
    }
    given = {name: value for name, value in changes.items() if value is not None}
    return replace(Wishes(quiet_from=start, quiet_until=end), **given)


def _contact() -> str:
    """The number or mail address that is typed, as it is kept. Raises Refused."""
    given = typer.prompt("Number or mail address", err=True) if sys.stdin.isatty() else sys.stdin.readline(1000)
    contact = read_mail(given) or read_number(given).e164
    if contact is None:
        raise Refused(["that is no telephone number and no mail address"])
    return contact


def _read(option: str, read: Callable[[str], T], given: str | None) -> T | None:
    """An option's value; None when it was not given. Raises Refused."""
    try:
        return None if given is None else read(given)
    except ValueError as fault:
        raise Refused([f"{option}: {fault}"]) from None


def _language(given: str) -> str:
    if given not in LANGUAGES:
        raise ValueError(" or ".join(LANGUAGES))
    return given
