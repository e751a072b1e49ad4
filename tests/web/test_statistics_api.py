"""Statistics over the API."""

from __future__ import annotations

import pytest

from actions.statistics import months_until
from tests.web.asking import ACTION, FOUND, Asking


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The statistics themselves are tested on both databases."""
    return sqlite_url


async def test_statistics_stand_beside_the_goal_and_each_room_sees_its_own(
    everywhere: Asking, rotterdam: Asking, limburg: Asking
) -> None:
    first = (await everywhere.post("/v1/actions", ACTION | {"start": True})).body
    await everywhere.post("/v1/actions", ACTION | {"start": True})
    await everywhere.post(f"/v1/actions/{first['id']}/results", {"outcome": "indirect", "words": FOUND})
    found = await rotterdam.get("/v1/statistics")
    assert found.body == (await everywhere.get("/v1/statistics", months=12)).body
    assert found.body["goal"] == {"directShare": 0.1, "indirectShare": 0.4}
    (item,) = found.body["items"]
    assert item == {
        "month": months_until(None, 1)[0],
        "kind": "look_out",
        "region": "rotterdam",
        "actions": 2,
        "ended": 1,
        "direct": 0,
        "indirect": 1,
        "directShare": 0.0,
        "indirectShare": 1.0,
        "people": 0,
        "reached": 0,
        "calls": 0,
        "tips": 0,
        "firstAlert": None,
        "firstCall": None,
    }
    assert (await limburg.get("/v1/statistics")).body["items"] == []
    assert (await everywhere.get("/v1/statistics", month="2025-01")).body["items"] == []


@pytest.mark.parametrize("query", [{"month": "2026-13"}, {"month": "november"}, {"months": 0}, {"months": 37}])
async def test_a_month_that_is_none_is_a_fault(everywhere: Asking, query: dict[str, object]) -> None:
    assert (await everywhere.get("/v1/statistics", **query)).status == 400
