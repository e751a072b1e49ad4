"""The participant register: who takes part, about which place, by which phone. Numbers are sealed as they come in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.books import Actor, record
from actions.geography import cell_of
from actions.models import Address, ContactPoint, Participant, Subscription, now
from actions.numbers import CallerKind
from actions.store import Store
from actions.vault import Sealed, Vault

PURPOSE = "contact_point"
T = TypeVar("T")


@dataclass(frozen=True)
class Entry:
    """One participant at one address, as it comes in: E.164 number, RD metres, channels such as "sms"."""

    language: str
    postcode: str
    x: float
    y: float
    e164: str
    kind: CallerKind
    channels: frozenset[str]


class Register:
    """Reads and writes participants. `vault` is the register's own."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store, self._vault = store, vault

    async def add(self, entries: Iterable[Entry], actor: Actor) -> int:
        """Adds entries in one transaction; one that is there already changes nothing. Returns how many were new."""
        entries = list(entries)
        async with self._store.writing() as session:
            contacts = await self._contacts(session, entries)
            known = await _places(session, [contact for contact in contacts.values() if contact.id is not None])
            fresh = [
                (entry, contacts[entry.e164])
                for entry in dict.fromkeys(entries)
                if (contacts[entry.e164].id, entry.postcode, entry.x, entry.y) not in known
            ]
            await _write(session, fresh)
            if fresh:
                record(session, actor, "add", "participants", len(fresh))
        return len(fresh)

    async def numbers_of(self, contact_point_ids: Collection[int]) -> dict[int, str]:
        """E.164 numbers by contact point, opened just before they are used."""
        async with self._store.reading() as session:
            rows = await session.exec(select(ContactPoint).where(col(ContactPoint.id).in_(contact_point_ids)))
            return {row.id: self._number(row) for row in rows if row.id is not None}

    async def erase(self, e164: str, actor: Actor) -> bool:
        """Removes a number with its participants, addresses and subscriptions. False when it was not there."""
        async with self._store.writing() as session:
            contact = await self._find(session, e164)
            if contact is None:
                return False
            addresses = select(Subscription.address_id).where(Subscription.contact_point_id == contact.id)
            found = await session.exec(select(Address).where(col(Address.id).in_(addresses)))
            rows = list(found)
            await session.exec(delete(Subscription).where(col(Subscription.contact_point_id) == contact.id))
            await _remove_if_alone(session, rows)
            await session.delete(contact)
            record(session, actor, "erase", "participant", rows[0].participant_id if rows else "none")
            return True

    def digests(self, e164: str) -> list[bytes]:
        """The keyed hashes under which a number may be stored."""
        return self._vault.digests(e164, PURPOSE)

    def _number(self, contact: ContactPoint) -> str:
        return self._vault.open(Sealed(contact.sealed, contact.key_version), PURPOSE).decode()

    async def _find(self, session: AsyncSession, e164: str) -> ContactPoint | None:
        found = await session.exec(select(ContactPoint).where(col(ContactPoint.digest).in_(self.digests(e164))))
        return found.first()

    async def _contacts(self, session: AsyncSession, entries: list[Entry]) -> Mapping[str, ContactPoint]:
        """A contact point for each number: those there already (under any live key), and new ones."""
        by_digest = {digest: entry.e164 for entry in entries for digest in self.digests(entry.e164)}
        contacts: dict[str, ContactPoint] = {}
        for chunk in _chunks(list(by_digest), 500):
            for row in await session.exec(select(ContactPoint).where(col(ContactPoint.digest).in_(chunk))):
                contacts[by_digest[row.digest]] = row
        for entry in entries:
            if entry.e164 not in contacts:
                contacts[entry.e164] = self._new_contact(entry)
        return contacts

    def _new_contact(self, entry: Entry) -> ContactPoint:
        sealed = self._vault.seal(entry.e164.encode(), PURPOSE)
        return ContactPoint(
            kind="landline" if entry.kind is CallerKind.LANDLINE else "mobile",
            sealed=sealed.blob,
            digest=self._vault.digest(entry.e164, PURPOSE),
            key_version=sealed.version,
        )


async def _places(session: AsyncSession, contacts: list[ContactPoint]) -> set[tuple[int | None, str, float, float]]:
    """What is there already: (contact point, postcode, x, y)."""
    known: set[tuple[int | None, str, float, float]] = set()
    for chunk in _chunks([contact.id for contact in contacts], 500):
        query = (
            select(Subscription.contact_point_id, Address.postcode, Address.x, Address.y)
            .join(Address, col(Address.id) == Subscription.address_id)
            .where(col(Subscription.contact_point_id).in_(chunk))
        )
        known.update((row[0], row[1], row[2], row[3]) for row in await session.exec(query))
    return known


async def _write(session: AsyncSession, fresh: list[tuple[Entry, ContactPoint]]) -> None:
    participants = [Participant(language=entry.language, consent_at=now()) for entry, _ in fresh]
    session.add_all([*participants, *{id(contact): contact for _, contact in fresh}.values()])
    await session.flush()
    addresses = []
    for (entry, _), participant in zip(fresh, participants, strict=True):
        assert participant.id is not None
        place = cell_of(entry.x, entry.y)
        addresses.append(
            Address(participant_id=participant.id, postcode=entry.postcode, x=entry.x, y=entry.y, cell=place)
        )
    session.add_all(addresses)
    await session.flush()
    for (entry, contact), address in zip(fresh, addresses, strict=True):
        assert address.id is not None
        assert contact.id is not None
        session.add_all(
            Subscription(address_id=address.id, contact_point_id=contact.id, channel=channel)
            for channel in sorted(entry.channels)
        )


async def _remove_if_alone(session: AsyncSession, addresses: list[Address]) -> None:
    """Removes addresses that no other phone subscribes to, and participants who have no address left."""
    for address in addresses:
        others = await session.exec(select(Subscription.id).where(Subscription.address_id == address.id).limit(1))
        if others.first() is None:
            await session.delete(address)
    await session.flush()
    for participant_id in {address.participant_id for address in addresses}:
        left = await session.exec(select(Address.id).where(Address.participant_id == participant_id).limit(1))
        if left.first() is None:
            await session.exec(delete(Participant).where(col(Participant.id) == participant_id))


def _chunks(items: list[T], size: int) -> Iterable[list[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
