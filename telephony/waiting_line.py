"""Who waits and who is free, per control room, in Redis.

A caller joins the line of a room and takes an operator when first in line; taking is one Lua script, so two
controllers never pair one operator twice. Whoever makes a pairing possible wakes the caller at the head, and only
that one. Everything here can be lost without loss: `restore` and the callers still waiting fill an emptied Redis again.

Keys, all under `burgernet:`
    duty            hash   operator -> room               on duty now
    free:ROOM       zset   operator -> idle since (ms)
    claim           hash   operator -> "APP CALL"         ringing for or talking in that call
    line:ROOM       zset   call -> priority and arrival   (lowest first)
    waiting         hash   call -> "APP ROOM"
    wake            channel: the call at the head of a line that should try to take an operator
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

# A lost wake-up costs at most this many seconds of waiting.
LOOK_AGAIN_S = 5.0
ANSWER_S = 2.0

_TAKE = """
local room, call, app, preferred = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local line, free = 'burgernet:line:' .. room, 'burgernet:free:' .. room
if redis.call('ZRANK', line, call) ~= 0 then return false end
local passed = {}
for i = 5, #ARGV do passed[ARGV[i]] = true end
local chosen = false
if preferred ~= '' and not passed[preferred] and redis.call('ZSCORE', free, preferred) then chosen = preferred end
if not chosen then
  for _, operator in ipairs(redis.call('ZRANGE', free, 0, -1)) do
    if not passed[operator] then chosen = operator; break end
  end
end
if not chosen then return false end
redis.call('ZREM', free, chosen)
redis.call('HSET', 'burgernet:claim', chosen, app .. ' ' .. call)
redis.call('ZREM', line, call)
redis.call('HDEL', 'burgernet:waiting', call)
local head = redis.call('ZRANGE', line, 0, 0)[1]
if head then redis.call('PUBLISH', 'burgernet:wake', head) end
return chosen
"""

# A caller who has claimed an operator does not stand in the line: at its head it would hold up all others. Only a call
# new to this controller (`since` is set) gives up what an earlier life of the controller claimed for it.
_JOIN = """
local room, call, app, score, since = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local claims = redis.call('HGETALL', 'burgernet:claim')
for i = 1, #claims, 2 do
  if claims[i + 1] == app .. ' ' .. call then
    if since == '' then return false end
    redis.call('HDEL', 'burgernet:claim', claims[i])
    local home = redis.call('HGET', 'burgernet:duty', claims[i])
    if home then redis.call('ZADD', 'burgernet:free:' .. home, 'NX', since, claims[i]) end
  end
end
redis.call('ZADD', 'burgernet:line:' .. room, score, call)
redis.call('HSET', 'burgernet:waiting', call, app .. ' ' .. room)
"""

# A caller who hung up in the middle of a take may hold an operator nobody knows of: `keep` is the one knowingly held.
_LEAVE = """
local room, call, app, keep = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
redis.call('ZREM', 'burgernet:line:' .. room, call)
redis.call('HDEL', 'burgernet:waiting', call)
local claims = redis.call('HGETALL', 'burgernet:claim')
for i = 1, #claims, 2 do
  if claims[i + 1] == app .. ' ' .. call and claims[i] ~= keep then
    redis.call('HDEL', 'burgernet:claim', claims[i])
    local home = redis.call('HGET', 'burgernet:duty', claims[i])
    if home then redis.call('ZADD', 'burgernet:free:' .. home, 'NX', ARGV[5], claims[i]) end
  end
end
local head = redis.call('ZRANGE', 'burgernet:line:' .. room, 0, 0)[1]
if head then redis.call('PUBLISH', 'burgernet:wake', head) end
"""

# An operator claimed by a call stays claimed, unless it is that very call that lets go: then free, when on duty still.
_OFFER = """
local operator, room, since, claim = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local held = redis.call('HGET', 'burgernet:claim', operator)
if claim == '' then redis.call('HSET', 'burgernet:duty', operator, room) end
if held and held ~= claim then return 0 end
if claim ~= '' and not held then return 0 end
redis.call('HDEL', 'burgernet:claim', operator)
if claim ~= '' then room = redis.call('HGET', 'burgernet:duty', operator) end
if not room then return 0 end
redis.call('ZADD', 'burgernet:free:' .. room, 'NX', since, operator)
local head = redis.call('ZRANGE', 'burgernet:line:' .. room, 0, 0)[1]
if head then redis.call('PUBLISH', 'burgernet:wake', head) end
return 1
"""

# Never over the claim of another call: ours may be over by the time Redis hears of it.
_HOLD = """
local operator, claim = ARGV[1], ARGV[2]
if redis.call('HSETNX', 'burgernet:claim', operator, claim) == 0 then return 0 end
local room = redis.call('HGET', 'burgernet:duty', operator)
if room then redis.call('ZREM', 'burgernet:free:' .. room, operator) end
return 1
"""

_AWAY = """
local operator = ARGV[1]
local room = redis.call('HGET', 'burgernet:duty', operator)
if room then redis.call('ZREM', 'burgernet:free:' .. room, operator) end
redis.call('HDEL', 'burgernet:duty', operator)
"""


class LineAway(Exception):
    """Redis does not answer: nobody can be paired now. Callers go to the dialplan's fall-back of their room."""


