"""The participant register: who takes part, about which place, by what. Contacts are sealed as they come in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

from sqlmodel import col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.books import Actor, record
from actions.changes import Changes
from actions.contacts import TELEPHONES, Contact, ContactKind
from actions.entry import Entry as Entry
from actions.joining import Joining, by_participant
from actions.models import Address, ContactPoint, Participant, Subscription
from actions.reachability import believe_again
from actions.store import Store
from actions.vault import Sealed, Vault

PURPOSE = "contact_point"
# Contacts asked for in one query.
CONTACTS_A_QUERY = 500
T = TypeVar("T")


class Register:
    """Reads and writes participants. `vault` is the register's own."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store, self._vault = store, vault

    async def add(self, entries: Iterable[Entry], actor: Actor) -> int:
        """Adds entries in one transaction. Returns how many were new, or brought a contact that was not known at its
        address; what is there already stays as it is. Entries of one participant must come together. A contact that
        was taken for unreachable and comes with something new is reachable again."""
        given = list(dict.fromkeys(entries))
        async with self._store.writing() as session:
            contacts = await self._contacts(session, [contact for entry in given for contact, _ in entry.contacts()])
            joining = await _joining(session, contacts)
            new = sum(joining.takes(group) for group in by_participant(given))
            await joining.write(session, contacts)
            await _reachable(session, [contacts[value] for value in joining.joined], actor)
            if new:
                record(session, actor, "add", "participants", new)
        return new

    async def contacts_of(self, contact_point_ids: Collection[int]) -> dict[int, Contact]:
        """What to reach each contact point by, opened just before it is used. Raises NoSuchKey, NotOurs."""
        async with self._store.reading() as session:
            rows = await session.exec(select(ContactPoint).where(col(ContactPoint.id).in_(contact_point_ids)))
            return {row.id: Contact(ContactKind(row.kind), self._open(row)) for row in rows if row.id is not None}

    async def numbers_of(self, contact_point_ids: Collection[int]) -> dict[int, str]:
        """E.164 numbers by contact point, of those that are telephones. Raises NoSuchKey, NotOurs."""
        known = await self.contacts_of(contact_point_ids)
        return {row: contact.value for row, contact in known.items() if contact.kind in TELEPHONES}

    async def sealed(self, contact_point_id: int) -> Sealed | None:
        """What a contact point is reached by, not opened yet; None when it is not there any more."""
        query = select(ContactPoint.sealed, ContactPoint.key_version).where(ContactPoint.id == contact_point_id)
        async with self._store.reading() as session:
            found = (await session.exec(query)).first()
        return Sealed(*found) if found else None

    async def erase(self, contact: str, actor: Actor) -> bool:
        """Removes a contact (its E.164 number, mail address or push subscription) with its subscriptions, and the
        addresses and participants that nothing else reaches. False when it was not there."""
        async with self._store.writing() as session:
            found = await self._find(session, contact)
            if found is None:
                return False
            addresses = select(Subscription.address_id).where(Subscription.contact_point_id == found.id)
            rows = list(await session.exec(select(Address).where(col(Address.id).in_(addresses))))
            await session.exec(delete(Subscription).where(col(Subscription.contact_point_id) == found.id))
            await _remove_if_alone(session, rows)
            await session.delete(found)
            record(session, actor, "erase", "participant", rows[0].participant_id if rows else "none")
            return True

    async def change(self, contact: str, changes: Changes, actor: Actor) -> bool:
        """Changes what the holders of a contact want to hear by it, and what is known of them. False when it is not
        there."""
        async with self._store.writing() as session:
            found = await self._find(session, contact)
            if found is None:
                return False
            mine = col(Subscription.contact_point_id) == found.id
            if wishes := changes.of_subscriptions():
                await session.exec(update(Subscription).where(mine).values(**wishes))
            addresses = select(Subscription.address_id).where(mine)
            holders = set(await session.exec(select(Address.participant_id).where(col(Address.id).in_(addresses))))
            if said := changes.of_participant():
                await session.exec(update(Participant).where(col(Participant.id).in_(holders)).values(**said))
            for holder in sorted(holders):
                record(session, actor, "change", "participant", holder)
            return True

    def digests(self, contact: str) -> list[bytes]:
        """The keyed hashes under which a number or another contact may be stored."""
        return self._vault.digests(contact, PURPOSE)

    def opened(self, sealed: Sealed) -> str:
        """What a contact point is reached by. Raises NoSuchKey, NotOurs."""
        return self._vault.open(sealed, PURPOSE).decode()

    def _open(self, contact: ContactPoint) -> str:
        return self.opened(Sealed(contact.sealed, contact.key_version))

    async def _find(self, session: AsyncSession, contact: str) -> ContactPoint | None:
        found = await session.exec(select(ContactPoint).where(col(ContactPoint.digest).in_(self.digests(contact))))
        return found.first()

    async def _contacts(self, session: AsyncSession, given: list[Contact]) -> Mapping[str, ContactPoint]:
        """The row of each contact by its value: those there already (under any live key), and new ones."""
        by_digest = {
            digest: contact.value for contact in dict.fromkeys(given) for digest in self.digests(contact.value)
        }
        contacts: dict[str, ContactPoint] = {}
        for chunk in _chunks(list(by_digest), CONTACTS_A_QUERY):
            for row in await session.exec(select(ContactPoint).where(col(ContactPoint.digest).in_(chunk))):
                contacts[by_digest[row.digest]] = row
        for contact in given:
            if contact.value not in contacts:
                contacts[contact.value] = self._new_contact(contact)
        return contacts

    def _new_contact(self, contact: Contact) -> ContactPoint:
        sealed = self._vault.seal(contact.value.encode(), PURPOSE)
        return ContactPoint(
            kind=contact.kind,
            sealed=sealed.blob,
            digest=self._vault.digest(contact.value, PURPOSE),
            key_version=sealed.version,
        )


async def _reachable(session: AsyncSession, contacts: Iterable[ContactPoint], actor: Actor) -> None:
    """Whoever gives a contact anew says that it is in use, whatever was known of it."""
    doubted = [contact.id for contact in contacts if contact.unreachable_times or contact.unreachable_since]
    if doubted:
        await believe_again(session, col(ContactPoint.id).in_(doubted), actor)


async def _joining(session: AsyncSession, contacts: Mapping[str, ContactPoint]) -> Joining:
    """Knows the participants that these contacts reach already."""
    joining = Joining()
    values = {contact.id: value for value, contact in contacts.items() if contact.id is not None}
    for chunk in _chunks(list(values), CONTACTS_A_QUERY):
        query = (
            select(Subscription.contact_point_id, Address)
            .join(Address, col(Address.id) == Subscription.address_id)
            .where(col(Subscription.contact_point_id).in_(chunk))
            .order_by(col(Address.participant_id))
        )
        for contact_id, address in await session.exec(query):
            assert address.id is not None
            joining.knows(
                values[contact_id], address.participant_id, address.id, (address.postcode, address.x, address.y)
            )
    return joining


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
