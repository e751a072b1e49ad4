"""The observer on Asterisk's manager port: which phones can be reached, which are in use, and when it has booted.

It only looks: panoramisk sends an unanswered action again after a reconnect, so nothing that acts goes through here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager

log = logging.getLogger(__name__)

ANSWER_S = 5.0
LONGEST_PAUSE_S = 5.0
# A phone that is not asked whether it lives (NonQualified) counts as there.
REACHABLE = {"Reachable", "NonQualified", "Created", "Updated"}
GONE = {"Unreachable", "Removed"}

Changed = Callable[[str, bool], Awaitable[None]]


class AmiRefused(Exception):
    """Asterisk does not let the observer in."""


class _Link(Manager):
    """One connection. panoramisk would reconnect by itself, without back-off and past the end of its owner."""

    def __init__(self, **config: Any) -> None:
        super().__init__(**config)
        self.lost = asyncio.Event()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()


class Ami:
    """`url`: tcp://HOST:PORT. `changed(account, reachable)` hears of each phone that comes or goes, and after every
    connect of each that is there."""

    def __init__(self, url: str, user: str, password: str, changed: Changed) -> None:
        address = urlsplit(url)
        self._host, self._port = address.hostname or "", address.port or 5038
        self._user, self._password, self._changed = user, password, changed
        self._known: set[str] = set()
        self._in_use: set[str] = set()
        self.booted = asyncio.Event()
        self.listed = asyncio.Event()

    @property
    def reachable(self) -> frozenset[str]:
        """Accounts whose phone is registered and answers."""
        return frozenset(self._known)

    @property
    def in_use(self) -> frozenset[str]:
        """Accounts whose phone rings or talks, as far as seen."""
        return frozenset(self._in_use)

    async def run(self) -> None:
        """Observes until cancelled; reconnects 0.2-5 s apart."""
        pause = 0.2
        while True:
            try:
                await self._observe()
                pause = 0.2
            except (OSError, TimeoutError, AmiRefused) as fault:
                log.warning("Asterisk's manager port: %s; trying again in %.1f s", str(fault) or "no answer", pause)
            self.booted.clear()
            self.listed.clear()
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)

    async def _observe(self) -> None:
        link = _Link(username=self._user, secret=self._password, events="on", loop=asyncio.get_running_loop(), log=log)
        link.register_event("FullyBooted", self._has_booted)
        link.register_event("ContactStatus", self._contact)
        link.register_event("DeviceStateChange", self._device)
        try:
            await self._log_in(link)
            await self._look_again(link)
            self.listed.set()
            await link.lost.wait()
        finally:
            link.close()
        raise AmiRefused("the connection ended")

    async def _log_in(self, link: _Link) -> None:
        connecting = asyncio.ensure_future(
            asyncio.get_running_loop().create_connection(AMIProtocol, self._host, self._port)
        )
        async with asyncio.timeout(ANSWER_S):
            await connecting
        link.connection_made(connecting)
        async with asyncio.timeout(ANSWER_S):
            answer = await link.authenticated_future
        if not answer.success:
            raise AmiRefused("the log-in was refused: check BURGERNET_AMI_USER and BURGERNET_AMI_PASSWORD")

    async def _look_again(self, link: _Link) -> None:
        """Tells of every phone, as if nothing had been known."""
        before, self._known = self._known, set()
        await self._contacts(link)
        for account in before - self._known:
            await self._changed(account, False)

    async def _contacts(self, link: Manager) -> None:
        async with asyncio.timeout(ANSWER_S):
            answer = await link.send_action({"Action": "PJSIPShowContacts"})
        rows = answer if isinstance(answer, list) else []  # no contact at all is answered with an error, without a list
        there = {row["Endpoint"] for row in rows if row.get("Event") == "ContactList" and row["Status"] in REACHABLE}
        for account in self._known - there:
            await self._set(account, reachable=False)
        for account in there:
            await self._set(account, reachable=True)

    def _has_booted(self, _: Manager, __: Mapping[str, str]) -> None:
        self.booted.set()

    async def _contact(self, link: _Link, event: Mapping[str, str]) -> None:
        if event["ContactStatus"] in REACHABLE:
            await self._set(event["AOR"], reachable=True)
        elif event["ContactStatus"] in GONE:
            # A phone that moved has a new contact before the old one is removed: only the list tells.
            try:
                await self._contacts(link)
            except TimeoutError:
                log.warning("Asterisk's manager port does not list its phones")
                link.lost.set()

    async def _device(self, _: Manager, event: Mapping[str, str]) -> None:
        kind, _, account = event["Device"].partition("/")
        if kind == "PJSIP":
            (self._in_use.discard if event["State"] in ("NOT_INUSE", "UNAVAILABLE") else self._in_use.add)(account)

    async def _set(self, account: str, *, reachable: bool) -> None:
        if reachable == (account in self._known):
            return
        (self._known.add if reachable else self._known.discard)(account)
        await self._changed(account, reachable)
