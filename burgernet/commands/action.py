"""`burgernet action`: start, update, end and list actions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from actions.desk import NewAction, Refused, Texts
from actions.endings import Endings
from actions.models import Kind, Outcome, Status, now
from actions.photos import NoPhoto
from actions.pictures import read_picture
from actions.rooms import Rooms
from actions.search import Means, Search
from actions.sounds import LONGEST_S, Sounds
from alerting.audience.preview import Preview, preview
from alerting.bell import action_changed
from alerting.message_doctor import examine
from burgernet.base import Base
from burgernet.carriers import carriers
from burgernet.commands.action_options import (
    By,
    Heading,
    Language,
    LastSeen,
    MaxAge,
    MinAge,
    SeenAt,
    WakeReason,
    options,
    search,
)
from burgernet.commands.message import show, worded
from burgernet.commands.preview import drawn
from burgernet.commands.terminal import by_command, err, out, with_base
from telephony.given_sound import Unfit, fit_for_telephone

# Two minutes of the best that is usual, and room to spare.
LARGEST_RECORDING = 100_000_000

app = typer.Typer(no_args_is_help=True, help="Start, update, end and list actions.")

Code = Annotated[str, typer.Argument(help="The spoken code of the action, such as 427.")]
Title = Annotated[str, typer.Option(help="Short, for menus: 'the blue Golf in Rotterdam'. Empty: as in the alert.")]
Text = Annotated[str, typer.Option(help="The message in Dutch.")]
TitleEn = Annotated[str, typer.Option(help="The title in English.")]
TextEn = Annotated[str, typer.Option(help="The message in English.")]
Recording = Annotated[
    Path | None,
    typer.Option(help=f"The Dutch message as you spoke it: WAV, at most {LONGEST_S} s. Else it is read aloud."),
]
RecordingEn = Annotated[Path | None, typer.Option(help="The English message as you spoke it.")]
Why = Annotated[str, typer.Option(help="Why, for the audit.")]


@app.command()
def start(
    kind: Annotated[Kind, typer.Option(help="What kind of action it is.")],
    region: Annotated[str, typer.Option(help="The region (police unit), such as rotterdam.")],
    title: Title,
    text: Text,
    title_en: TitleEn = "",
    text_en: TextEn = "",
    circle: Annotated[str, typer.Option(help="The area as LAT,LON,METRES: 51.9225,4.4792,2000")] = "",
    area: Annotated[Path | None, typer.Option(help="The area as a GeoJSON file: a Polygon or MultiPolygon.")] = None,
    municipality: Annotated[
        list[str] | None, typer.Option(help="A municipality, by name or code (GM0599); may be given several times.")
    ] = None,
    safety_region: Annotated[
        list[str] | None, typer.Option(help="A safety region, by name or code (VR17); may be given several times.")
    ] = None,
    region_wide: Annotated[bool, typer.Option("--region-wide", help="The whole region (police unit).")] = False,
    nation: Annotated[bool, typer.Option("--nation", help="Everybody in the country.")] = False,
    operator: Annotated[str, typer.Option(help="Who starts it: rings first for its callers.")] = "",
    room: Annotated[str, typer.Option(help="The control room; empty: the one that serves the region.")] = "",
    recording: Recording = None,
    recording_en: RecordingEn = None,
    exercise: Annotated[
        bool, typer.Option(help="An exercise: reaches those who take part in exercises alone.")
    ] = False,
    ends_after: Annotated[
        int | None, typer.Option(help="Minutes after which it ends by itself, without result. Else as its kind is set.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(help="A picture for mail and notifications, shown until the end: JPEG, PNG or WebP.")
    ] = None,
    wake_reason: WakeReason = "",
    language: Language = None,
    min_age: MinAge = None,
    max_age: MaxAge = None,
    last_seen: LastSeen = "",
    seen_at: SeenAt = "",
    means: By = Means.WALK,
    heading: Heading = None,
    why: Why = "a look-out was asked for",
) -> None:
    """Start an action: its message goes out to everybody in the area, and callers are put through to its room."""
    new = _new(locals())

    async def work(base: Base) -> str:
        show(examine(new.texts, kind, base.settings.free_number_read, exercise=exercise), new.texts, err)
        started = await base.desk.start_action(new, by_command(why))
        await action_changed(base.redis)
        return started.code

    what = "Exercise" if exercise else "Action"
    out.print(f"{what} [bold]{with_base(work)}[/] is open. Callers key this code; `burgernet action end` ends it.")


@app.command("preview", help="Look ahead, with the options of start: whom it reaches, when, how fast, for how much.")
@wraps(start)
def preview_action(**given: Any) -> None:
    new = _new(given)

    async def work(base: Base) -> Preview:
        return await preview(base.store, new, carriers(base.settings), base.settings.free_number_read)

    out.print(drawn(with_base(work)))


@app.command()
def update(
    code: Code,
    text: Text,
    title: Title = "",
    text_en: TextEn = "",
    title_en: TitleEn = "",
    recording: Recording = None,
    recording_en: RecordingEn = None,
    why: Why = "news",
) -> None:
    """Send a changed description to everybody who was alerted; what was not sent yet of the old one stops."""
    sounds = _sounds(recording, recording_en)

    async def work(base: Base) -> None:
        texts = await _completed(base, code, title, text, title_en, text_en)
        await base.desk.update_action(code, texts, by_command(why), sounds)
        await action_changed(base.redis)

    with_base(work)
    out.print(f"The update of action {code} goes out.")


@app.command()
def end(
    code: Code,
    outcome: Annotated[Outcome, typer.Option(help="direct: found thanks to Burgernet; indirect: it helped; none.")],
    text: Text,
    title: Title = "",
    text_en: TextEn = "",
    title_en: TitleEn = "",
    recording: Recording = None,
    recording_en: RecordingEn = None,
    why: Why = "the action is over",
) -> None:
    """End an action: nothing more of it is sent, and everybody who was alerted hears the result."""
    sounds = _sounds(recording, recording_en)

    async def work(base: Base) -> None:
        texts = await _completed(base, code, title, text, title_en, text_en)
        await base.desk.end_action(code, outcome, texts, by_command(why), sounds)
        await action_changed(base.redis)

    with_base(work)
    out.print(f"Action {code} has ended. The result goes to everybody who was alerted.")


@app.command()
def extend(
    code: Code,
    minutes: Annotated[int, typer.Argument(help="So long from now it stays open.")],
    why: Why = "the look-out goes on",
) -> None:
    """Let an action stay open for longer; else it ends by itself when its time is over, without result."""

    async def work(base: Base) -> datetime:
        ends_at = await Endings(base.store).extend(code, timedelta(minutes=minutes), by_command(why))
        await action_changed(base.redis)
        return ends_at

    out.print(f"Action {code} stays open until {with_base(work):%Y-%m-%d %H:%M} UTC.")


@app.command("list")
def list_actions(
    status: Annotated[Status | None, typer.Option(help="Only actions of this status.")] = None,
) -> None:
    """List actions, newest first."""
    table = Table("code", "kind", "status", "room", "started (UTC)", "outcome", "exercise")
    for action in with_base(lambda base: base.desk.list_actions(status)):
        started = f"{action.started_at:%Y-%m-%d %H:%M}" if action.started_at else ""
        table.add_row(
            action.code,
            action.kind,
            action.status,
            action.room_id,
            started,
            action.outcome or "",
            "exercise" * action.exercise,
        )
    out.print(table)


def _new(given: Mapping[str, Any]) -> NewAction:
    """The action of the options of `start`. Raises Refused."""
    seen = search(given["last_seen"], given["seen_at"], given["means"], given["heading"])
    return NewAction(
        given["kind"],
        given["region"],
        _searched(given, seen) if seen else _area(*_where(given)),
        worded(given["title"], given["text"], given["title_en"], given["text_en"]),
        given["operator"] or None,
        given["room"] or None,
        _sounds(given["recording"], given["recording_en"]),
        given["exercise"],
        None if given["ends_after"] is None else timedelta(minutes=given["ends_after"]),
        _picture(given["picture"]),
        options(given["wake_reason"], given["language"], given["min_age"], given["max_age"]),
        seen,
    )


def _where(given: Mapping[str, Any]) -> tuple[Any, ...]:
    """The ways to say where, as _area takes them."""
    region = given["region"] if given["region_wide"] else ""
    return given["circle"], given["area"], given["municipality"], given["safety_region"], region, given["nation"]


def _searched(given: Mapping[str, Any], seen: Search) -> Any:
    """The area of a search. Raises Refused."""
    if any(_where(given)):
        raise Refused(["say where once: --last-seen makes its own area"])
    if faults := seen.faults(now()):
        raise Refused(faults)
    return seen.area(given["kind"], now())


async def _completed(base: Base, code: str, title: str, text: str, title_en: str, text_en: str) -> Texts:
    """The texts, with the titles of the alert where none were given. Raises Refused when no such action is open."""
    titles = next((action.titles for action in await base.desk.open_actions() if action.code == code), None)
    if titles is None:
        raise Refused([f"no action with code {code} is open; `burgernet action list` shows them"])
    return worded(title or titles.get("nl", ""), text, title_en or titles.get("en", ""), text_en)


def _sounds(dutch: Path | None, english: Path | None) -> Sounds:
    """The recordings as they are kept. Raises Refused with what is wrong with each."""
    sounds: dict[str, bytes] = {}
    faults = []
    for language, file in (("nl", dutch), ("en", english)):
        if file:
            try:
                sounds[language] = fit_for_telephone(_contents(file), LONGEST_S)
            except (OSError, Unfit) as fault:
                why = fault.strerror if isinstance(fault, OSError) else fault
                faults.append(f"the recording {file} cannot be used: {why}")
    if faults:
        raise Refused(faults)
    return sounds


def _picture(file: Path | None) -> bytes | None:
    """Raises Refused."""
    try:
        return read_picture(file) if file else None
    except NoPhoto as fault:
        raise Refused([f"the picture {file} cannot be used: {fault}"]) from None


def _contents(file: Path) -> bytes:
    """Raises OSError, Unfit."""
    if not file.is_file():
        raise Unfit("there is no such file")
    if file.stat().st_size > LARGEST_RECORDING:
        raise Unfit(f"it is larger than {LARGEST_RECORDING // 1_000_000} MB")
    return file.read_bytes()


def _area(
    circle: str,
    file: Path | None,
    municipalities: list[str] | None,
    safety_regions: list[str] | None,
    region: str,
    nation: bool,
) -> Any:
    """The area as given. Raises Refused when there is none, or more than one, or it cannot be read."""
    given: dict[str, Callable[[], Any]] = {
        "--circle": lambda: _circle(circle),
        "--area": lambda: _drawn(file),
        "--municipality": lambda: {"type": "municipalities", "codes": municipalities},
        "--safety-region": lambda: {"type": "safety-regions", "codes": safety_regions},
        "--region-wide": lambda: {"type": "regions", "ids": [region]},
        "--nation": lambda: {"type": "nation"},
    }
    wanted = (circle, file, municipalities, safety_regions, region, nation)
    chosen = [option for option, value in zip(given, wanted, strict=True) if value]
    if len(chosen) != 1:
        raise Refused([f"say where, in one way: {', '.join(given)}"])
    return given[chosen[0]]()


def _drawn(file: Path | None) -> Any:
    assert file is not None
    try:
        return json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as fault:
        raise Refused([f"the area in {file} cannot be read: {fault}"]) from None


def _circle(given: str) -> Any:
    try:
        lat, lon, radius = map(float, given.split(","))
    except ValueError:
        raise Refused([f"--circle {given!r} is not LAT,LON,METRES, such as 51.9225,4.4792,2000"]) from None
    return {"type": "circle", "lat": lat, "lon": lon, "radius": radius}


@app.command()
def hand_over(
    code: Code, room: Annotated[str, typer.Argument(help="The control room that takes it.")], why: Why = "hand-over"
) -> None:
    """Hand an action over to another control room: its callers, those in line too, go there."""

    async def work(base: Base) -> None:
        await Rooms(base.store).hand_over(code, room, by_command(why))
        await action_changed(base.redis)

    with_base(work)
    out.print(f"Action {code} is with room {room}.")
