"""The bench of audiences compares like with like: SQL written by hand finds the same people."""

from __future__ import annotations

import asyncpg
import pytest
from redis.asyncio import Redis

from actions.desk import Desk
from actions.models import now
from actions.store import Store
from alerting.audience.quiet import minute_of
from bench import audience
from bench.population import populate

PEOPLE = 12_000


@pytest.fixture
def database_url(postgres_url: str) -> str:
    """The bench speaks of PostgreSQL alone."""
    return postgres_url


async def test_sql_by_hand_finds_the_same_people(country: Store, database_url: str, redis: Redis) -> None:
    raw = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    try:
        await populate(raw, PEOPLE, minute_of(now()))
        place = audience.Place(country, redis, Desk(country), raw)
        found = {
            figure.figure: figure.value for figure in (*await audience._circle(place), *await audience._nation(place))
        }
    finally:
        await raw.close()
    assert found["deliveries in it"] > 30
    assert found["deliveries in it that differ"] == 0
    assert found["deliveries of the nation"] > PEOPLE
    assert found["deliveries of the nation that differ"] == 0
