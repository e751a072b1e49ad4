"""Whether it lives, whether it can work, and its figures: for machines that watch."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import ClientSession
from redis.asyncio import Redis
from sqlmodel import col, select

from actions.books import Actor
from actions.call_book import CallBook
from actions.desk import NewAction
from actions.models import Delivery, DeliveryState, Message, now
from actions.numbers import read_number
from actions.store import Store
from burgernet.base import Base
from burgernet.embedded import free_port
from burgernet.settings import Settings
from burgernet.watched import watched
from telephony.place import Post, Roll
from telephony.waiting_line import WaitingLine
from tests.web.asking import CIRCLE, Asking, Site
from web import health
from web.health import Health
from web.metrics import LOOK_AT_LOOP_S, Metrics

BOUND_S = 10.0
TEXTS = {"nl": ("de Golf", "Kijk uit naar een blauwe Golf.")}
SAMPLE = re.compile(r"^(\w+(?:\{.*\})?) ([-+.\de]+)$", re.MULTILINE)


@asynccontextmanager
async def watching(base: Base) -> AsyncIterator[str]:
    """The private address of a process, served."""
    bind, ready = f"127.0.0.1:{free_port()}", asyncio.Event()
    private = Base(**{**vars(base), "settings": base.settings.model_copy(update={"metrics_bind": bind})})
    serving = asyncio.create_task(watched(private, ready))
    async with asyncio.timeout(BOUND_S):
        await ready.wait()
    try:
        yield f"http://{bind}"
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def figures_at(url: str) -> dict[str, float]:
    async with ClientSession() as client, client.get(f"{url}/metrics") as response:
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("text/plain")
        return {name: float(value) for name, value in SAMPLE.findall(await response.text())}


async def nobody_known() -> Roll:
    return Roll({})


# --- health ----------------------------------------------------------------------------------------------------------


async def test_a_process_with_database_and_redis_is_live_and_ready(site: Site) -> None:
    async with site.client.get(f"{site.url}/health/live") as live, site.client.get(f"{site.url}/health/ready") as ready:
        assert (live.status, await live.json()) == (200, {"status": "live"})
        assert (ready.status, await ready.json()) == (200, {"status": "ready", "away": []})
        assert ready.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("away", [["database"], ["redis"], ["database", "redis"]])
async def test_a_process_that_cannot_work_is_live_and_says_what_is_away_without_saying_where(
    base: Base, away: list[str]
) -> None:
    gone = Store.open("postgresql+asyncpg://someone:secret-word@127.0.0.1:1/gone")
    nobody = Redis.from_url("redis://:secret-word@127.0.0.1:1/0")
    parts = {"store": gone if "database" in away else base.store, "redis": nobody if "redis" in away else base.redis}
    async with (
        watching(Base(**{**vars(base), **parts})) as url,
        ClientSession(url) as client,
        client.get("/health/ready") as ready,
        client.get("/health/live") as live,
    ):
        assert (ready.status, live.status) == (503, 200)
        assert await ready.json() == {"status": "not ready", "away": away}
        assert "secret-word" not in await ready.text()
    await gone.close()
    await nobody.aclose()


async def test_however_many_ask_the_database_is_asked_once_a_second(
    base: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    async def counted(_: Health) -> None:
        nonlocal asked
        asked += 1

    monkeypatch.setattr(Health, "_ask_database", counted)
    looked = Health(base.store, base.redis)
    assert await asyncio.gather(*(looked.away() for _ in range(50))) == [[]] * 50
    assert asked == 1
    monkeypatch.setattr(health, "FRESH_S", 0.0)
    await looked.away()
    assert asked == 2


# --- metrics ---------------------------------------------------------------------------------------------------------


async def test_the_figures_of_the_work_are_told(base: Base, redis: Redis, actor: Actor) -> None:
    action = await base.desk.start_action(NewAction("look_out", "rotterdam", CIRCLE, TEXTS), actor)
    await base.desk.start_action(NewAction("look_out", "limburg", CIRCLE, TEXTS), actor)
    due, later = now() - timedelta(seconds=90), now() + timedelta(hours=1)
    async with base.store.writing() as session:
        message = (await session.exec(select(Message).order_by(col(Message.id)))).first()
        assert message is not None
        assert message.id is not None
        rows = [
            ("sms", DeliveryState.PENDING, due),
            ("sms", DeliveryState.PENDING, later),
            ("sms", DeliveryState.DELIVERED, due - timedelta(hours=1)),
            ("voice", DeliveryState.CONFIRMED, due),
        ]
        for place, (channel, state, moment) in enumerate(rows, start=1):
            session.add(
                Delivery(
                    message_id=message.id,
                    contact_point_id=place,
                    channel=channel,
                    language="nl",
                    state=state,
                    due_at=moment,
                )
            )
    await call(base.book, "call-1", ended=False)
    await call(base.book, "call-2", ended=True)
    line = WaitingLine(redis, "burgernet-one", nobody_known)
    await line.offer("rotterdam-1", Post("rotterdam"))
    async with line.waiting_for("limburg", "call-1", 20, datetime.now(UTC)), watching(base) as url:
        found = await figures_at(url)
    assert action.code not in str(found)
    assert found['burgernet_deliveries{channel="sms",state="pending"}'] == 2
    assert found['burgernet_deliveries{channel="sms",state="delivered"}'] == 1
    assert found['burgernet_deliveries{channel="voice",state="confirmed"}'] == 1
    assert found["burgernet_open_actions"] == 2
    assert found["burgernet_calls_in_progress"] == 1
    assert 90 <= found["burgernet_oldest_due_delivery_seconds"] < 90 + BOUND_S
    assert found['burgernet_callers_waiting{room="limburg"}'] == 1
    assert found['burgernet_operators_on_duty{room="rotterdam"}'] == 1
    assert found['burgernet_operators{room="rotterdam",state="idle"}'] == 1
    assert found['burgernet_known{source="database"}'] == found['burgernet_known{source="redis"}'] == 1


async def call(book: CallBook, call_id: str, *, ended: bool) -> None:
    await book.arrived(call_id, read_number("0612345678"), "08000011", now())
    if ended:
        await book.ended(call_id, "caller hung up")


async def test_what_is_over_is_not_told_any_more(base: Base, redis: Redis, actor: Actor) -> None:
    line = WaitingLine(redis, "burgernet-one", nobody_known)
    await line.offer("rotterdam-1", Post("rotterdam"))
    async with watching(base) as url:
        assert (await figures_at(url))['burgernet_operators_on_duty{room="rotterdam"}'] == 1
        await line.away("rotterdam-1")
        found = await figures_at(url)
    assert 'burgernet_operators_on_duty{room="rotterdam"}' not in found
    assert found["burgernet_oldest_due_delivery_seconds"] == 0


async def test_with_database_and_redis_away_the_process_still_tells_about_itself(base: Base) -> None:
    gone, nobody = Store.open("postgresql+asyncpg://a@127.0.0.1:1/gone"), Redis.from_url("redis://127.0.0.1:1/0")
    parts = {"store": gone, "redis": nobody, "metrics": Metrics(gone, nobody)}
    async with watching(Base(**{**vars(base), **parts})) as url:
        found = await figures_at(url)
    assert found['burgernet_known{source="database"}'] == found['burgernet_known{source="redis"}'] == 0
    assert "burgernet_event_loop_lag_seconds_count" in found
    await gone.close()
    await nobody.aclose()


async def test_requests_are_counted_by_route_and_status_never_by_address(everywhere: Asking, base: Base) -> None:
    assert (await everywhere.get("/v1/actions/123456")).status == 404
    assert (await everywhere.get("/v1/rooms/rotterdam")).status == 200
    assert (await everywhere.get("/v1/0612345678")).status == 404
    assert (await everywhere.ask("TRACE", "/v1/rooms")).status == 405
    async with watching(base) as url:
        found = await figures_at(url)
    requests = {name: count for name, count in found.items() if name.startswith("burgernet_http_requests_total")}
    assert requests == {
        'burgernet_http_requests_total{method="GET",route="/v1/actions/{id}",status="404"}': 1,
        'burgernet_http_requests_total{method="GET",route="/v1/rooms/{id}",status="200"}': 1,
        'burgernet_http_requests_total{method="any",route="none",status="404"}': 1,
        'burgernet_http_requests_total{method="any",route="none",status="405"}': 1,
    }


async def test_a_blocked_event_loop_shows_in_its_lag(base: Base) -> None:
    looking = asyncio.create_task(base.metrics.watch_loop())
    await asyncio.sleep(0)
    loop = asyncio.get_running_loop()
    over = loop.time() + LOOK_AT_LOOP_S + 0.3
    while loop.time() < over:
        pass  # as a slow piece of work would
    async with watching(base) as url:
        found = await figures_at(url)
    looking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await looking
    assert found["burgernet_event_loop_lag_seconds_sum"] >= 0.25


@pytest.mark.parametrize(
    "bind", ["0.0.0.0:9090", "[::]:9090", "8.8.8.8:9090", "burgernet.nl:9090", ":9090", "127.0.0.1", "127.0.0.1:x"]
)
def test_metrics_on_a_public_address_are_refused(settings: Settings, bind: str) -> None:
    with pytest.raises(ValueError, match="private network"):
        Settings(_env_file=None, **{**settings.model_dump(), "metrics_bind": bind})


@pytest.mark.parametrize("bind", ["", "127.0.0.1:9090", "[::1]:9090", "10.0.0.5:9090", "metrics:9090"])
def test_metrics_on_a_private_address_are_taken(settings: Settings, bind: str) -> None:
    assert Settings(_env_file=None, **{**settings.model_dump(), "metrics_bind": bind}).metrics_bind == bind
