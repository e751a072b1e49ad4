"""`burgernet sightings` and `burgernet action sighting`: where somebody was seen, and which of it is believed."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from actions.sightings import Seen, Sightings, place_of
from alerting.bell import action_changed
from burgernet.base import Base
from burgernet.commands.action_options import Heading, SeenAt, moment, place
from burgernet.commands.terminal import by_command, out, with_base

Code = Annotated[str, typer.Argument(help="The spoken code of the action, such as 427.")]


def sighting(
    code: Code,
    at: Annotated[str, typer.Option(help="Where, as LAT,LON: 51.9225,4.4792")],
    seen_at: SeenAt = "",
    heading: Heading = None,
    why: Annotated[str, typer.Option(help="Why it is believed, for the audit.")] = "a sighting that is believed",
) -> None:
    """Keep a sighting that you believe: a search goes on from there, and those newly covered are alerted."""
    seen = Seen(*place(at, "--at"), moment(seen_at), heading)

    async def work(base: Base) -> str:
        kept = await Sightings(base.store).add(code, seen, by_command(why))
        await action_changed(base.redis)
        return kept.id

    out.print(f"Sighting {with_base(work)} of action {code} is kept.")


def sightings(
    code: Code,
    confirm: Annotated[str, typer.Option(help="The id of a sighting that you believe now.")] = "",
    why: Annotated[str, typer.Option(help="Why, for the audit.")] = "looking at what was seen",
) -> None:
    """List where somebody was seen, the newest first; or believe one of them."""

    async def work(base: Base) -> Table:
        if confirm:
            await Sightings(base.store).confirm(confirm, by_command(why))
            await action_changed(base.redis)
        table = Table("sighting", "seen (UTC)", "at", "heading", "believed")
        for one in await Sightings(base.store).of_action(code, by_command(why)):
            lat, lon = place_of(one)
            believed = f"{one.confirmed_at:%H:%M}" if one.confirmed_at else "not yet"
            heading = "" if one.heading is None else f"{one.heading}°"
            table.add_row(one.id, f"{one.seen_at:%Y-%m-%d %H:%M}", f"{lat:.5f},{lon:.5f}", heading, believed)
        return table

    out.print(with_base(work))
