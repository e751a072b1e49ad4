"""The connection with Asterisk's manager port. It only looks: panoramisk sends an unanswered action again after a
reconnect, so nothing that acts goes through here. Who wants to know what is a Watcher (contacts, quality, refusals)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit

from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager

log = logging.getLogger(__name__)

ANSWER_S = 5.0
LONGEST_PAUSE_S = 5.0

Event = Mapping[str, str]
Ask = Callable[[str], Awaitable[list[Event]]]
Hear = Callable[[Event], None]


class AmiRefused(Exception):
    """Asterisk does not let the observer in, or does not answer it."""


class Watcher(Protocol):
    """Somebody who follows some of Asterisk's events."""

    @property
    def hears(self) -> Mapping[str, Hear]:
        """What to do with which event. Never waits."""
        ...

    async def look(self, ask: Ask) -> None:
        """Looks at what is there, after every connect and until it is lost. `ask(action)` gives the rows of a list.
        Raises AmiRefused, TimeoutError."""
        ...

    def lost(self) -> None:
        """Nothing is heard any more."""
        ...


class _Link(Manager):
    """One connection. panoramisk would reconnect by itself, without back-off and past the end of its owner."""

    def __init__(self, **config: Any) -> None:
        super().__init__(**config)
        self.lost = asyncio.Event()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()


class Ami:
    """`url`: tcp://HOST:PORT."""

    def __init__(self, url: str, user: str, password: str, watchers: Sequence[Watcher]) -> None:
        address = urlsplit(url)
        self._host, self._port = address.hostname or "", address.port or 5038
        self._user, self._password, self._watchers = user, password, watchers

    async def run(self) -> None:
        """Observes until cancelled; reconnects 0.2-5 s apart."""
        pause = 0.2
        while True:
            try:
                await self._observe()
                pause = 0.2
            except (OSError, TimeoutError, AmiRefused) as fault:
                log.warning("Asterisk's manager port: %s; trying again in %.1f s", str(fault) or "no answer", pause)
            for watcher in self._watchers:
                watcher.lost()
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)

    async def _observe(self) -> None:
        link = _Link(username=self._user, secret=self._password, events="on", loop=asyncio.get_running_loop(), log=log)
        for watcher in self._watchers:
            for name, hear in watcher.hears.items():
                link.register_event(name, _heard_by(hear))
        try:
            await self._log_in(link)
            await self._looked_at_by_all(link)
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

    async def _looked_at_by_all(self, link: _Link) -> None:
        """Until the connection is lost or one of the watchers gets no answer."""

        async def ask(action: str) -> list[Event]:
            async with asyncio.timeout(ANSWER_S):
                answer = await link.send_action({"Action": action})
            return answer if isinstance(answer, list) else []  # an empty list is answered with an error

        looking = [asyncio.create_task(watcher.look(ask)) for watcher in self._watchers]
        lost = asyncio.create_task(link.lost.wait())
        waiting = {lost, *looking}
        try:
            while not lost.done():
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            for task in (lost, *looking):
                task.cancel()
            await asyncio.gather(lost, *looking, return_exceptions=True)


def _heard_by(hear: Hear) -> Callable[[Manager, Event], None]:
    def heard(_: Manager, event: Event) -> None:
        hear(event)

    return heard
