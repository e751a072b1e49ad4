"""A scene of the faults: everybody comes into place, something is broken, every call ends, all is counted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bench.fault_ground import ROOM, Controller, Ground, until
from bench.fault_phones import Callers, Phones
from bench.results import Figure, Goal

NAME = "faults"
RATE = 15.0
IN_PLACE_S, QUIET_S, BOOKED_S = 60.0, 30.0, 120.0
WELL = ("operator hung up", "no action", "handed to the dialplan")


@dataclass(frozen=True)
class Size:
    """How many talk, wait and are in menus when something breaks; `talk_s`: when an operator hangs up."""

    talking: int
    waiting: int
    menus: int
    talk_s: float = 30.0


class Play:
    def __init__(self, on: Ground, size: Size, scene: str) -> None:
        self.on, self.size, self.scene = on, size, scene
        self.phones = Phones()
        self.batches: list[Callers] = []
        self.figures: list[Figure] = []

    async def callers(
        self, count: int, *, codes: bool = True, rate: float = RATE, patience_s: float | None = None
    ) -> Callers:
        """More callers; with `codes` they key that of the action, else nothing."""
        batch = Callers(count, len(self.batches) * 1100, self.on.action.code if codes else "", patience_s)
        self.batches.append(batch)
        await batch.call(self.on.settings.sip_bind, self.on.settings.free_number, rate)
        return batch

    async def in_place(self) -> None:
        """Callers talk, wait and are in menus, as many as the size says."""
        await self.callers(self.size.talking + self.size.waiting)
        await self._reached(lambda claims, line: claims == self.size.talking and line == self.size.waiting)
        if self.size.menus:
            await self.callers(self.size.menus, codes=False)
            await self._channels(2 * self.size.talking + self.size.waiting + self.size.menus)
        await asyncio.sleep(1)

    async def led_by(self, controller: Controller) -> int:
        """How many callers a controller leads, by Asterisk."""
        shown = await self.on.console("core show channels concise")
        return sum("PJSIP/carrier-" in line and f"!{controller.app}," in line for line in shown.splitlines())

    async def line(self) -> list[str]:
        """The order of service."""
        redis = self.on.asked()
        try:
            return [str(each) for each in await redis.zrange(f"burgernet:line:{ROOM}", 0, -1, withscores=True)]
        finally:
            await redis.aclose()

    async def ends(self, bound_s: float) -> None:
        """Returns when every call is over."""
        await asyncio.gather(*(batch.ends(bound_s) for batch in self.batches))

    def counts(self, what: str, value: float, unit: str, at_most: float | None = None) -> None:
        goal = None if at_most is None else Goal(at_most=at_most)
        self.figures.append(Figure(NAME, f"{self.scene}: {what}", value, unit, goal=goal))

    async def counts_all(self) -> None:
        """What every scene is held to."""
        callers = sum(batch.count for batch in self.batches)
        await self._booked(callers)
        rows = await self.on.books("SELECT id, ended_how FROM police.call WHERE direction = 'in'")
        well = sum(row["ended_how"] in WELL for row in rows)
        unserved = callers - sum(batch.counted("SuccessfulCall") for batch in self.batches)
        await asyncio.sleep(1.5)
        self.counts("callers lost", max(unserved, callers - well), "calls", 0)
        self.counts("talks cut", self.phones.cut, "calls", 0)
        self.counts("led by the dialplan", sum(row["ended_how"] == WELL[2] for row in rows), "calls")
        await self.counts_left(rows_wanted=callers)
        ends: dict[str, int] = {}
        for row in rows:
            ends[str(row["ended_how"])] = ends.get(str(row["ended_how"]), 0) + 1
        print(f"  {callers} callers: {ends}", flush=True)

    async def counts_left(self, rows_wanted: int) -> None:
        await self._booked(rows_wanted)
        left = await self._left()
        self.counts("legs, bridges and claims left", left, "", 0)
        rows = await self.on.books("SELECT count(*), count(ended_how) FROM police.call WHERE direction = 'in'")
        self.counts("call rows without an end", rows[0][0] - rows[0][1], "rows", 0)
        self.counts("call rows too many or too few", abs(rows[0][0] - rows_wanted), "rows", 0)

    async def _booked(self, wanted: int) -> None:
        async def so_many() -> bool:
            return int((await self.on.books("SELECT count(ended_how) FROM police.call"))[0][0]) >= wanted

        await polled(so_many, BOOKED_S)

    async def _left(self) -> int:
        async def quiet() -> bool:
            return await self._all_left() == 0

        await polled(quiet, QUIET_S)
        return await self._all_left()

    async def _all_left(self) -> int:
        redis = self.on.asked()
        claims = await redis.hlen("burgernet:claim") + await redis.hlen("burgernet:waiting")
        await redis.aclose()
        return int(await self.on.channels() + await self.on.bridges() + claims)

    async def _reached(self, there: Callable[[int, int], bool]) -> None:
        redis = self.on.asked()

        async def so_many() -> bool:
            return there(await redis.hlen("burgernet:claim"), await redis.zcard(f"burgernet:line:{ROOM}"))

        held = await polled(so_many, IN_PLACE_S)
        seen = await redis.hlen("burgernet:claim"), await redis.zcard(f"burgernet:line:{ROOM}")
        await redis.aclose()
        if not held:
            raise RuntimeError(f"{self.scene}: callers did not come into place: {seen} talk and wait")

    async def _channels(self, wanted: int) -> None:
        async def so_many() -> bool:
            return await self.on.channels() >= wanted

        if not await polled(so_many, IN_PLACE_S):
            raise RuntimeError(f"{self.scene}: {await self.on.channels()} channels instead of {wanted}")


async def polled(holds: Callable[[], Awaitable[bool]], bound_s: float) -> bool:
    """Whether it held within the bound; asked four times a second."""
    over = time.monotonic() + bound_s
    while time.monotonic() < over:
        if await holds():
            return True
        await asyncio.sleep(0.25)
    return False


@asynccontextmanager
async def play(
    on: Ground, size: Size, scene: str, controllers: Sequence[str] = ("one",), **environment: str
) -> AsyncIterator[Play]:
    """A scene with these controllers up and all phones plugged in."""
    print(f"scene: {scene}", flush=True)
    await on.begins_anew()
    scene_play = Play(on, size, scene)
    try:
        await scene_play.phones.plugged_in(size.talk_s)
        for name in controllers:
            await on.controller(name, **environment).starts()
        await _on_duty(on, on.operators)
        yield scene_play
    finally:
        for sipp in (*scene_play.batches, scene_play.phones):
            await sipp.is_put_away()


async def _on_duty(on: Ground, wanted: int) -> None:
    redis = on.asked()

    async def so_many() -> bool:
        return int(await redis.zcard(f"burgernet:free:{ROOM}")) >= wanted

    held = await polled(so_many, IN_PLACE_S)
    await redis.aclose()
    if not held:
        raise RuntimeError("not all operators came into the line")


async def adopted(controller: Controller, calls: int, bound_s: float) -> float:
    """Seconds until this controller has taken over so many calls; the bound when it did not."""
    try:
        return await until(lambda: controller.said().count(" adopted at stage ") >= calls, "adoption", bound_s)
    except TimeoutError:
        return bound_s
