"""The pace of voice alerts: judged anew every second, from the rooms' lines, the trunk and what was answered so far."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from redis.asyncio import Redis

from actions.models import Kind, MessageKind
from actions.store import Store
from alerting.allowance import Allowed
from alerting.wave import Answers, Bucket, Holds, Pace, Room, judged
from alerting.wave_books import Wave, answers_of, waves_now
from alerting.wave_news import News, tell
from telephony.line_redis import LineAway
from telephony.line_view import RoomLine, lines_now

log = logging.getLogger(__name__)

LOOK_S = 1.0
# Looking takes at most this share of the time, however large a wave is.
LOOK_SHARE = 0.05
# Of a wave that was not looked at yet so many may begin at once.
UNSEEN = 5
# Whatever operators do, so many calls a second of each wave begin: with them every wave comes to its end.
FLOOR_A_SECOND = 1.0
FULL_S = 0.2
# Calls begin a few at a time: each time costs a look into the queue.
APART_S, AT_ONCE_S = 0.1, 0.2
AT_FULL_RATE = 0.9


@dataclass(frozen=True)
class Limits:
    """`a_second`: calls that one node may place. `free_channels`: how many more may be under way by any trunk.
    `amber_waits`: whether an AMBER alert is paced by operators like all others."""

    a_second: float
    free_channels: Callable[[], int]
    amber_waits: bool = False


class WavePace:
    """Judges how many calls of each wave may begin. Redis away: nobody can tell who is free, and the floor goes on."""

    def __init__(self, store: Store, redis: Redis, limits: Limits) -> None:
        self._store, self._redis, self._limits = store, redis, limits
        self._rate = Bucket(limits.a_second, burst=limits.a_second * AT_ONCE_S)
        self._floors: dict[int, Bucket] = {}
        self._left: dict[int, int] = {}
        self._begun = Counter[int]()
        self._look_at, self._looked_at = 0.0, 0.0

    async def allowed(self, most: int) -> Allowed:
        """Raises what the database raises."""
        if _moment() >= self._look_at:
            await self._look()
        channels = self._limits.free_channels()
        if channels < 1:
            return Allowed(0, again_s=FULL_S)
        most = min(most, channels, self._rate.holds(_moment()))
        return Allowed(most, self._share, max(self._rate.until_next(_moment()), APART_S))

    def began(self, by_message: Mapping[int, int]) -> None:
        for message_id, count in by_message.items():
            self._left[message_id] = max(self._left.get(message_id, UNSEEN) - count, 0)
            self._begun[message_id] += count
            self._rate.take(count, _moment())
            if floor := self._floors.get(message_id):
                floor.take(min(count, floor.holds(_moment())), _moment())

    def _share(self, message_id: int) -> int:
        return self._left.get(message_id, UNSEEN)

    async def _look(self) -> None:
        began = _moment()
        waves = await waves_now(self._store)
        answers = await answers_of(self._store, [wave.message_id for wave in waves])
        took = _moment() - began
        lines = await self._lines() if waves else {}
        self._floors = {
            wave.message_id: self._floors.get(wave.message_id) or Bucket(FLOOR_A_SECOND, burst=FLOOR_A_SECOND)
            for wave in waves
        }
        paces = {wave.message_id: self._judged(wave, answers[wave.message_id], lines) for wave in waves}
        self._left = {message_id: pace.calls for message_id, pace in paces.items()}
        news = self._news(waves, answers, paces, max(began - self._looked_at, LOOK_S))
        self._looked_at, self._look_at = began, began + max(LOOK_S, took / LOOK_SHARE)
        if lines is not None:
            await tell(self._redis, news)

    async def _lines(self) -> Mapping[str, RoomLine] | None:
        try:
            return await lines_now(self._redis)
        except LineAway as fault:
            log.info("waves go slowly: %s", fault)
            return None

    def _judged(self, wave: Wave, so_far: Answers, lines: Mapping[str, RoomLine] | None) -> Pace:
        room = None if lines is None else room_now(wave.rooms, lines)
        wakes_all = wave.action_kind == Kind.AMBER and not self._limits.amber_waits
        # Nobody presses 1 in a result.
        paced = wave.kind != MessageKind.RESULT and not wakes_all
        until_next_look = max(int(self._limits.a_second * LOOK_S), 1)
        floor = self._floors[wave.message_id].holds(_moment())
        return judged(room, so_far, at_most=until_next_look, at_least=floor, paced=paced)

    def _news(
        self, waves: Collection[Wave], answers: Mapping[int, Answers], paces: Mapping[int, Pace], passed_s: float
    ) -> list[News]:
        full = self._limits.free_channels() < 1
        begun, self._begun = self._begun, Counter[int]()
        news = []
        for wave in waves:
            a_second, holds = begun[wave.message_id] / passed_s, paces[wave.message_id].holds
            if full:
                holds = Holds.TRUNK
            elif holds is Holds.NOTHING and a_second >= AT_FULL_RATE * self._limits.a_second:
                holds = Holds.RATE
            news.append(News(wave, answers[wave.message_id], round(a_second, 1), holds))
        return news


def room_now(rooms: Collection[str], lines: Mapping[str, RoomLine]) -> Room:
    """Who takes the callers of an action: its own room, or, with nobody on duty there, the first of those that help it
    out where anybody is. `rooms`: the own one first."""
    staffed = next((line for room in rooms if (line := lines.get(room)) and line.on_duty), RoomLine())
    free = sum(operator.state == "idle" for operator in staffed.operators)
    return Room(len(staffed.on_duty), free, staffed.waiting)


def _moment() -> float:
    return asyncio.get_running_loop().time()
