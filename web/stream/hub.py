"""One reader of the journal and the waves for all who watch; none while nobody does."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from actions.journal import Follower, Journal, News
from actions.models import now
from actions.store import Away, Store
from actions.waves import Wave, Waves
from web.access.tokens import Holder
from web.stream.form import Form

log = logging.getLogger(__name__)

# Streams of one process, and of one token in it.
MOST_STREAMS, MOST_OF_ONE = 200, 10
# Events that wait for one reader; whoever reads slower is cut, and comes back with the Last-Event-ID.
MOST_WAITING = 1_000
# Events that somebody who comes back is told; who was away for longer reads everything anew.
MOST_BACKLOG = 10_000
AT_ONCE = 500
LOOK_S, AWAY_S, BEGIN_S = 0.25, 2.0, 30.0
# The waves are counted so often at most while they move, else so seldom; and never for more of the time than a share.
WAVES_S, STILL_S, SHARE = 0.5, 3.0, 0.05


class Full(Exception):
    """No more streams: in all, or (`of_one`) with this token."""

    def __init__(self, *, of_one: bool) -> None:
        super().__init__("too many streams")
        self.of_one = of_one


@dataclass(eq=False)
class Watcher:
    """Somebody who watches. `action_id`: only what is about this action."""

    holder: Holder
    action_id: int | None = None
    waiting: asyncio.Queue[bytes] = field(default_factory=lambda: asyncio.Queue(MOST_WAITING))
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def sees(self, room_id: str | None, action_id: int | None) -> bool:
        return self.holder.sees(room_id) and self.action_id in (None, action_id)

    def offer(self, sent: bytes) -> None:
        """Never waits: who does not keep up is cut."""
        try:
            self.waiting.put_nowait(sent)
        except asyncio.QueueFull:
            self.ended.set()


class Hub:
    """For one process."""

    def __init__(self, store: Store, form: Form) -> None:
        self._journal, self._waves, self._form = Journal(store), Waves(store), form
        self._follower = Follower(self._journal)
        self._watchers: set[Watcher] = set()
        self._begun = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._told: dict[int, Wave] = {}
        self._waves_at = 0.0

    @property
    def watched(self) -> bool:
        """Whether anybody watches, and so anything is read."""
        return self._task is not None

    @asynccontextmanager
    async def watching(self, watcher: Watcher) -> AsyncIterator[None]:
        """While the block lasts, events are offered to the watcher. Raises Full."""
        if len(self._watchers) >= MOST_STREAMS:
            raise Full(of_one=False)
        if sum(one.holder.token_id == watcher.holder.token_id for one in self._watchers) >= MOST_OF_ONE:
            raise Full(of_one=True)
        self._watchers.add(watcher)
        if self._task is None:
            self._begun.clear()
            self._task = asyncio.create_task(self._read())
            self._task.add_done_callback(self._broke)
        try:
            yield
        finally:
            self._watchers.discard(watcher)
            if not self._watchers:
                await self._rest()

    async def missed(self, watcher: Watcher, last: int | None) -> AsyncIterator[bytes]:
        """What the watcher missed since the event `last` (None: nothing), before anything is offered. Returns after
        the reader has begun. Raises what the database raises; TimeoutError when it does not begin."""
        async with asyncio.timeout(BEGIN_S):
            await self._begun.wait()
        # From here to the next await nothing is offered: what comes later than this waits for the watcher.
        upto = self._follower.last
        for sent in self._known_waves(watcher):
            watcher.offer(sent)
        if last is None or last == upto:
            return
        oldest, _ = await self._journal.bounds()
        if last > upto or last < oldest - 1 or upto - last > MOST_BACKLOG:
            yield self._form.skipped(last, oldest, now())
            return
        while last < upto:
            found = await self._journal.after(last, AT_ONCE, upto)
            for news in found:
                if watcher.sees(news.room_id, _action_of(news)):
                    yield self._form.news(news)
            last = found[-1].id if found else upto

    async def close(self) -> None:
        """Ends every stream: this process stops. Whoever watched comes back elsewhere, or later."""
        for watcher in tuple(self._watchers):
            watcher.ended.set()

    async def _rest(self) -> None:
        task, self._task = self._task, None
        self._told.clear()
        if task:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _broke(self, task: asyncio.Task[None]) -> None:
        """A fault of ours ends all streams: whoever watches comes back, and reading begins anew."""
        if not task.cancelled() and (fault := task.exception()):
            log.error("the live stream failed: %s", type(fault).__name__, exc_info=fault)
            for watcher in self._watchers:
                watcher.ended.set()

    async def _read(self) -> None:
        while True:
            try:
                if not self._begun.is_set():
                    await self._follower.begin()
                    self._begun.set()
                more = await self._tell_news()
                if not more:
                    await self._tell_waves()
                    await asyncio.sleep(LOOK_S)
            except Away as away:
                log.warning("the live stream waits for the database (%s)", type(away).__name__)
                await asyncio.sleep(AWAY_S)

    async def _tell_news(self) -> bool:
        """Whether there may be more at once."""
        found = await self._follower.next(AT_ONCE)
        for news in found:
            sent, action = self._form.news(news), _action_of(news)
            for watcher in tuple(self._watchers):
                if watcher.sees(news.room_id, action):
                    watcher.offer(sent)
        return len(found) == AT_ONCE

    async def _tell_waves(self) -> None:
        began = time.monotonic()
        if began < self._waves_at:
            return
        open_ones = await self._waves.of_interest()
        seen = [action for action, room in open_ones.items() if self._seen(room, action)]
        moved = [wave for wave in await self._waves.look(seen) if self._told.get(wave.action_id) != wave]
        for wave in moved:
            self._told[wave.action_id] = wave
            sent = self._form.wave(wave, now())
            for watcher in tuple(self._watchers):
                if watcher.sees(wave.room_id, wave.action_id):
                    watcher.offer(sent)
        self._told = {action: wave for action, wave in self._told.items() if action in open_ones}
        took = time.monotonic() - began
        self._waves_at = began + max(WAVES_S if moved else STILL_S, took / SHARE)

    def _seen(self, room_id: str, action_id: int) -> bool:
        return any(watcher.sees(room_id, action_id) for watcher in self._watchers)

    def _known_waves(self, watcher: Watcher) -> Iterable[bytes]:
        """Who comes later sees the waves as they were last told, even if they do not move."""
        for wave in self._told.values():
            if watcher.sees(wave.room_id, wave.action_id):
                yield self._form.wave(wave, now())


def _action_of(news: News) -> int | None:
    about = news.kind.partition(".")[0]
    return int(news.subject) if about in ("action", "tip") and news.subject.isdigit() else None
