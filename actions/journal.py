"""What happened, read from the outbox in its order, each once: for the live stream, for whoever comes back to it.

On PostgreSQL an id is given out before its row is committed: row 12 may be there before row 11. Whoever simply reads on
from the highest id would never see 11. Here a gap is passed only when all transactions that could fill it are over.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, text
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.models import Action, Operator, Outbox, now
from actions.store import Store

log = logging.getLogger(__name__)

# A transaction that stays open for longer than this keeps nobody waiting.
LONGEST_GAP_S = 30.0
BEGIN_S, LOOK_S = 5.0, 0.05
PRUNED_AT_ONCE = 10_000
_SNAPSHOT = text(
    "SELECT pg_snapshot_xmin(now)::text::bigint, pg_snapshot_xmax(now)::text::bigint FROM pg_current_snapshot() AS now"
)


@dataclass(frozen=True)
class News:
    """One thing that happened. `subject`: the id of what it is about; `room_id`: whose it is, None: of no room."""

    id: int
    at: datetime
    kind: str
    subject: str
    data: Mapping[str, Any]
    room_id: str | None


class Journal:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def bounds(self) -> tuple[int, int]:
        """The lowest and the highest id that are kept; (0, 0) when nothing is."""
        async with self._store.reading() as session:
            lowest, highest = (await session.exec(select(func.min(Outbox.id), func.max(Outbox.id)))).one()
        return lowest or 0, highest or 0

    async def after(self, last: int, most: int, upto: int | None = None) -> Sequence[News]:
        """What is there with an id above `last` (and not above `upto`), in order, at most so many."""
        query = select(Outbox).where(col(Outbox.id) > last).order_by(col(Outbox.id)).limit(most)
        if upto is not None:
            query = query.where(col(Outbox.id) <= upto)
        async with self._store.reading() as session:
            rows = list(await session.exec(query))
            rooms = await _rooms(session, rows)
        return [News(row.id or 0, row.at, row.kind, row.subject, row.data, rooms.get(row.id or 0)) for row in rows]

    async def snapshot(self) -> tuple[int, int] | None:
        """The oldest transaction that still goes on, and the next one to begin; None where ids come in order anyway."""
        if self._store.dialect == "sqlite":
            return None
        async with self._store.reading() as session:
            oldest, following = (await session.exec(_SNAPSHOT)).one()  # type: ignore[call-overload]
        return oldest, following

    async def prune(self, kept: timedelta) -> bool:
        """Removes what is older than `kept`, but never the newest: ids go on from there. Whether there may be more."""
        async with self._store.writing() as session:
            newest = select(func.max(Outbox.id)).scalar_subquery()
            first = select(Outbox.id, Outbox.at).where(col(Outbox.id) < newest).order_by(col(Outbox.id))
            rows = list(await session.exec(first.limit(PRUNED_AT_ONCE)))
            old = [row for row, at in rows if at < now() - kept]
            if old:
                await session.exec(delete(Outbox).where(col(Outbox.id) <= old[-1], col(Outbox.id).in_(old)))
        return len(old) == PRUNED_AT_ONCE


class Follower:
    """Reads on from a place in the journal. `last`: the id up to which everything was told."""

    def __init__(self, journal: Journal, clock: Callable[[], float] = time.monotonic) -> None:
        self._journal, self._clock = journal, clock
        self.last = 0
        self._highest = 0  # as seen at the look before
        self._settled = 0  # no row with an id up to this can still come
        self._waits: tuple[int, int] | None = None  # for: up to which id, when which transaction is the oldest
        self._stuck_since: float | None = None

    async def begin(self) -> None:
        """Goes to the newest that is there now, once nothing can come before it any more; at most after BEGIN_S. Raises
        what the database raises."""
        _, self.last = await self._journal.bounds()
        self._highest = self._settled = self.last
        await asyncio.sleep(LOOK_S)
        first = await self._journal.snapshot()
        for _ in range(int(BEGIN_S / LOOK_S)):
            then = await self._journal.snapshot()
            if not first or not then or then[0] >= first[1]:
                return
            await asyncio.sleep(LOOK_S)

    async def next(self, most: int) -> Sequence[News]:
        """What came since, as far as nothing can come before it any more. Raises what the database raises."""
        snapshot = await self._journal.snapshot()
        found = await self._journal.after(self.last, most)
        self._settle(snapshot, found[-1].id if found else self.last)
        told = []
        for news in found:
            if news.id > self.last + 1 and news.id - 1 > self._settled and not self._too_long():
                break
            told.append(news)
            self.last, self._stuck_since = news.id, None
        return told

    def _settle(self, snapshot: tuple[int, int] | None, highest: int) -> None:
        if snapshot is None:
            self._settled = highest
            return
        oldest, following = snapshot
        if self._waits and oldest >= self._waits[1]:
            self._settled, self._waits = max(self._settled, self._waits[0]), None
        # An id that was there at the look before was given out before this snapshot; so was every lower one.
        if self._waits is None and self._highest > self._settled:
            self._waits = (self._highest, following)
        self._highest = max(self._highest, highest)

    def _too_long(self) -> bool:
        moment = self._clock()
        if self._stuck_since is None:
            self._stuck_since = moment
        if moment - self._stuck_since < LONGEST_GAP_S:
            return False
        log.warning("event %d is passed over: a transaction is open for more than %.0f s", self.last + 1, LONGEST_GAP_S)
        return True


async def _rooms(session: AsyncSession, rows: Sequence[Outbox]) -> Mapping[int, str | None]:
    """Whose each row is."""
    about_actions = [row for row in rows if _about(row) in ("action", "tip") and _is_id(row.subject)]
    of_actions = {row.id or 0: int(row.subject) for row in about_actions}
    of_operators = {row.id or 0: row.subject for row in rows if _about(row) == "operator"}
    rooms: dict[int, str | None] = {
        row.id or 0: row.subject if _about(row) == "room" else row.data.get("room")
        for row in rows
        if _about(row) in ("room", "region")
    }
    if of_actions:
        query = select(Action.id, Action.room_id).where(col(Action.id).in_(set(of_actions.values())))
        known = dict((await session.exec(query)).all())
        rooms |= {row: known.get(action) for row, action in of_actions.items()}
    if of_operators:
        homes = select(Operator.id, Operator.room_id).where(col(Operator.id).in_(set(of_operators.values())))
        serving = dict((await session.exec(homes)).all())
        rooms |= {row: serving.get(operator) for row, operator in of_operators.items()}
    return rooms


def _about(row: Outbox) -> str:
    return row.kind.partition(".")[0]


def _is_id(subject: str) -> bool:
    return subject.isascii() and subject.isdigit()
