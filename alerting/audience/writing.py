"""Writing audiences down: chunk by chunk, each a transaction, the most urgent message first.

Broken off at any point an audience is simply begun again: what is there already stays as it is."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.live import wake
from actions.models import Action, Delivery, DeliveryState, Message, now
from actions.store import Store
from alerting.audience.awaited import Awaited, growth_of, read, turn, waiting_in
from alerting.audience.chunks import Chunk, chunks
from alerting.audience.lease import Lease
from alerting.audience.rows import IN_A_WAVE, alerted_before, as_deliveries, living_near
from alerting.bell import DELIVERIES

log = logging.getLogger(__name__)


@dataclass
class _Going:
    """An audience that is being written. `next`: the chunk that was chosen and is not written yet."""

    awaited: Awaited
    rest: AsyncGenerator[Chunk, None]
    next: Chunk | None = None
    written: int = 0
    deliveries: int = 0


class Audiences:
    """The audiences that wait, written in turns. Several processes share them: each message is one's at a time."""

    def __init__(self, store: Store, redis: Redis) -> None:
        self._store, self._redis = store, redis
        self._lease = Lease(redis)
        self._going: dict[int, _Going] = {}

    async def step(self) -> bool:
        """Writes one chunk of the message whose turn it is; False when there is none. Raises what the database raises;
        the next call goes on where this one broke off."""
        waiting = await waiting_in(self._store, now())
        for gone in self._going.keys() - {message.id for message in waiting}:
            await self._leave(gone)
        for message in sorted(waiting, key=lambda one: turn(one, self._chunks(one.id))):
            if await self._lease.taken(message.id):
                await self._go_on(message.id)
                return True
        return False

    async def leave_all(self) -> None:
        """Others may go on with what is begun here."""
        for message_id in [*self._going]:
            await self._leave(message_id)

    def _chunks(self, message_id: int) -> int:
        going = self._going.get(message_id)
        return going.written if going else 0

    async def _go_on(self, message_id: int) -> None:
        going = self._going.get(message_id) or await self._begin(message_id)
        if going is None:
            return
        try:
            going.next = going.next or await anext(going.rest, None)
        except BaseException:
            # A generator that raised is at its end.
            await self._leave(message_id)
            raise
        if going.next is None:
            await self._finish(going)
            await self._leave(message_id)
        elif await self._write(going, going.next):
            going.next, going.written = None, going.written + 1
        else:
            await self._leave(message_id)

    async def _begin(self, message_id: int) -> _Going | None:
        awaited = await read(self._store, message_id)
        if awaited is None:
            return None
        return self._going.setdefault(message_id, _Going(awaited, chunks(self._store, awaited)))

    async def _leave(self, message_id: int) -> None:
        if going := self._going.pop(message_id, None):
            await going.rest.aclose()
            await self._lease.given_back(message_id)

    async def _write(self, going: _Going, chunk: Chunk) -> bool:
        """Writes a chunk; False when the message was stopped, or its area changed."""
        async with self._store.writing() as session:
            if not await _still(session, going.awaited):
                return False
            await self._store.by_index(session)
            if chunk.farthest:
                await _count_ring(session, going.awaited, chunk)
            count = (await session.exec(_insert(self._store, going.awaited, chunk))).rowcount
        going.deliveries += count
        if count:
            await wake(self._redis, DELIVERIES)
        return True

    async def _finish(self, going: _Going) -> None:
        awaited = going.awaited
        async with self._store.writing() as session:
            if not await _still(session, awaited):
                return
            this = col(Message.id) == awaited.message.id
            await session.exec(update(Message).where(this).values(audience_written_at=now()))
        words = "action %s: the audience of its %s is written, %d deliveries"
        log.info(words, awaited.action.code, awaited.message.kind, going.deliveries)


async def write_next(store: Store, redis: Redis) -> bool:
    """Writes the audiences that wait to their end; whether there were any. Raises what the database raises."""
    audiences, any_written = Audiences(store, redis), False
    try:
        while await audiences.step():
            any_written = True
    finally:
        await audiences.leave_all()
    return any_written


async def _still(session: AsyncSession, awaited: Awaited) -> bool:
    """Whether the message goes on, and its area is the one that is being written. Its row is held from here on: the end
    of an action and the growth of a search wait for a chunk, and the next one sees them."""
    query = select(Message.stopped_at).where(Message.id == awaited.message.id).with_for_update()
    if (await session.exec(query)).one() is not None:
        return False
    area = await session.exec(select(Action.search).where(Action.id == awaited.action.id))
    return growth_of(area.one()) == awaited.growth


async def _count_ring(session: AsyncSession, awaited: Awaited, chunk: Chunk) -> None:
    fewer = (col(Message.id) == awaited.message.id) & (col(Message.rings) < chunk.farthest)
    await session.exec(
        update(Message).where(fewer).values(rings=chunk.farthest).execution_options(synchronize_session=False)
    )


def _insert(store: Store, awaited: Awaited, chunk: Chunk) -> Any:
    """Adds who is not there yet. Who is, by a nearer address with quiet hours, may hear of it earlier by this one."""
    at, table = now(), Delivery.__table__  # type: ignore[attr-defined]
    if chunk.ring is None:
        rows = alerted_before(awaited, at, chunk.where)
    else:
        rows = living_near(awaited, at, chunk.ring, chunk.where)
    adding = store.insert(table).from_select(IN_A_WAVE, as_deliveries(store, awaited, at, rows))
    untouched = (table.c.state == DeliveryState.PENDING) & (table.c.changed_at == table.c.created_at)
    return adding.on_conflict_do_update(
        index_elements=["message_id", "contact_point_id", "channel"],
        set_={"due_at": adding.excluded.due_at},
        where=untouched & (adding.excluded.due_at < table.c.due_at),
    )
