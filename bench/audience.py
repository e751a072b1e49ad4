"""`audience`: choosing an audience and writing it down, beside SQL written by hand for the same result."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from redis.asyncio import Redis
from sqlalchemy import func
from sqlmodel import select

from actions.books import Actor
from actions.desk import Desk, NewAction
from actions.geography import to_wgs
from actions.matching import OpenAction
from actions.models import Kind, now
from actions.seed import seed
from actions.store import Store, upgrade
from alerting.audience import Audiences
from alerting.audience.awaited import Awaited, read
from alerting.audience.cells import ground_of
from alerting.audience.chunks import chunks
from alerting.audience.quiet import minute_of
from alerting.audience.rows import as_deliveries, living_near
from alerting.queue import Queue
from bench.population import CITY_X, CITY_Y, populate
from bench.references import audience as by_hand
from bench.results import Figure, Goal
from burgernet.embedded import postgres_in, redis_server

NAME = "audience"
KEPT = Path("var/bench")
ME = Actor("bench", "bench", "to measure")
WORDS = {"nl": ("de blauwe Golf", "Kijk uit naar een blauwe Golf."), "en": ("the blue Golf", "Look out for it.")}
RADIUS = 2_000
TIMES = 9
LIMIT, AT_ONCE_S = 1.3, 1.0
OPTIONS = ("-cshared_buffers=1GB", "-cmax_wal_size=8GB", "-cwork_mem=64MB", "-cmaintenance_work_mem=512MB")


@dataclass(frozen=True)
class Place:
    """One PostgreSQL with the people in it; `raw` is a connection without the product."""

    store: Store
    redis: Redis
    desk: Desk
    raw: asyncpg.Connection

    async def starts(self, kind: Kind, area: dict[str, Any]) -> OpenAction:
        return await self.desk.start_action(NewAction(kind, "rotterdam", area, WORDS), ME)

    async def message(self, action: OpenAction) -> int:
        return int(await self.raw.fetchval("SELECT max(id) FROM desk.message WHERE action_id = $1", action.id))

    async def emptied(self) -> None:
        """No deliveries, no message that waits, and nothing left to flush that another measured part caused."""
        await self.raw.execute("TRUNCATE desk.delivery, desk.attempt")
        await self.raw.execute("UPDATE desk.message SET audience_written_at = now(), stopped_at = now()")
        await self.raw.execute("CHECKPOINT")


async def run(people: int) -> list[Figure]:
    """Needs PostgreSQL; with PostGIS beside it also tells what that takes."""
    async with _place(people) as place:
        return [
            *await _circle(place),
            *await _nation(place),
            *await _in_the_middle(place),
        ]


@asynccontextmanager
async def _place(people: int) -> AsyncIterator[Place]:
    with _folder() as folder, postgres_in(folder, OPTIONS) as postgres, redis_server() as redis_url:
        await asyncio.to_thread(upgrade, postgres.url)
        store, redis = Store.open(postgres.url), Redis.from_url(redis_url, decode_responses=True, socket_timeout=None)
        raw = await asyncpg.connect(postgres.url.replace("+asyncpg", ""))
        try:
            await seed(store, ME, operators_a_room=1)
            print(f"writing {people:,} participants", flush=True)
            await populate(raw, people, minute_of(now()))
            yield Place(store, redis, Desk(store), raw)
        finally:
            await raw.close()
            await redis.aclose()
            await store.close()


@contextmanager
def _folder() -> Iterator[Path]:
    """What the bench needs of the disk, some gigabytes for millions, is given back."""
    KEPT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="audience-", dir=KEPT.resolve(), ignore_cleanup_errors=True) as folder:
        # The server runs as a user of its own, and must get there.
        Path(folder).chmod(0o755)
        yield Path(folder)


# --- choosing --------------------------------------------------------------------------------------------------------


async def _circle(place: Place) -> list[Figure]:
    """Who is in a circle of 2 km, chosen and not written: the time to count them in the database, without the time to
    read them, which is the same for both."""
    await place.emptied()
    lat, lon = to_wgs(CITY_X, CITY_Y)
    action = await place.starts(Kind.LOOK_OUT, {"type": "circle", "lat": lat, "lon": lon, "radius": RADIUS})
    awaited = await read(place.store, await place.message(action))
    assert awaited is not None
    statement, given = await _by_hand(place, awaited, RADIUS)
    ours, theirs = await _ids_of_ours(place, awaited), await _ids_by_hand(place, statement, given)

    async def counted_by_hand() -> None:
        await place.raw.fetchval(f"SELECT count(*) FROM ({statement}) chosen", *given)

    our_s, hand_s = await _in_turns(lambda: _count_ours(place, awaited), counted_by_hand)
    return [
        Figure(
            NAME, "choose a circle of 2 km", our_s * 1000, "ms", hand_s * 1000, Goal(at_most=LIMIT, of_reference=True)
        ),
        Figure(NAME, "deliveries in it", len(ours), "rows"),
        Figure(NAME, "deliveries in it that differ", len(ours ^ theirs), "rows", goal=Goal(at_most=0)),
        *await _beside_postgis(place, awaited),
    ]


async def _by_hand(place: Place, awaited: Awaited, radius: float | None) -> tuple[str, list[Any]]:
    action = awaited.action
    given: list[Any] = [awaited.message.id, action.x, action.y, radius, awaited.kind.bit, minute_of(now()), now()]
    if radius is None:
        return by_hand.AUDIENCE.format(where=by_hand.EVERYWHERE), given
    ground = await ground_of(place.store, action.area, action.x, action.y)
    return by_hand.AUDIENCE.format(where=by_hand.IN_A_CIRCLE), [*given, ground.cells.tolist()]


async def _count_ours(place: Place, awaited: Awaited) -> None:
    async for chunk in chunks(place.store, awaited):
        at = now()
        assert chunk.ring is not None
        chosen = as_deliveries(place.store, awaited, at, living_near(awaited, at, chunk.ring, chunk.where)).subquery()
        async with place.store.reading(transaction=True) as session:
            await place.store.by_index(session)
            await session.exec(select(func.count()).select_from(chosen))


async def _ids_of_ours(place: Place, awaited: Awaited) -> set[tuple[int, str]]:
    found: set[tuple[int, str]] = set()
    async for chunk in chunks(place.store, awaited):
        at = now()
        assert chunk.ring is not None
        rows = living_near(awaited, at, chunk.ring, chunk.where)
        async with place.store.reading() as session:
            chosen = as_deliveries(place.store, awaited, at, rows)
            found |= {(row[1], row[2]) for row in await session.exec(chosen)}  # type: ignore[call-overload]
    return found


async def _ids_by_hand(place: Place, statement: str, given: list[Any]) -> set[tuple[int, str]]:
    return {(row["contact_point_id"], row["channel"]) for row in await place.raw.fetch(statement, *given)}


async def _in_turns(ours: Callable[[], Awaitable[None]], theirs: Callable[[], Awaitable[None]]) -> tuple[float, float]:
    """The medians of both, in seconds, one after the other so that a busy moment hits both."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(TIMES):
        for times, work in zip(taken, (ours, theirs), strict=True):
            begun = time.perf_counter()
            await work()
            times.append(time.perf_counter() - begun)
    return statistics.median(taken[0]), statistics.median(taken[1])


