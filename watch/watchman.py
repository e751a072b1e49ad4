"""Looks every few seconds, and tells what is wrong: in the log once when it begins and ends, as a metric, to all."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Gauge

from watch.board import Board, BoardAway
from watch.rules import Alarm, Facts, Severity, Wrong, alarms, wrong_now

log = logging.getLogger(__name__)

LOOK_AGAIN_S = 5.0
LOOK_BOUND_S = 4.0

Look = Callable[[], Awaitable[Facts]]


class Watchman:
    """Of one process. `looks` may come and go while it runs."""

    def __init__(self, process: str, looks: Collection[Look], board: Board, registry: CollectorRegistry) -> None:
        self._process, self._looks, self._board = process, looks, board
        self._wrong: Wrong = {}
        self._told: dict[tuple[str, str], Alarm] = {}
        self._gauge = Gauge(
            "burgernet_alarm", "What is wrong, as this process sees it", ["name", "subject"], registry=registry
        )

    async def run(self) -> None:
        """Looks until cancelled; the board shows no process that ended as it should."""
        try:
            while True:
                await self._tell(await self.look())
                await asyncio.sleep(LOOK_AGAIN_S)
        finally:
            await asyncio.shield(self._leave())

    async def look(self) -> list[Alarm]:
        """Looks once."""
        facts: dict[tuple[str, str], float] = {}
        for found in await asyncio.gather(*(_seen(look) for look in tuple(self._looks))):
            facts.update(found)
        at = datetime.now(UTC)
        self._wrong = wrong_now(facts, self._wrong, at)
        return alarms(self._wrong, at)

    async def _tell(self, found: list[Alarm]) -> None:
        now = {(alarm.name, alarm.subject): alarm for alarm in found}
        for key, alarm in now.items():
            if key not in self._told:
                log.log(logging.ERROR if alarm.severity is Severity.RED else logging.WARNING, "alarm: %s", alarm.words)
                self._gauge.labels(*key).set(1)
        for key in self._told.keys() - now.keys():
            log.warning("the alarm is over: %s %s", *key)
            self._gauge.remove(*key)
        self._told = now
        try:
            await self._board.put(self._process, found)
        except BoardAway as away:
            log.info("%s", away)

    async def _leave(self) -> None:
        try:
            await self._board.leave(self._process)
        except BoardAway:
            log.info("Redis does not answer: others will say that %s is gone", self._process)


async def _seen(look: Look) -> Facts:
    try:
        async with asyncio.timeout(LOOK_BOUND_S):
            return await look()
    except TimeoutError:
        log.warning("a look took longer than %.0f s", LOOK_BOUND_S)
    except Exception:
        # Who only watches must not end the calls of this process.
        log.exception("a look failed")
    return {}