@dataclass
class _Waiter:
    room: str
    score: float
    awake: asyncio.Event = field(default_factory=asyncio.Event)


def place_in_line(priority: int, arrived_at: datetime) -> float:
    """The order of service: lower first. `priority` 0 (most urgent) to 80; then who arrived first (milliseconds)."""
    return priority * 1e14 + int(arrived_at.timestamp() * 1000)


class Place:
    """One caller's place in the line of one room."""

    def __init__(self, line: WaitingLine, call_id: str, waiter: _Waiter) -> None:
        self._line, self._call_id, self._waiter = line, call_id, waiter
        self.held = ""

    async def operator(self, preferred: str | None, passed: Collection[str]) -> str:
        """Waits until first in line with an operator free, and claims that operator for this call.

        `preferred` comes before the longest idle; those in `passed` are not taken. Has no bound of its own: the caller
        of this sets one. Raises LineAway."""
        while True:
            self._waiter.awake.clear()
            taken = await self._line.take(self._waiter.room, self._call_id, preferred, passed)
            if taken:
                self.held = taken
                return taken
            try:
                async with asyncio.timeout(LOOK_AGAIN_S):
                    await self._waiter.awake.wait()
            except TimeoutError:
                # The line may have been emptied with Redis: joining again at the same place is harmless.
                await self._line.rejoin(self._call_id, self._waiter)

    async def let_go(self) -> None:
        """The operator did not answer: free again, unless away; the caller takes the same place again.
        Raises LineAway."""
        operator, self.held = self.held, ""
        await self._line.release(operator, self._call_id)
        await self._line.rejoin(self._call_id, self._waiter)


