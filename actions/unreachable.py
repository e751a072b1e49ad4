"""Contact points at which nothing arrives, for whoever keeps the participant register."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlmodel import col, select

from actions.books import Actor, record
from actions.desk import Refused
from actions.models import ContactPoint
from actions.reachability import believe_again
from actions.register import PURPOSE
from actions.store import Store
from actions.vault import NoSuchKey, NotOurs, Sealed, Vault

BATCH = 1_000
NOT_OPEN = "(does not open: its key is missing)"


@dataclass(frozen=True)
class Count:
    """How many contact points of a kind are unreachable for one reason."""

    kind: str
    why: str
    contact_points: int


@dataclass(frozen=True)
class Lost:
    """A contact point at which nothing arrives; `address` is its number, mailbox or browser."""

    id: int
    kind: str
    address: str
    since: datetime
    why: str


class Unreachable:
    """`vault` is the register's own."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store, self._vault = store, vault

    async def counts(self) -> Sequence[Count]:
        """By kind and reason, the most first."""
        many = func.count(col(ContactPoint.id))
        query = (
            select(ContactPoint.kind, ContactPoint.unreachable_why, many)
            .where(col(ContactPoint.unreachable_since).is_not(None))
            .group_by(col(ContactPoint.kind), col(ContactPoint.unreachable_why))
            .order_by(many.desc(), col(ContactPoint.kind), col(ContactPoint.unreachable_why))
        )
        async with self._store.reading() as session:
            return [Count(kind, why or "", count) for kind, why, count in await session.exec(query)]

    async def all(self, actor: Actor) -> AsyncIterator[Lost]:
        """Each of them with its address; that they were handed out is written down first."""
        async with self._store.writing() as session:
            record(session, actor, "export", "unreachable contact points", "all")
        last = 0
        while True:
            query = (
                select(ContactPoint)
                .where(col(ContactPoint.unreachable_since).is_not(None), col(ContactPoint.id) > last)
                .order_by(col(ContactPoint.id))
                .limit(BATCH)
            )
            async with self._store.reading() as session:
                batch = list(await session.exec(query))
            for contact in batch:
                assert contact.id is not None
                assert contact.unreachable_since is not None
                last = contact.id
                why = contact.unreachable_why or ""
                yield Lost(contact.id, contact.kind, self._address(contact), contact.unreachable_since, why)
            if len(batch) < BATCH:
                return

    async def reachable(self, contact_point_id: int, actor: Actor) -> None:
        """Whoever keeps the register knows that it is in use. Raises Refused."""
        async with self._store.writing() as session:
            if await session.get(ContactPoint, contact_point_id) is None:
                raise Refused([f"there is no contact point {contact_point_id}"])
            await believe_again(session, col(ContactPoint.id) == contact_point_id, actor)

    def _address(self, contact: ContactPoint) -> str:
        try:
            return self._vault.open(Sealed(contact.sealed, contact.key_version), PURPOSE).decode()
        except (NoSuchKey, NotOurs):
            return NOT_OPEN
