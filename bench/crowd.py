"""Very many callers who wait: real controllers and the real line, on Asterisk in memory."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from redis.asyncio import Redis

from bench.rule import Caller
from telephony.calls import Call
from telephony.controller import Controller
from telephony.fake import FakeAsterisk
from telephony.fake_ari import FakeAri
from telephony.fake_phone import FakePhone
from telephony.outbound import OutboundGuard
from telephony.place import Post, Roll
from telephony.speech import Prompt
from telephony.waiting_line import WaitingLine

FLOW = "waits"
TOGETHER = 50
COME_BOUND_S = 60.0
MAX_CALL_S = 3600.0


class Leader:
    """A controller of the crowd."""

    def __init__(self, asterisk: FakeAsterisk, app: str, crowd: Crowd) -> None:
        redis = self._redis = crowd.redis
        self._callers, self._talks, self._served = crowd.callers, crowd.talks, crowd.served
        self.line = WaitingLine(redis, app, self._on_duty)
        guard = OutboundGuard((), (), 0)
        self.controller = Controller(
            FakeAri(asterisk, app), _said, {FLOW: self._waits}, guard, MAX_CALL_S, _left_recording
        )
        self.line.leads = self.controller.leads

    async def _waits(self, call: Call) -> None:
        caller = self._callers[call.leg.id]
        await call.answer()
        await call.note("waiting", room=caller.room)
        async with (
            self.line.waiting_for(
                caller.room,
                call.id,
                caller.priority,
                datetime.fromtimestamp(caller.arrived / 1000, UTC),
                language=caller.language,
                skill=caller.skill,
                preferred=caller.preferred,
            ) as place,
            call.music(),
        ):
            taken = await place.operator()
            given_at = time.monotonic()
        over = self._talks[taken.operator] = asyncio.Event()
        self._served.put_nowait((call.leg.id, taken.operator, given_at))
        await over.wait()
        await self.line.release(taken.operator, call.id)
        await call.hangup()

    async def _on_duty(self) -> Roll:
        """The books are the other controller's: whoever it has on duty."""
        return Roll(await posts(self._redis))


class Crowd:
    """`callers`: by the leg of each, who calls the one or the other of two controllers. `served`: (leg, operator,
    monotonic seconds) of each caller who was given an operator. `talks`: by operator, set to end the talk."""

    def __init__(self, redis: Redis, callers: Mapping[str, Caller]) -> None:
        self.redis, self.callers = redis, callers
        self.served: asyncio.Queue[tuple[str, str, float]] = asyncio.Queue()
        self.talks: dict[str, asyncio.Event] = {}
        self._asterisk = FakeAsterisk(pace=1)
        self._held: set[asyncio.Task[None]] = set()
        self.leaders = [Leader(self._asterisk, f"burgernet-crowd-{number}", self) for number in (1, 2)]

    async def holds(self, operator: str) -> None:
        """Keeps an operator from the line by a talk that never was."""
        line, call, over = self.leaders[0].line, f"before-{operator}", asyncio.Event()
        assert await line.hold(operator, call)
        self.talks[operator] = over

        async def until_over() -> None:
            await over.wait()
            await line.release(operator, call)

        self._held.add(asyncio.create_task(until_over()))

    async def comes(self) -> None:
        """Everybody calls; returns when all stand in line."""
        before, calls = await self.redis.hlen("burgernet:waiting"), list(self.callers)
        for first in range(0, len(calls), TOGETHER):
            some = calls[first : first + TOGETHER]
            for call in some:
                self._calls(call)
            async with asyncio.timeout(COME_BOUND_S):
                while await self.redis.hlen("burgernet:waiting") < before + first + len(some):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)

    def _calls(self, call: str) -> None:
        leader = self.leaders[len(self._asterisk.channels) % len(self.leaders)]
        phone = FakePhone(self._asterisk, "carrier", "from-trunk", "", tone=0)
        channel = self._asterisk.new_channel(phone, "", leg=call)
        self._asterisk.enter_stasis(channel, leader.controller.ari.app, FLOW, "trunk", "withheld")


@asynccontextmanager
async def crowd(redis: Redis, callers: Mapping[str, Caller]) -> AsyncIterator[Crowd]:
    """Two controllers that take calls, in this process."""
    ours = Crowd(redis, callers)
    running = [asyncio.create_task(leader.controller.run()) for leader in ours.leaders]
    try:
        for leader in ours.leaders:
            await leader.controller.reconciled.wait()
            running.append(asyncio.create_task(leader.line.run()))
            await leader.line.connected.wait()
        yield ours
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def posts(redis: Redis) -> dict[str, Post]:
    """Everybody on duty now."""
    found: Any = await redis.hgetall("burgernet:post")
    return {operator: _post(json.loads(text)) for operator, text in found.items()}


def _post(told: Mapping[str, Any]) -> Post:
    return Post(
        told["room"], tuple(told["languages"]), tuple(told["skills"]), told["endpoint"], told["wrap_up_ms"] / 1000
    )


async def _said(prompt: Prompt, language: str) -> str:
    return "sound:nothing"


async def _left_recording(what: str, call_id: str, wav: bytes) -> None:
    raise AssertionError("nobody records here")