async def _beside_postgis(place: Place, awaited: Awaited) -> list[Figure]:
    """Finding the places alone: by cells, and by ST_Contains on an index of its own. Nothing without PostGIS."""
    raw, action = place.raw, awaited.action
    with contextlib.suppress(asyncpg.UndefinedFileError, asyncpg.FeatureNotSupportedError):
        await raw.execute("CREATE EXTENSION IF NOT EXISTS postgis")
        await raw.execute("CREATE TABLE spot AS SELECT id, ST_Point(x, y, 28992) AS at FROM register.address")
        await raw.execute("CREATE INDEX ON spot USING gist (at)")
        await raw.execute("VACUUM ANALYZE spot")
        ground = await ground_of(place.store, action.area, action.x, action.y)
        by_cells = (
            "SELECT count(*) FROM register.address a WHERE a.cell = ANY($4::int[]) "
            "AND (a.x - $1) ^ 2 + (a.y - $2) ^ 2 <= $3::float ^ 2"
        )
        contains = "SELECT count(*) FROM spot WHERE ST_Contains(ST_Buffer(ST_Point($1, $2, 28992), $3, 128), at)"
        place_of = (action.x, action.y, float(RADIUS))
        cells = ground.cells.tolist()

        async def ours() -> None:
            await raw.fetchval(by_cells, *place_of, cells)

        async def theirs() -> None:
            await raw.fetchval(contains, *place_of)

        our_s, their_s = await _in_turns(ours, theirs)
        return [
            Figure(NAME, "find the places alone, beside ST_Contains of PostGIS", our_s * 1000, "ms", their_s * 1000)
        ]
    return []


# --- writing ---------------------------------------------------------------------------------------------------------


