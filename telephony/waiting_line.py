"""Who waits and who is free, per control room, in Redis.

A caller stands in the line of one room or of several; an operator is on duty in one. Whatever brings the two closer (a
caller joins, an operator becomes free) is one Lua script that pairs them at once, so two controllers never pair one
operator twice, nobody polls, and a caller whom nobody fits holds up nobody behind. Everything here can be lost without
loss: `restore` fills an emptied Redis again.

Keys, all under `burgernet:`
    duty            hash   operator -> room                     on duty now, in that room
    post            hash   operator -> JSON (see place.Post)
    free:ROOM       zset   operator -> idle since (ms)
    claim           hash   operator -> "APP CALL"               ringing for or talking in that call
    state           hash   operator -> "idle | ringing | talking | wrap_up SINCE ..."
    wrap_up         zset   operator -> when it ends (ms)
    line:ROOM       zset   call -> priority and arrival         (lowest first)
    waiting         hash   call -> JSON (see place.Waiter)      in line
    paired          hash   call -> operator                     claimed for a call that stood in line
    kept            hash   call -> operator                     whom it left the line with, until released
    handled:ROOM    list   "AT TOOK" (ms) of the latest talks, wrap-up included
    filled          which filling of Redis this is
    wake            channel: a call that was paired, "wrap_up WHEN" (ms), or "left ROOM": its last operator is away
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from telephony.line_redis import ANSWER_S, Scripts, asked
from telephony.line_redis import LineAway as LineAway
from telephony.place import Place, Post, Roll, Staff, Taken, Waiter, taken
from telephony.wait_estimate import InLine

log = logging.getLogger(__name__)

# A lost wake-up, or an emptied Redis, costs at most this many seconds of waiting.
LOOK_AGAIN_S = 5.0
# So long callers wait for a Redis that is away, before they are sent to the fall-back.
AWAY_S = 5.0
# So long after nobody leads a call any more its operator is let go: it ended while Asterisk was away.
UNLED_S = 30.0


class WaitingLine:
    """The waiting lines of all rooms, as one controller sees them. `app` is the controller's lease name.

    `on_duty` tells the lasting truth (SQL) of who is on duty where; asked after each reconnect. `node`: of the
    controller."""

    def __init__(self, redis: Redis, app: str, on_duty: Callable[[], Awaitable[Roll]], node: str = "") -> None:
        self._redis, self._app, self._on_duty, self._node = redis, app, on_duty, node
        self._scripts = Scripts(redis)
        self._waiters: dict[str, Waiter] = {}
        self._holding: dict[str, str] = {}
        self._unled: dict[tuple[str, str], float] = {}
        self._left: dict[str, asyncio.Event] = {}
        # Rooms of which nothing else was heard since somebody was seen on duty there.
        self._staffed: set[str] = set()
        self._filled = ""
        self._look_at, self._wrap_up_over = 0.0, math.inf
        # Redis was away, and may come back empty.
        self._in_doubt = False
        self.connected = asyncio.Event()
        # Whether this controller leads a call with this id; set once there is a controller.
        self.leads: Callable[[str], bool] = lambda _: False

    @asynccontextmanager
    async def waiting_for(
        self,
        room: str,
        call_id: str,
        priority: int,
        arrived_at: datetime,
        *,
        language: str = "",
        skill: str = "",
        preferred: str | None = None,
    ) -> AsyncIterator[Place]:
        """A place in the line of `room`, given up at the end, for an operator who speaks `language` and has `skill`
        ("" for any), `preferred` before the longest idle. The operator held by then stays claimed for the call; a block
        that ends with an exception holds nobody. Raises LineAway."""
        waiter = Waiter(self._app, [room], priority, arrived_at, language, skill, preferred or "")
        self._waiters[call_id], kept = waiter, ""
        try:
            await self._let_go_before(call_id)
            await self._join(call_id, waiter, fresh=True)
            yield Place(self, call_id, waiter)
            kept = waiter.held
        finally:
            del self._waiters[call_id]
            await asyncio.shield(self._give_up(call_id, waiter.held, kept))

    async def staffed(self, room: str) -> bool:
        """Whether anybody is on duty in `room`, free or not. Raises LineAway."""
        await self._filled_again()
        return bool(await self._scripts.run("staffed", room))

    async def staff(self, rooms: Iterable[str], language: str) -> Staff:
        """Who is on duty in these rooms, free or not. Raises LineAway."""
        await self._filled_again()
        return Staff(await self._scripts.run("staff", language, *rooms))

    async def unstaffed(self, room: str) -> None:
        """Returns when nobody is on duty in `room` any more. Raises LineAway."""
        while True:
            left = self._left.setdefault(room, asyncio.Event())
            if room not in self._staffed:
                if not await self.staffed(room):
                    return
                if self._left.get(room) is left:
                    self._staffed.add(room)
            await left.wait()

    async def offer(self, operator: str, post: Post) -> None:
        """`operator` is on duty at this post: free from now, unless in a talk or its wrap-up. Raises LineAway."""
        await self._scripts.run("offer", operator, post.text(), _now_ms())

    async def ready(self, operator: str) -> None:
        """`operator` wants the next caller: a wrap-up ends now. Raises LineAway."""
        await self._scripts.run("ready", _now_ms(), operator)

    async def hold(self, operator: str, call_id: str) -> bool:
        """This call talks with `operator`, who was not taken from the line for it (after a reconnect, or by hand).
        False when another call has that operator. Raises LineAway."""
        if self._holding.setdefault(operator, call_id) != call_id:
            return False
        held = await self._hold(operator, call_id)
        if not held and self._holding.get(operator) == call_id:
            del self._holding[operator]
        return held

    async def release(self, operator: str, call_id: str, *, talked: bool = True) -> None:
        """The call is done with `operator`: after a talk comes the wrap-up; free again unless signed off meanwhile.
        `talked`: False for one who was held and only rang. Raises LineAway."""
        if self._holding.get(operator) == call_id:
            del self._holding[operator]
        await self._scripts.run("release", operator, call_id, _now_ms(), int(talked))

    async def away(self, operator: str) -> None:
        """`operator` takes no more calls; a talk going on is not touched. Raises LineAway."""
        await self._scripts.run("away", operator)

    async def paired(self, call_id: str, waiter: Waiter) -> Taken | None:
        """The operator claimed for a call in line, from now on held by it. Raises LineAway."""
        found, waiter.offered = waiter.offered, None
        if not found or found[0] in waiter.passed:
            found = await self._scripts.run("paired", call_id)
        if not found:
            return None
        operator, post = found
        waiter.held, self._holding[operator] = operator, call_id
        return taken(operator, json.loads(post or "{}"), self._node)

    async def reached_at(self, operator: str) -> str:
        """What our Asterisk rings to reach this operator. Raises LineAway."""
        post = await asked(self._redis.hget("burgernet:post", operator))
        return taken(operator, json.loads(post or "{}"), self._node).endpoint

    async def rejoin(self, call_id: str, waiter: Waiter) -> None:
        """Takes the place again, as the waiter is now. Raises LineAway."""
        await self._join(call_id, waiter, fresh=False)

    async def in_lines(self, call_id: str) -> list[InLine]:
        """Where a call stands in each of its rooms' lines. Raises LineAway."""
        rooms = await self._scripts.run("standing", call_id)
        return [
            InLine(room, before, on_duty, [int(talk.split(" ")[1]) / 1000 for talk in handled])
            for room, before, on_duty, handled in rooms
        ]

    async def restore(self) -> None:
        """Makes Redis agree with the truth after a (re)start of either side: the operators this controller holds, the
        callers it has waiting, operators on duty (SQL). What an earlier life of this controller left is cleared."""
        roll = await self._on_duty()
        self._filled = await self._filling()
        self._forget_unled()
        await self._clear_leftovers(roll.posts.keys() | roll.elsewhere)
        await self._restore_holds()
        # Callers before operators: who is offered goes to the first of those in line by then.
        await self._restore_callers()
        await self._restore_operators(roll.posts)

    async def run(self) -> None:
        """Listens for wake-ups until cancelled; after each (re)connect restores. Backs off 0.2-5 s."""
        clock = asyncio.get_running_loop().time
        pause, seen = 0.2, clock()
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as news:
                    async with asyncio.timeout(ANSWER_S):  # wait_for can lose a cancellation
                        await news.subscribe("burgernet:wake")
                    await self.restore()
                    self._forget_staffed()
                    self._in_doubt = False
                    self.connected.set()
                    pause = 0.2
                    while True:
                        self._heard(await news.get_message(timeout=self._until_next()))
                        await self._look()
                        seen = clock()
            except (RedisError, OSError, TimeoutError, LineAway) as fault:
                log.warning("waiting line: Redis does not answer (%s); trying again in %.1f s", fault, pause)
                self._in_doubt = True
                # A line in which nothing happens hears nothing for as long.
                seen = clock() if self.connected.is_set() else seen
            finally:
                self.connected.clear()
            if clock() - seen > AWAY_S:
                self._wake_all()  # each asks Redis itself, and goes to the fall-back when that is in vain
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)

    def _heard(self, message: dict[str, Any] | None) -> None:
        what = message["data"] if message else ""
        if waiter := self._waiters.get(what):
            waiter.awake.set()
        elif what.startswith("left "):
            self._has_left(what.removeprefix("left "))
        elif what.startswith("wrap_up "):
            self._wrap_up_over = min(self._wrap_up_over, float(what.split(" ")[1]))

    async def _filled_again(self) -> None:
        """An emptied Redis would say that nobody is on duty anywhere. Raises LineAway."""
        if not self._in_doubt:
            return
        try:
            async with asyncio.timeout(ANSWER_S):
                await self.connected.wait()
        except TimeoutError:
            raise LineAway("Redis is not filled again yet") from None

    def _has_left(self, room: str) -> None:
        self._staffed.discard(room)
        if left := self._left.pop(room, None):
            left.set()

    def _forget_staffed(self) -> None:
        """No news came meanwhile: whoever waits for it looks again."""
        for room in list(self._left):
            self._has_left(room)

    def _until_next(self) -> float:
        """Seconds until there is something to do that nobody tells of."""
        left = min(self._look_at - asyncio.get_running_loop().time(), (self._wrap_up_over - _now_ms()) / 1000)
        return max(left, 0.001)

    async def _look(self) -> None:
        """Ends the wrap-ups whose time is over; now and then sees whether news was lost, or Redis emptied."""
        now, clock = _now_ms(), asyncio.get_running_loop().time()
        if now < self._wrap_up_over and clock < self._look_at:
            return
        self._wrap_up_over = float(await self._scripts.run("ready", now, "")) or math.inf
        if clock >= self._look_at:
            self._look_at = clock + LOOK_AGAIN_S
            if await asked(self._redis.get("burgernet:filled")) != self._filled:
                await self.restore()
            for call_id in await asked(self._redis.hkeys("burgernet:paired")):
                self._heard({"data": call_id})

    async def _filling(self) -> str:
        """Which filling of Redis this is: of an emptied one, the one that begins here."""
        await asked(self._redis.set("burgernet:filled", secrets.token_hex(8), nx=True))
        return str(await asked(self._redis.get("burgernet:filled")))

    def _forget_unled(self) -> None:
        """Whom a call holds that nobody leads, the next step sets free."""
        now = asyncio.get_running_loop().time()
        self._unled = {held: self._unled.get(held, now) for held in self._holding.items() if not self._is_led(held[1])}
        for (operator, _), since in self._unled.items():
            if now - since >= UNLED_S:
                del self._holding[operator]

    async def _clear_leftovers(self, on_duty: Collection[str]) -> None:
        # Callers first: an operator who becomes free is given to whoever is in line.
        for call_id, waiter in (await asked(self._redis.hgetall("burgernet:waiting"))).items():
            if json.loads(waiter)["app"] == self._app and call_id not in self._waiters:
                # It may talk by now, with the operator it waited for.
                await self._leave(call_id, self._held_by(call_id))
        for operator, claim in (await asked(self._redis.hgetall("burgernet:claim"))).items():
            app, call_id = claim.split(" ", 1)
            # A call that is led may have claimed an operator just now and not know it yet, or is about to wait again.
            if app == self._app and self._holding.get(operator) != call_id and not self._is_led(call_id):
                await self.release(operator, call_id)
        for operator in await asked(self._redis.hkeys("burgernet:duty")):
            if operator not in on_duty:
                await self.away(operator)

    async def _restore_holds(self) -> None:
        claims = await asked(self._redis.hgetall("burgernet:claim"))
        for operator, call_id in list(self._holding.items()):
            # It may have ended while we were asking.
            if claims.get(operator) != f"{self._app} {call_id}" and self._holding.get(operator) == call_id:
                await self._hold(operator, call_id)

    async def _restore_callers(self) -> None:
        waiting = {call_id: waiter for call_id, waiter in self._waiters.items() if not waiter.held}
        if not waiting:
            return
        known = await asked(self._redis.hmget("burgernet:waiting", list(waiting)))
        lost = [call_id for call_id, text in zip(waiting, known, strict=True) if text != waiting[call_id].text()]
        for call_id in sorted(lost, key=lambda call_id: waiting[call_id].score):
            if call_id in self._waiters and not waiting[call_id].held:
                await self.rejoin(call_id, waiting[call_id])

    async def _restore_operators(self, posts: Mapping[str, Post]) -> None:
        known = await asked(self._redis.hgetall("burgernet:post"))
        states = await asked(self._redis.hkeys("burgernet:state"))
        for operator, post in posts.items():
            if known.get(operator) != post.text() or operator not in states:
                await self.offer(operator, post)

    def _wake_all(self) -> None:
        for waiter in self._waiters.values():
            waiter.awake.set()

    def _held_by(self, call_id: str) -> str:
        return next((operator for operator, call in self._holding.items() if call == call_id), "")

    def _is_led(self, call_id: str) -> bool:
        return call_id in self._waiters or self.leads(call_id)

    async def _hold(self, operator: str, call_id: str) -> bool:
        held = await self._scripts.run("hold", operator, self._app, call_id, _now_ms())
        if self._holding.get(operator) != call_id:  # let go while we were asking
            await self.release(operator, call_id)
        return bool(held)

    async def _let_go_before(self, call_id: str) -> None:
        """Asterisk was away between the answer of an operator and the talk: the call comes again."""
        if held := self._held_by(call_id):
            await self.release(held, call_id)

    async def _join(self, call_id: str, waiter: Waiter, *, fresh: bool) -> None:
        paired = await self._scripts.run("join", call_id, waiter.text(), repr(waiter.score), _now_ms(), int(fresh))
        waiter.offered = tuple(paired) if paired else None
        if paired:
            waiter.awake.set()
        if self._waiters.get(call_id) is not waiter:  # gave up while we were asking
            await self._leave(call_id, self._held_by(call_id))

    async def _give_up(self, call_id: str, held: str, kept: str) -> None:
        await self._leave(call_id, kept)
        if held and not kept:
            try:
                await self.release(held, call_id)
            except LineAway:
                log.info("operator %s is freed when Redis is back", held)

    async def _leave(self, call_id: str, keep: str) -> None:
        try:
            await self._scripts.run("leave", call_id, keep, _now_ms())
        except LineAway:
            log.info("call %s left the line while Redis was away; the next restore removes it", call_id)


def _now_ms() -> int:
    return int(time.time() * 1000)
