"""Sightings of an action: where somebody was seen, and which of it is believed."""

from __future__ import annotations

from collections.abc import Sequence

from actions.models import Sighting
from actions.sightings import Seen, place_of
from alerting.bell import action_changed
from web.access.tokens import Scope
from web.api.actions import NO_ACTION, TOO_LATE, visible
from web.api.answers import SightingOut, SightingsOut
from web.api.endpoint import Asked, Endpoint, Office, Reply
from web.api.problem import Problem
from web.api.shapes import ActionPath, ConfirmationBody, SightingBody


async def list_sightings(office: Office, asked: Asked, path: ActionPath) -> Reply[SightingsOut]:
    await visible(office, asked, path.id)
    found = await office.sightings.of_action(path.id, asked.by())
    return Reply(SightingsOut(items=[_out(one) for one in found]))


async def add_sighting(office: Office, asked: Asked, path: ActionPath, body: SightingBody) -> Reply[SightingOut]:
    await visible(office, asked, path.id)
    seen = Seen(body.lat, body.lon, body.seen_at, body.heading)
    kept = await office.sightings.add(path.id, seen, asked.by(body.why))
    await action_changed(office.redis)
    return Reply(_out(kept), 201, f"/v1/actions/{path.id}/sightings")


async def confirm_sighting(
    office: Office, asked: Asked, path: ActionPath, body: ConfirmationBody
) -> Reply[SightingOut]:
    await visible(office, asked, path.id)
    if not await office.sightings.known(body.sighting, path.id):
        raise Problem(422, f"there is no sighting {body.sighting} of this action: GET .../sightings lists them")
    kept = await office.sightings.confirm(body.sighting, asked.by(body.why), path.id)
    await action_changed(office.redis)
    return Reply(_out(kept))


def _out(one: Sighting) -> SightingOut:
    lat, lon = place_of(one)
    return SightingOut(
        id=one.id,
        lat=round(lat, 6),
        lon=round(lon, 6),
        accuracy=one.accuracy,
        heading=one.heading,
        seen_at=one.seen_at,
        received_at=one.received_at,
        confirmed_at=one.confirmed_at,
    )


ENDPOINTS: Sequence[Endpoint] = (
    Endpoint(
        "GET",
        "/actions/{id}/sightings",
        Scope.TIPS_READ,
        "Where somebody was seen, the newest first",
        list_sightings,
        refuses=NO_ACTION,
    ),
    Endpoint(
        "POST",
        "/actions/{id}/sightings",
        Scope.TIPS_WRITE,
        "Keep a sighting that you believe; a search moves there",
        add_sighting,
        gives={201: "The sighting"},
        refuses=NO_ACTION | TOO_LATE,
    ),
    Endpoint(
        "POST",
        "/actions/{id}/sighting-confirmations",
        Scope.TIPS_WRITE,
        "Believe a sighting that a citizen sent; a search moves there",
        confirm_sighting,
        refuses=NO_ACTION | TOO_LATE | {422: "The action has no such sighting"},
    ),
)
