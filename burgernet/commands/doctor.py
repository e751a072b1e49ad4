"""`burgernet doctor`: a table of what works; exit status 1 when something is red."""

from __future__ import annotations

import typer
from rich.table import Table
from rich.text import Text

from burgernet.commands.terminal import out, with_base
from burgernet.doctor import Colour, examine


def doctor() -> None:
    """Ask every part whether it works: database, keys, Redis, Asterisk, prompts, trunk, Twilio, operators."""
    findings = with_base(examine)
    table = Table("part", "", "found")
    for finding in findings:
        table.add_row(finding.part, Text(finding.colour, style=finding.colour), Text(finding.words))
    out.print(table)
    if any(finding.colour is Colour.RED for finding in findings):
        raise typer.Exit(1)
