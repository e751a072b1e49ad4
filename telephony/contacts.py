"""Which accounts (phones and trunks) can be reached now, and whether Asterisk has booted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from telephony.ami import Ask, Event, Hear

# A phone that is not asked whether it lives (NonQualified) counts as there.
REACHABLE = {"Reachable", "NonQualified", "Created", "Updated"}
GONE = {"Unreachable", "Removed"}
SILENT = {"Unavailable", "Invalid", "Unknown"}

Changed = Callable[[str, bool], Awaitable[None]]


class Contacts:
    """`changed(account, reachable)` hears of each account that comes or goes, and after every connect of each that is
    there."""

    def __init__(self, changed: Changed) -> None:
        self._changed = changed
        self._known: set[str] = set()
        # Whose contact came or went.
        self._news: asyncio.Queue[tuple[str, bool]] = asyncio.Queue()
        self.booted = asyncio.Event()
        self.listed = asyncio.Event()

    @property
    def reachable(self) -> frozenset[str]:
        """Accounts with a contact that answers, or that is not asked."""
        return frozenset(self._known)

    @property
    def hears(self) -> Mapping[str, Hear]:
        return {"FullyBooted": self._has_booted, "ContactStatus": self._contact}

    async def look(self, ask: Ask) -> None:
        """Tells of every contact, as if nothing had been known; then of each that comes or goes."""
        before, self._known = self._known, set()
        for account in await _registered(ask) | await _fixed(ask):
            await self._set(account, reachable=True)
        for account in before - self._known:
            await self._changed(account, False)
        self.listed.set()
        while True:
            account, came = await self._news.get()
            # A phone that moved has a new contact before the old one is removed: only the list tells.
            await self._set(account, reachable=came or account in await _registered(ask))

    def lost(self) -> None:
        self.booted.clear()
        self.listed.clear()
        self._news = asyncio.Queue()

    def _has_booted(self, _: Event) -> None:
        self.booted.set()

    def _contact(self, event: Event) -> None:
        if event["ContactStatus"] in REACHABLE | GONE:
            self._news.put_nowait((event["AOR"], event["ContactStatus"] in REACHABLE))

    async def _set(self, account: str, *, reachable: bool) -> None:
        if reachable == (account in self._known):
            return
        (self._known.add if reachable else self._known.discard)(account)
        await self._changed(account, reachable)


async def _registered(ask: Ask) -> set[str]:
    """Accounts with a phone that registered and answers."""
    rows = await ask("PJSIPShowContacts")
    return {row["Endpoint"] for row in rows if row.get("Event") == "ContactList" and row["Status"] in REACHABLE}


async def _fixed(ask: Ask) -> set[str]:
    """Accounts with a contact that answers, those too whose contact stands in the configuration (trunks): the list of
    contacts leaves them out."""
    rows = await ask("PJSIPShowEndpoints")
    listed = (row for row in rows if row.get("Event") == "EndpointList")
    return {row["ObjectName"] for row in listed if row["Contacts"] and row["DeviceState"] not in SILENT}
