"""Which accounts (phones and trunks) can be reached now, and whether Asterisk has booted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from telephony.ami import Ask, Event, Hear

# A phone that is not asked whether it lives (NonQualified) counts as there.
REACHABLE = {"Reachable", "NonQualified", "Created", "Updated"}
GONE = {"Unreachable", "Removed"}

Changed = Callable[[str, bool], Awaitable[None]]


class Contacts:
    """`changed(account, reachable)` hears of each account that comes or goes, and after every connect of each that is
    there."""

    def __init__(self, changed: Changed) -> None:
        self._changed = changed
        self._known: set[str] = set()
        # Accounts that came; "": somebody went, and only the list tells who.
        self._news: asyncio.Queue[str] = asyncio.Queue()
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
        await self._list(ask)
        for account in before - self._known:
            await self._changed(account, False)
        self.listed.set()
        while True:
            if account := await self._news.get():
                await self._set(account, reachable=True)
            else:
                await self._list(ask)

    def lost(self) -> None:
        self.booted.clear()
        self.listed.clear()
        self._news = asyncio.Queue()

    async def _list(self, ask: Ask) -> None:
        rows = await ask("PJSIPShowContacts")
        there = {row["Endpoint"] for row in rows if row.get("Event") == "ContactList" and row["Status"] in REACHABLE}
        for account in self._known - there:
            await self._set(account, reachable=False)
        for account in there:
            await self._set(account, reachable=True)

    def _has_booted(self, _: Event) -> None:
        self.booted.set()

    def _contact(self, event: Event) -> None:
        if event["ContactStatus"] in REACHABLE:
            self._news.put_nowait(event["AOR"])
        elif event["ContactStatus"] in GONE:
            # A phone that moved has a new contact before the old one is removed: only the list tells.
            self._news.put_nowait("")

    async def _set(self, account: str, *, reachable: bool) -> None:
        if reachable == (account in self._known):
            return
        (self._known.add if reachable else self._known.discard)(account)
        await self._changed(account, reachable)
