"""Who can be reached, from what Asterisk lists and tells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from telephony.contacts import Contacts

PHONE, OTHER, TRUNK = "rotterdam-1", "rotterdam-2", "carrier"


class Exchange:
    """Answers as Asterisk 22 does: a contact from the configuration is in no list of contacts."""

    def __init__(self, *registered: str) -> None:
        self.registered, self.trunk = set(registered), "Not in use"

    async def asked(self, action: str) -> list[Mapping[str, str]]:
        if action == "PJSIPShowContacts":
            return [{"Event": "ContactList", "Endpoint": name, "Status": "Reachable"} for name in self.registered]
        return [
            {"Event": "EndpointList", "ObjectName": TRUNK, "Contacts": "carrier/sip:x,", "DeviceState": self.trunk},
            {"Event": "EndpointList", "ObjectName": OTHER, "Contacts": "", "DeviceState": "Unavailable"},
        ]


@asynccontextmanager
async def looking(exchange: Exchange) -> AsyncIterator[tuple[Contacts, asyncio.Queue[tuple[str, bool]]]]:
    told: asyncio.Queue[tuple[str, bool]] = asyncio.Queue()

    async def changed(account: str, reachable: bool) -> None:
        told.put_nowait((account, reachable))

    contacts = Contacts(changed)
    task = asyncio.create_task(contacts.look(exchange.asked))
    await contacts.listed.wait()
    try:
        yield contacts, told
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def status(account: str, what: str) -> Mapping[str, str]:
    return {"Event": "ContactStatus", "AOR": account, "ContactStatus": what}


async def test_a_trunk_is_there_from_the_first_look_and_stays_when_a_phone_leaves() -> None:
    exchange = Exchange(PHONE)
    async with looking(exchange) as (contacts, told):
        assert contacts.reachable == {PHONE, TRUNK}
        assert {await told.get(), await told.get()} == {(PHONE, True), (TRUNK, True)}
        exchange.registered.remove(PHONE)
        contacts.hears["ContactStatus"](status(PHONE, "Removed"))
        assert await told.get() == (PHONE, False)
        assert contacts.reachable == {TRUNK}


async def test_a_trunk_that_is_silent_is_away_until_it_answers() -> None:
    exchange = Exchange()
    exchange.trunk = "Unavailable"
    async with looking(exchange) as (contacts, told):
        assert contacts.reachable == frozenset()
        contacts.hears["ContactStatus"](status(TRUNK, "Reachable"))
        assert await told.get() == (TRUNK, True)
        contacts.hears["ContactStatus"](status(TRUNK, "Unreachable"))
        assert await told.get() == (TRUNK, False)


async def test_a_phone_that_moved_stays() -> None:
    async with looking(Exchange(PHONE)) as (contacts, told):
        assert {await told.get(), await told.get()} == {(PHONE, True), (TRUNK, True)}
        contacts.hears["ContactStatus"](status(PHONE, "Removed"))
        contacts.hears["ContactStatus"](status(OTHER, "Created"))
        assert await told.get() == (OTHER, True)
        assert PHONE in contacts.reachable
