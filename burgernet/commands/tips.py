"""`burgernet action tips`, `note` and `tip-sound`: what citizens reported, and what operators add to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from actions.desk import Refused
from actions.tips import Tips, Told
from burgernet.base import Base
from burgernet.commands.terminal import by_command, out, with_base

Code = Annotated[str, typer.Argument(help="The spoken code of the action, such as 427.")]
Why = Annotated[str, typer.Option(help="Why, for the audit: reading police data is written down.")]


def tips(
    code: Annotated[str, typer.Argument(help="The code of the action; empty: tips of which nobody knows it.")] = "",
    why: Why = "to follow up tips",
) -> None:
    """List the tips of an action, newest first: from where, when, how sure, and what they say."""

    async def work(base: Base) -> list[Told]:
        kept = _tips(base)
        return await (kept.of_action(code, by_command(why)) if code else kept.of_no_action(by_command(why)))

    found = with_base(work)
    if not found:
        out.print(f"No tips about action {code} yet." if code else "Every tip has its action.", markup=False)
        return
    columns = ("source", "time (UTC)", "room", "matched by", "sure", "tip", "sound", "photos")
    table = Table(*columns, show_lines=True)
    for told in found:
        # What a citizen wrote is shown as it is: no markup in it counts.
        row = (told.source, f"{told.received_at:%Y-%m-%d %H:%M:%S}", told.room_id, _matched(told), _sure(told))
        table.add_row(
            *(Text(cell or "") for cell in (*row, told.said, told.id if told.has_sound else "", " ".join(told.photos)))
        )
    if any(told.exercise for told in found):
        out.print("This is an exercise: nothing of it is for real.")
    out.print(table)


def note(
    code: Code,
    text: Annotated[str, typer.Argument(help="What was seen or heard.")],
    operator: Annotated[str, typer.Option(help="Whose note it is, such as rotterdam-1.")] = "",
    why: Why = "an operator's note",
) -> None:
    """Keep an operator's note with an action."""
    with_base(lambda base: _tips(base).note(code, text, by_command(why), operator or None))
    out.print(f"The note is kept with action {code}.", markup=False)


def tip_sound(
    tip_id: Annotated[str, typer.Argument(help="The id in the column 'sound' of `burgernet action tips`.")],
    file: Annotated[Path, typer.Argument(help="The WAV file to write; it must not be there yet.")],
    why: Why = "to hear a tip",
) -> None:
    """Write the recording of a tip to a file, which only you may read."""
    write_sound(file, lambda base: _tips(base).sound(tip_id, by_command(why)))


def tip_photo(
    photo_id: Annotated[str, typer.Argument(help="The id in the column 'photos' of `burgernet action tips`.")],
    file: Annotated[Path, typer.Argument(help="The JPEG file to write; it must not be there yet.")],
    why: Why = "to look at a tip",
) -> None:
    """Write a photo of a tip to a file, which only you may read."""
    write_privately(file, lambda base: _tips(base).photo(photo_id, by_command(why)))
    out.print(f"The photo is in {file}. Remove it when you have seen it.", markup=False)


def write_sound(file: Path, sound: Callable[[Base], Awaitable[bytes]]) -> None:
    """Writes a recording to a new file that only its owner may read. Raises Refused, and what `sound` raises."""
    write_privately(file, sound)
    out.print(f"The recording is in {file}. Remove it when you have heard it.", markup=False)


def write_privately(file: Path, content: Callable[[Base], Awaitable[bytes]]) -> None:
    """Writes to a new file that only its owner may read. Raises Refused, and what `content` raises."""
    if file.exists():
        raise Refused([f"{file} is there already; name another file"])
    given = with_base(content)
    try:
        file.touch(mode=0o600, exist_ok=False)
        file.write_bytes(given)
    except OSError as fault:
        raise Refused([f"{file} cannot be written: {fault.strerror}"]) from None


def _tips(base: Base) -> Tips:
    return Tips(base.store, base.vaults.police)


def _matched(told: Told) -> str:
    return told.how or told.operator_id or ""


def _sure(told: Told) -> str:
    return "" if told.confidence is None else f"{told.confidence:.0%}"
