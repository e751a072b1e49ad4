"""What a start would do, drawn in the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group
from rich.table import Table

from alerting.audience.preview import Preview, Ring
from alerting.bounds import EURO

BAR = 40


def drawn(found: Preview) -> Group:
    """How many, by which channel, how long, for how much; a bar for each ring; whom it wakes."""
    about = "" if found.exact else "about "
    people, points = f"{about}{found.people:,.0f}", f"{about}{found.contact_points:,.0f}"
    head = f"It reaches {people} people on {points} telephones, mailboxes and browsers."
    return Group(head, _channels(found), _rings(found.rings), *_night(found))


def _channels(found: Preview) -> Table:
    table = Table("channel", "now", "after quiet hours", "the wave takes", "costs")
    for name in sorted(found.channels):
        channel = found.channels[name]
        cost = f"€ {channel.micro_euros / EURO:,.2f}" if channel.micro_euros else "no price is set"
        table.add_row(name, f"{channel.now:,.0f}", f"{channel.later:,.0f}", _duration(channel.seconds), cost)
    return table


def _rings(rings: list[Ring]) -> Table:
    table = Table("ring", "up to", "deliveries", "")
    most = max((ring.deliveries for ring in rings), default=1)
    for ring in rings:
        bar = "█" * max(round(BAR * ring.deliveries / most), 1)
        table.add_row(str(ring.number), f"{ring.metres / 1000:.1f} km", f"{ring.deliveries:,.0f}", f"[cyan]{bar}[/]")
    return table


def _night(found: Preview) -> Iterator[str]:
    if found.woken_by_choice:
        yield f"It rings in quiet hours on {found.woken_by_choice:,.0f} that chose to be woken by this kind of action."
    if found.woken_for_reason:
        yield f"It rings in quiet hours on {found.woken_for_reason:,.0f} that did not: for the reason you gave."
    if found.left_asleep:
        yield f"{found.left_asleep:,.0f} wait for the end of their quiet hours; --wake-reason would wake them."


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
