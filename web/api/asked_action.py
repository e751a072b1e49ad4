"""An action as it is asked for through the API."""

from __future__ import annotations

from datetime import timedelta

from actions.desk import NewAction, Refused
from actions.models import now
from actions.options import Options
from actions.search import Search
from web.api.shapes import ActionBody


def new_action(body: ActionBody, room: str | None) -> NewAction:
    """Raises Refused when the place where somebody was last seen makes no search."""
    search = _search(body)
    area = body.area.model_dump() if body.area else search.area(body.kind, now()) if search else None
    return NewAction(
        body.kind,
        body.region,
        area,
        body.words.plain(),
        body.operator,
        room,
        exercise=body.exercise,
        ends_after=None if body.ends_after is None else timedelta(minutes=body.ends_after),
        options=_options(body),
        search=search,
    )


def _search(body: ActionBody) -> Search | None:
    if body.last_seen is None:
        return None
    seen = body.last_seen
    search = Search(seen.lat, seen.lon, seen.seen_at, seen.means, seen.heading)
    if faults := search.faults(now()):
        raise Refused(faults)
    return search


def _options(body: ActionBody) -> Options:
    if body.choice is None:
        return Options(body.wake_reason)
    return Options(body.wake_reason, tuple(body.choice.languages or ()), body.choice.min_age, body.choice.max_age)
