"""By which of several ways an attempt goes: written before it leaves, so that the right one is asked afterwards, and
paid for there."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import col, select, update

from actions.models import Attempt, DeliveryState, now
from actions.store import Store
from actions.together import Together
from alerting.channels import Sending
from alerting.purse import Purse
from alerting.renditions import Notice

Move = tuple[str, str, str, Notice]  # the id of an attempt, from which provider, to which, and its message


class Ways:
    """Of one channel. `purse` pays."""

    def __init__(self, store: Store, purse: Purse) -> None:
        self._store, self._purse = store, purse
        self._together: Together[Move, None] = Together(self._write)

    async def goes_by(self, sending: Sending, source: str, target: str) -> None:
        """An attempt that was to go by one provider goes by another. Raises what the database raises."""
        await self._together.ask((sending.attempt_id, source, target, sending.notice))

    async def way_of(self, attempt_id: str) -> str | None:
        """The provider of an attempt; None when there is no such attempt. Raises what the database raises."""
        async with self._store.reading() as session:
            return (await session.exec(select(Attempt.provider).where(Attempt.id == attempt_id))).first()

    async def failed_by(self, attempt_id: str) -> frozenset[str]:
        """The providers of failed attempts at the same delivery. Raises what the database raises."""
        of_it = select(Attempt.delivery_id).where(Attempt.id == attempt_id).scalar_subquery()
        query = select(Attempt.provider).where(
            Attempt.delivery_id == of_it, Attempt.id != attempt_id, Attempt.state == DeliveryState.FAILED
        )
        async with self._store.reading() as session:
            return frozenset(await session.exec(query))

    async def _write(self, moves: Sequence[Move]) -> list[None]:
        async with self._store.writing() as session:
            for target in sorted({target for _, _, target, _ in moves}):
                going = [attempt_id for attempt_id, _, to, _ in moves if to == target]
                rows = col(Attempt.id).in_(going)
                await session.exec(update(Attempt).where(rows).values(provider=target))
            paid = [(source, target, notice) for _, source, target, notice in moves]
            await self._purse.pay_another(session, paid, now())
        return [None] * len(moves)
