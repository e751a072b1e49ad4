"""`burgernet action link`: a one-time link by text, to a number that is typed and stands nowhere else."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from actions.links import Purpose
from burgernet.commands.terminal import by_command, err, out, with_base

LINK_SENT = "The link is on its way. It works once, for 15 minutes."
LinkPurpose = Annotated[Purpose, typer.Argument(help="What is to be sent: a photo, or a place.")]
LONGEST = 40


def link(
    code: Annotated[str, typer.Argument(help="The spoken code of the action, such as 427.")],
    purpose: LinkPurpose = Purpose.PHOTO,
    language: Annotated[str, typer.Option(help="The language of the text and the page: nl or en.")] = "nl",
    why: Annotated[str, typer.Option(help="Why, for the audit.")] = "somebody has something to show",
) -> None:
    """Text somebody a link for one photo or place of an action. The mobile number is read from the terminal, not from
    the command: so it stands in no history and no list of processes."""
    if sys.stdin.isatty():
        err.print("Mobile number, then Enter:", markup=False)
    number = sys.stdin.readline(LONGEST).strip()
    known = "en" if language == "en" else "nl"
    with_base(lambda base: base.link_texts.for_action(code, number, purpose, known, by_command(why)))
    out.print(LINK_SENT)
