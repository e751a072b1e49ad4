"""Looking ahead, searches and sightings over the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from actions.models import Sighting, now
from burgernet.base import Base
from tests.web.asking import ACTION, FOUND, Asking

WHERE = {"lat": 51.9225, "lon": 4.4792}


def moment(minutes: float = 0) -> str:
    return (now() - timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


def search(**more: object) -> dict[str, Any]:
    without = {name: value for name, value in ACTION.items() if name != "area"}
    return without | {"lastSeen": WHERE | {"seenAt": moment(5), "means": "child"}} | more


async def test_a_look_ahead_says_what_would_happen_and_changes_nothing(rotterdam: Asking) -> None:
    seen = await rotterdam.post("/v1/action-previews", ACTION | {"choice": {"languages": ["nl"], "minAge": 18}})
    assert seen.status == 200, seen.body
    assert (seen.body["people"], seen.body["exact"], seen.body["rings"]) == (0, True, [])
    assert seen.body["area"]["type"] == "Polygon"
    (ring,) = seen.body["area"]["coordinates"]
    assert ring[0] == ring[-1]
    assert (await rotterdam.get("/v1/actions")).body["items"] == []


async def test_a_look_ahead_at_another_rooms_region_is_refused(limburg: Asking) -> None:
    assert (await limburg.post("/v1/action-previews", ACTION)).status == 403


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"area": ACTION["area"]}, "say where, once"),
        ({"lastSeen": WHERE | {"seenAt": "yesterday", "means": "walk"}}, "#/lastSeen/seenAt"),
        ({"lastSeen": WHERE | {"seenAt": "2026-01-01T00:00:00", "means": "walk"}}, "#/lastSeen/seenAt"),
        ({"lastSeen": WHERE | {"seenAt": moment(), "means": "boat"}}, "#/lastSeen/means"),
        ({"lastSeen": WHERE | {"seenAt": moment(-90), "means": "walk"}}, "ahead of now"),
        ({"choice": {"minAge": 40, "maxAge": 30}}, "nobody would be told"),
    ],
)
async def test_a_search_that_makes_no_sense_is_refused(rotterdam: Asking, changes: dict[str, Any], said: str) -> None:
    for path in ("/v1/actions", "/v1/action-previews"):
        answer = await rotterdam.post(path, search(**changes))
        assert answer.status == 400, path
        assert said in " ".join(answer.faults)


async def test_a_search_moves_to_a_sighting(rotterdam: Asking, limburg: Asking, base: Base) -> None:
    made = (await rotterdam.post("/v1/actions", search(start=True, wakeReason="a child of four"))).body
    path = f"/v1/actions/{made['id']}/sightings"
    body = {"lat": 51.93, "lon": 4.5, "seenAt": moment(1), "heading": 90}
    assert (await limburg.post(path, body)).status == 404
    kept = await rotterdam.post(path, body)
    assert (kept.status, kept.body["heading"]) == (201, 90)
    assert (kept.body["lat"], kept.body["lon"]) == pytest.approx((51.93, 4.5), abs=1e-5)
    assert (await rotterdam.get(f"/v1/actions/{made['id']}")).body["area"] != made["area"]
    listed = await rotterdam.get(path)
    assert [one["id"] for one in listed.body["items"]] == [kept.body["id"]]


async def test_a_citizens_sighting_is_believed_over_the_api(rotterdam: Asking, base: Base) -> None:
    made = (await rotterdam.post("/v1/actions", search(start=True))).body
    other = (await rotterdam.post("/v1/actions", ACTION | {"start": True})).body
    sent = Sighting(action_id=made["id"], x=93_000, y=437_000, seen_at=now())
    sighting_id = sent.id
    async with base.store.writing() as session:
        session.add(sent)
    body = {"sighting": sighting_id, "why": "the coat is right"}
    assert (await rotterdam.post(f"/v1/actions/{other['id']}/sighting-confirmations", body)).status == 422
    path = f"/v1/actions/{made['id']}/sighting-confirmations"
    for _ in range(2):
        believed = await rotterdam.post(path, body)
        assert believed.status == 200
        assert believed.body["confirmedAt"]
    await rotterdam.post(f"/v1/actions/{made['id']}/results", {"outcome": "direct", "words": FOUND})
    late = {"lat": 51.93, "lon": 4.5, "seenAt": moment()}
    assert (await rotterdam.post(f"/v1/actions/{made['id']}/sightings", late)).status == 409
