"""The open actions in memory: fresh within two seconds, and still there when the database is not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence

from redis.asyncio import Redis
from redis.exceptions import RedisError

from actions.desk import Desk
from actions.matching import OpenAction, by_code
from actions.store import Away

log = logging.getLogger(__name__)

CHANNEL = "burgernet:actions"
# Rooms and operators: who is on duty, where, and for whom.
DUTY = "burgernet:duty"
REFRESH_S = 2.0
ANSWER_S = 5.0


class OpenActions:
    """What conversations read while a caller is on the line: never a wait, never a failure."""

    def __init__(self, desk: Desk, redis: Redis) -> None:
        self._desk, self._redis = desk, redis
        self._open: Sequence[OpenAction] = ()
        self._until_over: dict[str, asyncio.Future[None]] = {}
        self._until_moved: dict[str, asyncio.Event] = {}

    def now(self) -> Sequence[OpenAction]:
        """The open actions as last read, newest first."""
        return self._open

    def by_code(self, code: str) -> OpenAction | None:
        return by_code(code, self._open)

    def over(self, code: str) -> asyncio.Future[None]:
        """Done as soon as a look that begins from now on finds no open action with this code."""
        if code not in self._until_over:
            self._until_over[code] = asyncio.get_running_loop().create_future()
        return self._until_over[code]

    def moved(self, code: str) -> asyncio.Event:
        """Set as soon as a look finds the action with this code in another room than the look before."""
        return self._until_moved.setdefault(code, asyncio.Event())

    async def refresh(self) -> None:
        """Reads the open actions; keeps the last ones when the database does not answer in time."""
        awaited, rooms = list(self._until_over), {action.code: action.room_id for action in self._open}
        try:
            async with asyncio.timeout(ANSWER_S):
                self._open = await self._desk.open_actions()
            self._tell_of_ends(awaited)
            self._tell_of_moves(rooms)
        except Away as fault:
            log.warning("open actions not refreshed: %s", type(fault).__name__)

    async def run(self) -> None:
        """Keeps the list fresh until cancelled."""
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as news:
                    async with asyncio.timeout(ANSWER_S):  # wait_for can lose a cancellation
                        await news.subscribe(CHANNEL)
                    while True:
                        await self.refresh()
                        await news.get_message(timeout=REFRESH_S)
            except (RedisError, OSError, TimeoutError):
                await self.refresh()
                await asyncio.sleep(REFRESH_S)

    def _tell_of_ends(self, awaited: Sequence[str]) -> None:
        """An action that started during the look is not in it, and not over: only those awaited before count."""
        for code in awaited:
            if self.by_code(code) is None and (over := self._until_over.pop(code, None)):
                over.set_result(None)

    def _tell_of_moves(self, before: Mapping[str, str]) -> None:
        for action in self._open:
            if before.get(action.code, action.room_id) != action.room_id and action.code in self._until_moved:
                self._until_moved.pop(action.code).set()


async def wake(redis: Redis, channel: str = CHANNEL) -> None:
    """Tells every process that there is something new. Redis only wakes: without it the next look finds it too."""
    try:
        async with asyncio.timeout(ANSWER_S):
            await redis.publish(channel, "")
    except (RedisError, OSError, TimeoutError) as fault:
        log.info("no wake-up through Redis: %s", type(fault).__name__)
