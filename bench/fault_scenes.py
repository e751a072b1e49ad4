"""What is broken, one thing a scene."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from bench.fault_ground import CONTROLLERS, Ground
from bench.fault_phones import VANISHING_PORT, VanishingPhones
from bench.fault_play import Play, Size, adopted, play, polled
from bench.results import Figure

ADOPTED_S, STARTED_S = 5.0, 30.0
LONG_S = 200.0
AWAY_S = 30.0
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
CAN_JUMP = FAKETIME.exists()

Scene = Callable[[Ground, Size], Awaitable[list[Figure]]]


async def one_of_two_killed(on: Ground, size: Size) -> list[Figure]:
    async with play(on, size, "kill -9 of one of two controllers", CONTROLLERS) as scene:
        await scene.in_place()
        one, two = on.controllers
        led, before = await scene.led_by(one), await scene.line()
        one.is_killed()
        scene.counts(f"until the last of {led} calls was adopted", await adopted(two, led, 20), "s", ADOPTED_S)
        await _order_kept(scene, before)
        await scene.ends(LONG_S)
        await scene.counts_all()
        return scene.figures


async def both_killed(on: Ground, size: Size) -> list[Figure]:
    async with play(on, size, "kill -9 of both controllers, one started again", CONTROLLERS) as scene:
        await scene.in_place()
        one, two = on.controllers
        led, before = await scene.led_by(one) + await scene.led_by(two), await scene.line()
        one.is_killed()
        two.is_killed()
        begun = time.monotonic()
        await one.starts()
        scene.counts("start of the one", time.monotonic() - begun, "s")
        await adopted(one, led, STARTED_S)
        scene.counts("calls not adopted", max(led - one.said().count(" adopted at stage "), 0), "calls", 0)
        scene.counts(f"until the last of {led} calls was adopted", time.monotonic() - begun, "s")
        await _order_kept(scene, before)
        await scene.ends(LONG_S)
        await scene.counts_all()
        return scene.figures


async def redis_emptied(on: Ground, size: Size) -> list[Figure]:
    async with play(on, size, "Redis killed and started again empty", CONTROLLERS) as scene:
        await scene.in_place()
        before = await scene.line()
        await on.redis.is_killed()
        await asyncio.sleep(1)
        on.redis.starts()
        begun = time.monotonic()

        async def restored() -> bool:
            return await scene.line() == before

        await polled(restored, 15)
        scene.counts("until the line was as before", time.monotonic() - begun, "s", 15)
        await _order_kept(scene, before)
        await scene.ends(LONG_S)
        await scene.counts_all()
        return scene.figures


async def database_away(on: Ground, size: Size) -> list[Figure]:
    short = Size(size.talking, 0, 0, talk_s=8)
    async with play(on, short, f"PostgreSQL away for {AWAY_S:.0f} s", CONTROLLERS) as scene:
        rate = max(size.talking / 12, 0.5)
        await scene.callers(int(rate * (AWAY_S + 15)), rate=rate)
        await asyncio.sleep(5)
        on.database.refuses = True
        on.database.cut()
        await asyncio.sleep(AWAY_S)
        on.database.refuses = False
        await scene.ends(LONG_S)
        await scene.counts_all()
        return scene.figures


async def asterisk_restarted(on: Ground, size: Size) -> list[Figure]:
    """The media node itself dies: its calls end. Whoever waited and can be called back has a row for it."""
    async with play(on, size, "Asterisk killed and started again", CONTROLLERS) as scene:
        await scene.in_place()
        in_line = await on.books(
            "SELECT id, digest FROM police.call WHERE waiting_at IS NOT NULL AND connected_at IS NULL"
        )
        waited = {row["id"]: row["digest"] for row in in_line}
        begun = time.monotonic()
        on.exchange.is_killed()
        await asyncio.to_thread(on.exchange.starts)
        scene.counts("until Asterisk had booted", time.monotonic() - begun, "s")

        async def all_ended() -> bool:
            return not (await on.books("SELECT 1 FROM police.call WHERE ended_at IS NULL LIMIT 1"))

        await polled(all_ended, 120)
        known, kept = {call for call, digest in waited.items() if digest}, set[str]()

        async def all_kept() -> bool:
            kept.update(row["id"] for row in await on.books("SELECT id FROM police.call_back"))
            return known <= kept

        await polled(all_kept, 15)
        scene.counts(f"of {len(known)} with a known number, not called back", len(known - kept), "calls", 0)
        scene.counts("withheld, waited, nobody can call them back", len(waited) - len(known), "calls")
        scene.counts("talks that ended with the media node", size.talking, "calls")
        await on.books("DELETE FROM police.call_back")
        for batch in scene.batches:
            await batch.is_killed()
        await scene.counts_left(size.talking + size.waiting + size.menus)
        return scene.figures


async def wire_cut(on: Ground, size: Size) -> list[Figure]:
    async with play(on, size, "websocket cut") as scene:
        await scene.in_place()
        before, taken, begun = await scene.line(), on.ari.taken, time.monotonic()
        on.ari.cut()
        await _connected_again(scene, taken, begun)
        await _order_kept(scene, before)
        await scene.ends(LONG_S)
        await scene.counts_all()
        return scene.figures


async def wire_frozen(on: Ground, size: Size) -> list[Figure]:
    """Nothing comes and no end is told: the controller has to find out by itself."""
    async with play(on, size, "websocket frozen") as scene:
        await scene.in_place()
        before, taken, begun = await scene.line(), on.ari.taken, time.monotonic()
        on.ari.freezes()
        await asyncio.sleep(1)
        on.ari.thaws()
        await _connected_again(scene, taken, begun)
        await _order_kept(scene, before)
        await scene.ends(LONG_S)
        await scene.counts_all()
        return scene.figures


async def unplugged(on: Ground, size: Size) -> list[Figure]:
    gone = max(size.talking // 5, 1)
    calm = Size(size.talking, size.waiting, 0, talk_s=10)
    async with play(on, calm, f"{gone} operators' phones unplugged in mid-ring") as scene:
        vanishing = VanishingPhones()
        try:
            await on.plugs(on.accounts()[:gone], VANISHING_PORT)
            await vanishing.plugged_in()
            await scene.callers(size.talking + gone)

            async def all_ring() -> bool:
                return len(vanishing.logged()) >= gone

            await polled(all_ring, 30)
            scene.counts("phones unplugged", len(vanishing.logged()), "")
            await vanishing.is_killed()
            await scene.ends(LONG_S)
            await scene.counts_all()
            on_duty = await on.books("SELECT id FROM desk.operator WHERE signed_on_at IS NOT NULL")
            ours = {row["id"] for row in on_duty} & set(on.accounts()[:gone])
            scene.counts("operators without a phone still on duty", len(ours), "", 0)
        finally:
            await vanishing.is_put_away()
        return scene.figures


async def random_hang_ups(on: Ground, size: Size) -> list[Figure]:
    """Half of the callers key the code, half do not; all of them hang up whenever a seed says so."""
    half = 10 * size.talking
    async with play(on, Size(size.talking, 0, 0, talk_s=8), f"{2 * half:,} random hang-ups", CONTROLLERS) as scene:
        for codes in (True, False):
            await scene.callers(half, codes=codes, rate=max(half / 70, 0.5), patience_s=20)
        await scene.ends(LONG_S)
        await scene.counts_left(2 * half)
        for row in await on.books("SELECT ended_how, count(*) FROM police.call GROUP BY 1 ORDER BY 1"):
            print(f"  {row[0]}: {row[1]}", flush=True)
        return scene.figures


async def clock_jumps(on: Ground, size: Size) -> list[Figure]:
    """The controller's wall clock alone: an hour ahead, then an hour behind. Needs Debian's libfaketime."""
    if not CAN_JUMP:
        print("scene left out, libfaketime is not installed: clock jump", flush=True)
        return []
    clock = on.folder / "clock"
    clock.write_text("+0")
    given = {"LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_CACHE_DURATION": "1"}
    given |= {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}
    async with play(on, size, "clock one hour ahead, then behind", **given) as scene:
        await scene.in_place()
        before = await scene.line()
        clock.write_text("+1h")
        await asyncio.sleep(6)
        await _order_kept(scene, before)
        clock.write_text("-1h")
        await scene.callers(max(size.menus, 1), codes=True)
        await scene.ends(LONG_S)
        await scene.counts_all()
        return scene.figures


async def _order_kept(scene: Play, before: list[str]) -> None:
    after = [place for place in await scene.line() if place in before]
    scene.counts("places in line lost or changed", len(before) - sum(map(str.__eq__, before, after)), "", 0)


async def _connected_again(scene: Play, taken: int, begun: float) -> None:
    async def again() -> bool:
        return scene.on.ari.taken > taken

    await polled(again, 60)
    scene.counts("until connected again", time.monotonic() - begun, "s")
    await asyncio.sleep(2)


SCENES: dict[str, Scene] = {
    "controller": one_of_two_killed,
    "controllers": both_killed,
    "redis": redis_emptied,
    "database": database_away,
    "asterisk": asterisk_restarted,
    "cut": wire_cut,
    "frozen": wire_frozen,
    "unplugged": unplugged,
    "clock": clock_jumps,
    "chance": random_hang_ups,
}