async def _nation(place: Place) -> list[Figure]:
    """An AMBER for everybody, and its result; each beside one INSERT ... SELECT into a table as empty."""
    await place.emptied()
    action = await place.starts(Kind.AMBER, {"type": "nation"})
    awaited = await read(place.store, await place.message(action))
    assert awaited is not None
    statement, given = await _by_hand(place, awaited, None)
    hand_s = await _timed(place.raw.execute(f"INSERT INTO desk.delivery ({by_hand.COLUMNS}) {statement}", *given))
    await place.raw.execute(
        "CREATE TABLE written_by_hand AS SELECT contact_point_id, channel, language FROM desk.delivery"
    )
    await place.raw.execute("TRUNCATE desk.delivery")
    await place.raw.execute("CHECKPOINT")
    first_s, our_s = await _written(place)
    rows, differ = await _compared(place)
    result = await _result(place, action)
    return [
        Figure(NAME, "write an audience of the nation", our_s, "s", hand_s, Goal(at_most=LIMIT, of_reference=True)),
        Figure(NAME, "deliveries of the nation", rows, "rows"),
        Figure(NAME, "deliveries of the nation that differ", differ, "rows", goal=Goal(at_most=0)),
        Figure(NAME, "from the start until the first text can leave", first_s, "s", goal=Goal(at_most=AT_ONCE_S)),
        result,
    ]


async def _timed(work: Awaitable[Any]) -> float:
    begun = time.perf_counter()
    await work
    return time.perf_counter() - begun


async def _written(place: Place) -> tuple[float, float]:
    """Seconds until a dispatcher got the first text of the most urgent message, and until all audiences are written."""
    begun = time.perf_counter()
    first = asyncio.create_task(_first_text(place))
    audiences = Audiences(place.store, place.redis)
    while await audiences.step():
        pass
    all_s = time.perf_counter() - begun
    return await first - begun, all_s


async def _first_text(place: Place, code: str | None = None) -> float:
    """When a dispatcher gets a text, of the action with this code if given."""
    queue = Queue(place.store, "sms", "bench", 600.0)
    async with asyncio.timeout(600):
        while True:
            batch = await queue.claim(1)
            if [claimed for claimed in batch if code in (None, claimed.notice.code)]:
                return time.perf_counter()
            await asyncio.sleep(0.02)


async def _compared(place: Place) -> tuple[int, int]:
    columns = "contact_point_id, channel, language"
    ours, theirs = f"SELECT {columns} FROM desk.delivery", f"SELECT {columns} FROM written_by_hand"
    differ = f"SELECT count(*) FROM (({ours} EXCEPT {theirs}) UNION ALL ({theirs} EXCEPT {ours})) differ"
    return await place.raw.fetchval("SELECT count(*) FROM desk.delivery"), await place.raw.fetchval(differ)


async def _result(place: Place, action: OpenAction) -> Figure:
    alert = await place.message(action)
    await place.raw.execute("UPDATE desk.delivery SET state = 'delivered'")
    await place.raw.execute("VACUUM ANALYZE desk.delivery")
    await place.desk.end_action(action.code, "direct", WORDS, ME)
    result = await place.message(action)
    hand_s = await _timed(place.raw.execute(by_hand.RESULT, result, alert, now()))
    await place.raw.execute("DELETE FROM desk.delivery WHERE message_id = $1", result)
    await place.raw.execute("VACUUM desk.delivery")
    await place.raw.execute("CHECKPOINT")
    audiences = Audiences(place.store, place.redis)
    begun = time.perf_counter()
    while await audiences.step():
        pass
    our_s = time.perf_counter() - begun
    return Figure(NAME, "write the result for all of them", our_s, "s", hand_s, Goal(at_most=LIMIT, of_reference=True))


# --- others meanwhile ------------------------------------------------------------------------------------------------


async def _in_the_middle(place: Place) -> list[Figure]:
    """While a look-out for everybody is being written an AMBER starts, and then the look-out ends."""
    await place.emptied()
    wide = await place.starts(Kind.LOOK_OUT, {"type": "nation"})
    audiences = Audiences(place.store, place.redis)
    for _ in range(8):
        await audiences.step()
    lat, lon = to_wgs(CITY_X, CITY_Y)
    begun = time.perf_counter()
    amber = await place.starts(Kind.AMBER, {"type": "circle", "lat": lat, "lon": lon, "radius": RADIUS})
    first = asyncio.create_task(_first_text(place, amber.code))
    for _ in range(100):
        if first.done() or not await audiences.step():
            break
    amber_s = await first - begun
    writing = asyncio.create_task(_to_the_end(audiences))
    await place.desk.end_action(wide.code, "none", WORDS, ME)
    counting = (
        "SELECT count(*) FROM desk.delivery d JOIN desk.message m ON m.id = d.message_id "
        "WHERE m.action_id = $1 AND m.kind = 'alert'"
    )
    at_the_end = await place.raw.fetchval(counting, wide.id)
    await writing
    after = await place.raw.fetchval(counting, wide.id) - at_the_end
    return [
        Figure(NAME, "first text of an AMBER while a nation is written", amber_s, "s", goal=Goal(at_most=AT_ONCE_S)),
        Figure(NAME, "deliveries written after the end of the action", after, "rows", goal=Goal(at_most=0)),
    ]


async def _to_the_end(audiences: Audiences) -> None:
    while await audiences.step():
        pass
