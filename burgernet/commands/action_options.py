"""What can be chosen with an action when it is typed: whom to wake, whom it is for, where somebody was last seen."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated

import typer

from actions.desk import Refused
from actions.models import now
from actions.options import Options
from actions.search import Means, Search
from alerting.audience.quiet import ZONE

WakeReason = Annotated[
    str, typer.Option(help="Why it may wake people who did not ask to be woken: 'a child of four, it freezes'.")
]
Language = Annotated[list[str] | None, typer.Option(help="Only participants with this language (may be given twice).")]
MinAge = Annotated[int | None, typer.Option(help="Only participants of this age or older.")]
MaxAge = Annotated[int | None, typer.Option(help="Only participants of this age or younger.")]
LastSeen = Annotated[
    str,
    typer.Option(help="Instead of an area: where somebody was last seen, LAT,LON. The area then grows with time."),
]
SeenAt = Annotated[
    str, typer.Option(help="When: 14:05 (the last one, Dutch time) or 2026-11-28T14:05. Empty: just now.")
]
By = Annotated[Means, typer.Option(help="How the one who is looked for moves.")]
Heading = Annotated[int | None, typer.Option(help="Where to, in degrees from north: 90 is east.")]


def options(wake_reason: str, language: list[str] | None, min_age: int | None, max_age: int | None) -> Options:
    return Options(wake_reason or None, tuple(language or ()), min_age, max_age)


def search(last_seen: str, seen_at: str, means: Means, heading: int | None) -> Search | None:
    """None without a place. Raises Refused when it cannot be read."""
    if not last_seen:
        return None
    lat, lon = place(last_seen, "--last-seen")
    return Search(lat, lon, moment(seen_at), means, heading)


def place(given: str, option: str) -> tuple[float, float]:
    """Latitude and longitude. Raises Refused."""
    try:
        lat, lon = map(float, given.split(","))
    except ValueError:
        raise Refused([f"{option} {given!r} is not LAT,LON, such as 51.9225,4.4792"]) from None
    return lat, lon


def moment(given: str) -> datetime:
    """A moment as people say it: nothing is now, a time is the last one there was, a date and a time are local unless
    they have an offset. Raises Refused."""
    if not given:
        return now()
    try:
        if re.fullmatch(r"\d{1,2}:\d\d", given):
            local = now().astimezone(ZONE)
            hour, minute = map(int, given.split(":"))
            found = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
            return found if found <= local else found - timedelta(days=1)
        found = datetime.fromisoformat(given)
    except ValueError:
        raise Refused([f"{given!r} is no time: write 14:05 or 2026-11-28T14:05"]) from None
    return found if found.tzinfo else found.replace(tzinfo=ZONE)