class WaitingLine:
    """The waiting lines of all rooms, as one controller sees them. `app` is the controller's lease name.

    `on_duty` tells the lasting truth (SQL) of who is on duty where: operator -> room; asked after each reconnect."""

    def __init__(self, redis: Redis, app: str, on_duty: Callable[[], Awaitable[Mapping[str, str]]]) -> None:
        self._redis, self._app, self._on_duty = redis, app, on_duty
        self._waiters: dict[str, _Waiter] = {}
        self._holding: dict[str, str] = {}
        self._take_script = redis.register_script(_TAKE)
        self._join_script = redis.register_script(_JOIN)
        self._leave_script = redis.register_script(_LEAVE)
        self._offer_script = redis.register_script(_OFFER)
        self._hold_script = redis.register_script(_HOLD)
        self._away_script = redis.register_script(_AWAY)
        self.connected = asyncio.Event()
        # Whether this controller leads a call with this id; set once there is a controller.
        self.leads: Callable[[str], bool] = lambda _: False

    @asynccontextmanager
    async def waiting_for(self, room: str, call_id: str, priority: int, arrived_at: datetime) -> AsyncIterator[Place]:
        """A place in the line of `room`, given up at the end. The operator held by then stays claimed for the call; a
        block that ends with an exception holds nobody. Raises LineAway."""
        waiter = self._waiters[call_id] = _Waiter(room, place_in_line(priority, arrived_at))
        place, kept = Place(self, call_id, waiter), ""
        try:
            await self._join(call_id, waiter, str(_now_ms()))
            yield place
            kept = place.held
        finally:
            del self._waiters[call_id]
            self._holding = {op: call for op, call in self._holding.items() if call != call_id or op == kept}
            await asyncio.shield(self._leave(room, call_id, kept))

    async def staffed(self, room: str) -> bool:
        """Whether anybody is on duty in `room`, free or not. Raises LineAway."""
        return room in await self._ask(self._redis.hvals("burgernet:duty"))

    async def offer(self, operator: str, room: str) -> None:
        """`operator` signed on in `room` and is free from now. Raises LineAway."""
        await self._ask(self._offer_script(args=[operator, room, _now_ms(), ""]))

    async def hold(self, operator: str, call_id: str) -> None:
        """This controller found a talk of `operator` going on (after a reconnect) and holds it. Raises LineAway."""
        self._holding[operator] = call_id
        await self._hold(operator, call_id)

    async def release(self, operator: str, call_id: str) -> None:
        """The call is done with `operator`, who is free again unless signed off meanwhile. Raises LineAway."""
        if self._holding.get(operator) == call_id:
            del self._holding[operator]
        await self._ask(self._offer_script(args=[operator, "", _now_ms(), f"{self._app} {call_id}"]))

    async def away(self, operator: str) -> None:
        """`operator` takes no more calls; a talk going on is not touched. Raises LineAway."""
        await self._ask(self._away_script(args=[operator]))

    async def take(self, room: str, call_id: str, preferred: str | None, passed: Collection[str]) -> str | None:
        """Claims an operator for a caller who is first in line; None when not first or nobody is free."""
        taken = await self._ask(self._take_script(args=[room, call_id, self._app, preferred or "", *passed]))
        if not taken:
            return None
        self._holding[taken] = call_id
        return str(taken)

    async def rejoin(self, call_id: str, waiter: _Waiter) -> None:
        """Takes the same place again; nothing changes for who has it, or has claimed an operator. Raises LineAway."""
        await self._join(call_id, waiter, "")

    async def restore(self) -> None:
        """Makes Redis agree with the truth after a (re)start of either side: operators on duty (SQL), the operators
        this controller holds, the callers it has waiting. What an earlier life of this controller left is cleared."""
        duty = dict(await self._on_duty())
        await self._clear_leftovers(duty.keys())
        for operator, room in duty.items():
            await self._ask(self._redis.hset("burgernet:duty", operator, room))
        for operator, call_id in list(self._holding.items()):
            if self._holding.get(operator) == call_id:  # else the talk ended while we were asking
                await self._hold(operator, call_id)
        for operator, room in duty.items():
            await self.offer(operator, room)
        for call_id, waiter in list(self._waiters.items()):
            await self.rejoin(call_id, waiter)

    async def _clear_leftovers(self, duty: Collection[str]) -> None:
        for operator, claim in (await self._ask(self._redis.hgetall("burgernet:claim"))).items():
            app, call_id = claim.split(" ", 1)
            # A call that is led may have claimed an operator just now and not know it yet, or is about to wait again.
            if app == self._app and self._holding.get(operator) != call_id and not self._is_led(call_id):
                await self.release(operator, call_id)
        for operator in await self._ask(self._redis.hkeys("burgernet:duty")):
            if operator not in duty:
                await self.away(operator)
        for call_id, place in (await self._ask(self._redis.hgetall("burgernet:waiting"))).items():
            app, room = place.split(" ", 1)
            if app == self._app and call_id not in self._waiters:
                # It may talk by now, with the operator it waited for.
                await self._leave(room, call_id, self._held_by(call_id))

    async def run(self) -> None:
        """Listens for wake-ups until cancelled; after each (re)connect restores. Backs off 0.2-5 s."""
        pause = 0.2
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as news:
                    async with asyncio.timeout(ANSWER_S):  # wait_for can lose a cancellation
                        await news.subscribe("burgernet:wake")
                    await self.restore()
                    self.connected.set()
                    pause = 0.2
                    while True:
                        self._heard(await news.get_message(timeout=30))
            except (RedisError, OSError, TimeoutError, LineAway) as fault:
                log.warning("waiting line: Redis does not answer (%s); trying again in %.1f s", fault, pause)
            finally:
                self.connected.clear()
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)

    def _heard(self, message: dict[str, Any] | None) -> None:
        if message and (waiter := self._waiters.get(message["data"])):
            waiter.awake.set()

    def _held_by(self, call_id: str) -> str:
        return next((operator for operator, call in self._holding.items() if call == call_id), "")

    def _is_led(self, call_id: str) -> bool:
        return call_id in self._waiters or self.leads(call_id)

    async def _hold(self, operator: str, call_id: str) -> None:
        await self._ask(self._hold_script(args=[operator, f"{self._app} {call_id}"]))
        if self._holding.get(operator) != call_id:  # let go while we were asking
            await self.release(operator, call_id)

    async def _join(self, call_id: str, waiter: _Waiter, since: str) -> None:
        await self._ask(self._join_script(args=[waiter.room, call_id, self._app, repr(waiter.score), since]))

    async def _leave(self, room: str, call_id: str, keep: str) -> None:
        try:
            await self._ask(self._leave_script(args=[room, call_id, self._app, keep, _now_ms()]))
        except LineAway:
            log.info("call %s left the line while Redis was away; the next restore removes it", call_id)

    async def _ask(self, asked: Any) -> Any:
        try:
            async with asyncio.timeout(ANSWER_S):
                return await asked
        except (RedisError, OSError, TimeoutError) as fault:
            raise LineAway(f"Redis does not answer: {fault}") from fault


def _now_ms() -> int:
    return int(time.time() * 1000)
