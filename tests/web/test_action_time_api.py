"""How long an action stays open, over the API."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.web.asking import ACTION, Asking


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The transactions themselves are tested on both databases."""
    return sqlite_url


def open_for(action: dict[str, Any]) -> timedelta:
    return datetime.fromisoformat(action["endsAt"]) - datetime.fromisoformat(action["startedAt"])


async def test_an_action_tells_when_it_ends_by_itself(rotterdam: Asking) -> None:
    usual = (await rotterdam.post("/v1/actions", ACTION | {"start": True})).body
    assert open_for(usual) == timedelta(hours=4)
    short = (await rotterdam.post("/v1/actions", ACTION | {"start": True, "endsAfter": 45})).body
    assert open_for(short) == timedelta(minutes=45)
    draft = (await rotterdam.post("/v1/actions", ACTION)).body
    assert draft["endsAt"] is None
    started = (await rotterdam.post(f"/v1/actions/{draft['id']}/alerts", {"endsAfter": 30})).body
    assert open_for(started) == timedelta(minutes=30)


async def test_an_extension_moves_the_end(rotterdam: Asking, limburg: Asking) -> None:
    action = (await rotterdam.post("/v1/actions", ACTION | {"start": True, "endsAfter": 30})).body
    address = f"/v1/actions/{action['id']}/extensions"
    assert (await limburg.post(address, {"minutes": 60})).status == 404
    longer = await rotterdam.post(address, {"minutes": 60})
    assert longer.status == 200
    assert timedelta(minutes=60) <= open_for(longer.body) < timedelta(minutes=61)
    shorter = await rotterdam.post(address, {"minutes": 5})
    assert (shorter.status, shorter.body["detail"]) == (400, "the request has faults: see `errors`")
    assert "it stays open until" in shorter.faults[0]


async def test_only_an_open_action_is_extended(rotterdam: Asking) -> None:
    draft = (await rotterdam.post("/v1/actions", ACTION)).body
    refused = await rotterdam.post(f"/v1/actions/{draft['id']}/extensions", {"minutes": 60})
    assert (refused.status, refused.body["detail"]) == (
        409,
        "the action is draft: only an open action can be extended",
    )


@pytest.mark.parametrize("minutes", [0, -5, 20_161, "60", None, 1.5])
async def test_a_time_that_makes_no_sense_is_a_fault(rotterdam: Asking, minutes: object) -> None:
    assert (await rotterdam.post("/v1/actions/1/extensions", {"minutes": minutes})).status == 400
