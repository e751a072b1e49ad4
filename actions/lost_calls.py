"""Calls whose Asterisk failed while nobody was left to write their end: found in the book, and ended."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_
from sqlmodel import col, select, update

from actions.models import Attempt, Call, now
from actions.store import Store

# No call lasts this long.
LONGEST_AGO = timedelta(days=1)


class LostCalls:
    """Every method raises what the database raises."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def find(self, apps: Collection[str], before: datetime, held: Collection[str] = ()) -> list[str]:
        """The calls without an end that these controllers led, that came before this moment and are not held."""
        since = max(before - LONGEST_AGO, now() - LONGEST_AGO)
        query = select(Call.id).where(
            led_by(apps), col(Call.ended_at).is_(None), col(Call.arrived_at).between(since, before)
        )
        async with self._store.reading() as session:
            return [call_id for call_id in await session.exec(query) if call_id not in held]

    async def hung_up(self, apps: Collection[str], since: datetime, until: datetime, how: str) -> list[str]:
        """The calls in line of these controllers that ended in this time, in this way; of the last day alone."""
        query = select(Call.id).where(
            led_by(apps),
            col(Call.arrived_at).between(now() - LONGEST_AGO, until),
            col(Call.ended_at).between(since, until),
            col(Call.ended_how) == how,
            col(Call.connected_at).is_(None),
        )
        async with self._store.reading() as session:
            return list(await session.exec(query))

    async def amend(self, call_ids: Collection[str], before: str, how: str) -> tuple[int, int]:
        """They did not end as we thought. How many, and how many of them gave no number; each is counted once."""
        amending = update(Call).where(col(Call.id).in_(call_ids), col(Call.ended_how) == before).values(ended_how=how)
        async with self._store.writing() as session:
            withheld = (await session.exec(amending.where(col(Call.sealed).is_(None)))).rowcount
            others = (await session.exec(amending)).rowcount
        return withheld + others, withheld

    async def end(self, call_ids: Collection[str], how: str) -> tuple[int, int]:
        """Ends those without an end. How many, and how many of them waited for somebody without giving a number. Of
        two who do it at once each call is counted by one."""
        values = {"ended_at": now(), "ended_how": how}
        ending = update(Call).where(col(Call.id).in_(call_ids), col(Call.ended_at).is_(None)).values(values)
        nobody = ending.where(
            col(Call.waiting_at).is_not(None), col(Call.connected_at).is_(None), col(Call.sealed).is_(None)
        )
        async with self._store.writing() as session:
            withheld = (await session.exec(nobody)).rowcount
            others = (await session.exec(ending)).rowcount
        return withheld + others, withheld


def led_by(apps: Collection[str]) -> Any:
    """Calls that came to these controllers, and alerts placed by them."""
    placed = select(Attempt.id).where(or_(*(col(Attempt.provider_id).startswith(f"bn-{app}-") for app in apps)))
    return or_(*(col(Call.id).startswith(f"{app}-") for app in apps), col(Call.attempt_id).in_(placed))
