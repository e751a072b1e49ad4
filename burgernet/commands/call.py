"""`burgernet call`: notes on calls, and talks that were recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from actions.talk_recordings import TalkRecordings
from actions.tips import Tips
from burgernet.base import Base
from burgernet.commands.links import LINK_SENT, LinkPurpose
from burgernet.commands.terminal import by_command, out, with_base
from burgernet.commands.tips import write_sound

app = typer.Typer(no_args_is_help=True, help="Calls: notes, recorded talks.")

Code = Annotated[str, typer.Argument(help="The spoken code of the action, such as 427.")]
Why = Annotated[str, typer.Option(help="Why, for the audit: reading police data is written down.")]


@app.command()
def note(
    call_id: Annotated[str, typer.Argument(help="The id of the call, as `burgernet call recordings` and /v1 show it.")],
    text: Annotated[str, typer.Option(help="What was seen or heard.")],
    operator: Annotated[str, typer.Option(help="Whose note it is, such as rotterdam-1.")] = "",
    why: Why = "an operator's note",
) -> None:
    """Keep an operator's note on a call, and so with its action (`burgernet action tips` lists it)."""
    with_base(
        lambda base: Tips(base.store, base.vaults.police).note_on_call(call_id, text, by_command(why), operator or None)
    )
    out.print(f"The note is kept with call {call_id}.", markup=False)


@app.command()
def link(
    call_id: Annotated[str, typer.Argument(help="The id of the call, as /v1 and `burgernet call recordings` show it.")],
    purpose: LinkPurpose,
    why: Why = "the caller has more to show",
) -> None:
    """Text the caller a link for one photo or place: it works once, for 15 minutes."""
    with_base(lambda base: base.link_texts.for_call(call_id, purpose, by_command(why)))
    out.print(LINK_SENT)


@app.command()
def notes(code: Code, why: Why = "to follow up calls") -> None:
    """List the notes that operators typed or spoke about an action; `burgernet action tip-sound` writes the spoken."""
    told = with_base(lambda base: Tips(base.store, base.vaults.police).of_action(code, by_command(why)))
    table = Table("time (UTC)", "operator", "note", "sound")
    for found in (tip for tip in told if tip.source == "note"):
        sound = found.id if found.has_sound else ""
        table.add_row(f"{found.received_at:%Y-%m-%d %H:%M:%S}", found.operator_id or "", found.said, sound)
    out.print(table)


@app.command()
def recordings(code: Code, why: Why = "to hear talks") -> None:
    """List the recorded talks about an action, newest first."""
    table = Table("recording", "call", "operator", "kept (UTC)", "seconds")
    for talk in with_base(lambda base: _recordings(base).of_action(code, by_command(why))):
        kept = f"{talk.kept_at:%Y-%m-%d %H:%M:%S}"
        table.add_row(talk.id, talk.call_id, talk.operator_id or "", kept, f"{talk.seconds:.0f}")
    out.print(table)


@app.command()
def recording(
    recording_id: Annotated[str, typer.Argument(help="From `burgernet call recordings`.")],
    file: Annotated[Path, typer.Argument(help="The WAV file to write; it must not be there yet.")],
    why: Why = "to hear a talk",
) -> None:
    """Write a recorded talk to a file, which only you may read."""
    write_sound(file, lambda base: _recordings(base).sound(recording_id, by_command(why)))


def _recordings(base: Base) -> TalkRecordings:
    return TalkRecordings(base.store, base.vaults.police)
