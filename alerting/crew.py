"""Tasks under way: counted, bounded, and none forgotten."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

log = logging.getLogger(__name__)


class Crew:
    """At most `size` tasks. One that fails is logged and takes nobody with it."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def free(self) -> int:
        return self._size - len(self._tasks)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def until_free(self, places: int) -> None:
        """Returns when at least this many places are free."""
        while self.free < places:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)

    async def finish(self, bound_s: float) -> None:
        """Waits for all tasks, then ends what is left."""
        if not self._tasks:
            return
        _, left = await asyncio.wait(self._tasks, timeout=bound_s)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()):
            log.error("a task failed: %s", type(fault).__name__, exc_info=fault)
