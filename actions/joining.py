"""Who of those that come in is there already, and what is new: worked out in memory, for one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlmodel.ext.asyncio.session import AsyncSession

from actions.entry import Entry, Place
from actions.geography import cell_of
from actions.models import Address, ContactPoint, Participant, Subscription, now
from actions.wishes import Wishes


@dataclass(frozen=True)
class Wanted:
    """By what, and how, somebody new at an address is to be reached. `contact` is a contacts.Contact.value."""

    contact: str
    channels: frozenset[str]
    wishes: Wishes


@dataclass
class Home:
    """One address of a participant: the contacts that hear about it, and those of them that are new."""

    place: Place
    id: int | None = None
    held: set[str] = field(default_factory=set)
    wanted: list[Wanted] = field(default_factory=list)


@dataclass
class Person:
    """`joins`: as whom somebody new comes in."""

    id: int | None = None
    joins: Entry | None = None
    homes: dict[Place, Home] = field(default_factory=dict)


class Joining:
    """First `knows` who is there, then `takes` those who come in, then writes what is new."""

    def __init__(self) -> None:
        self._people: dict[int, Person] = {}
        self._new: list[Person] = []
        self._holders: dict[tuple[str, Place], list[Person]] = {}

    def knows(self, contact: str, participant_id: int, address_id: int, place: Place) -> None:
        """A contact hears about an address of a participant already."""
        person = self._people.setdefault(participant_id, Person(participant_id))
        home = person.homes.setdefault(place, Home(place, address_id))
        self._hold(person, home, contact)

    def takes(self, entries: Sequence[Entry]) -> int:
        """Entries of one participant. Returns how many brought something new."""
        person = self._found(entries)
        if person is None:
            self._new.append(person := Person(joins=entries[0]))
        return sum(self._add(person, entry) for entry in entries)

    @property
    def joined(self) -> set[str]:
        """The contacts that hear about an address of which they did not before."""
        return {
            wanted.contact for person in self._everybody() for home in person.homes.values() for wanted in home.wanted
        }

    async def write(self, session: AsyncSession, contacts: Mapping[str, ContactPoint]) -> None:
        """Adds what is new; `contacts` by value."""
        participants = [_participant(person.joins) for person in self._new if person.joins]
        session.add_all([*participants, *contacts.values()])
        await session.flush()
        for person, participant in zip(self._new, participants, strict=True):
            person.id = participant.id
        homes = [home for person in self._everybody() for home in person.homes.values()]
        await self._write_addresses(session)
        session.add_all(row for home in homes for row in _subscriptions(home, contacts))

    async def _write_addresses(self, session: AsyncSession) -> None:
        new = [
            (home, _address(person.id, home.place))
            for person in self._everybody()
            for home in person.homes.values()
            if home.id is None and person.id is not None
        ]
        session.add_all(address for _, address in new)
        await session.flush()
        for home, address in new:
            home.id = address.id

    def _everybody(self) -> Sequence[Person]:
        return (*self._people.values(), *self._new)

    def _found(self, entries: Sequence[Entry]) -> Person | None:
        """The holder of an entry's first contact at its address. Of those who came with a reference several may share
        a telephone: then whoever holds all contacts of an entry."""
        for entry in entries:
            first, *others = [self._holders.get((contact.value, entry.place), []) for contact, _ in entry.contacts()]
            for person in first:
                if not entry.participant or all(any(person is other for other in held) for held in others):
                    return person
        return None

    def _add(self, person: Person, entry: Entry) -> bool:
        home = person.homes.setdefault(entry.place, Home(entry.place))
        lacking = [(contact, by) for contact, by in entry.contacts() if contact.value not in home.held]
        for contact, channels in lacking:
            home.wanted.append(Wanted(contact.value, channels, entry.wishes))
            self._hold(person, home, contact.value)
        return bool(lacking)

    def _hold(self, person: Person, home: Home, contact: str) -> None:
        if contact not in home.held:
            home.held.add(contact)
            self._holders.setdefault((contact, home.place), []).append(person)


def by_participant(entries: Iterable[Entry]) -> list[list[Entry]]:
    """Entries that are one participant together; one without reference stands alone."""
    groups: dict[object, list[Entry]] = {}
    for place, entry in enumerate(entries):
        groups.setdefault(entry.participant or place, []).append(entry)
    return list(groups.values())


def _participant(entry: Entry) -> Participant:
    return Participant(
        language=entry.language,
        birth_year=entry.birth_year,
        exercise=entry.exercise,
        follows=entry.follows,
        consent_at=now(),
    )


def _address(participant_id: int, place: Place) -> Address:
    postcode, x, y = place
    return Address(participant_id=participant_id, postcode=postcode, x=x, y=y, cell=cell_of(x, y))


def _subscriptions(home: Home, contacts: Mapping[str, ContactPoint]) -> Iterable[Subscription]:
    for wanted in home.wanted:
        contact = contacts[wanted.contact]
        assert home.id is not None
        assert contact.id is not None
        for channel in sorted(wanted.channels):
            yield Subscription(
                address_id=home.id,
                contact_point_id=contact.id,
                channel=channel,
                kinds=wanted.wishes.kinds,
                wakes=wanted.wishes.wakes,
                quiet_from=wanted.wishes.quiet_from,
                quiet_until=wanted.wishes.quiet_until,
            )
