"""Bench `adoption`: a controller with hundreds of calls is killed, the other one of its node leads them on."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bench import sipp
from bench.ground import KEPT, Ground, ground, log_of, product
from bench.lasting import known_callers, lasting, on_duty
from bench.results import Figure, Goal

NAME = "adoption"
ROOMS = 10
LOOK_S, SETTLED_S = 0.02, 3.0
ADOPTED_BOUND_S = 60.0
ADOPTED = re.compile(rb" adopted at stage ")
OPERATORS_LEG = re.compile(r"PJSIP/[a-z-]+-\d+-[0-9a-f]{8}")
TAKEN_OVER = re.compile(rb"controller \S+ is gone")


async def run(calls: int, load_s: float) -> list[Figure]:
    """Half of the calls talk, half wait. `load_s`: so long every core is busy and nobody may count as dead."""
    async with ground(controllers=["one", "two"], room_patience_s=3600) as on:
        a_room = max(calls // 2 // ROOMS, 1)
        await on_duty(on, a_room)
        with sipp.phones(talk_s=3600) as rings, product(on, "one", a_room) as one:
            async with lasting(on, known_callers(on, calls), a_room * ROOMS, calls - a_room * ROOMS):
                with product(_beside(on), "two", a_room):
                    mistaken = await _under_full_load(load_s)
                    return [*mistaken, *await _killed(on, one, a_room * ROOMS, rings)]


def _beside(on: Ground) -> Ground:
    return replace(on, settings=on.settings.model_copy(update={"spool_file": KEPT / "two.spool"}))


async def _under_full_load(seconds: float) -> list[Figure]:
    with _busy_cores():
        await asyncio.sleep(seconds)
    mistaken = sum(len(TAKEN_OVER.findall(log_of(name).read_bytes())) for name in ("one", "two"))
    what = f"false takeovers in {seconds:.0f} s of full load"
    return [Figure(NAME, what, mistaken, "", goal=Goal(at_most=0))]


async def _killed(on: Ground, one: subprocess.Popen[bytes], talking: int, rings: Path) -> list[Figure]:
    """kill -9, and when each call was taken over. One operator hangs up before that, and must get the next caller."""
    before = on.channels()
    calls = before - talking
    killed_at, clock = time.monotonic(), time.time()
    os.kill(one.pid, signal.SIGKILL)
    operator = _one_hangs_up(on)
    after_s = await _adopted(calls, killed_at)
    served_s = await _rings_after(rings, operator, clock)
    await asyncio.sleep(SETTLED_S)
    lost = before - 1 - on.channels()  # the caller of that operator is gone
    first = after_s[0] if after_s else float("nan")
    last = after_s[-1] if len(after_s) >= calls else float("nan")
    return [
        Figure(NAME, f"calls adopted of {calls}", len(after_s), "calls", goal=Goal(at_least=calls)),
        Figure(NAME, "from kill -9 to the first call adopted", first, "s"),
        Figure(NAME, f"from kill -9 to the last of {calls} calls adopted", last, "s", goal=Goal(at_most=5)),
        Figure(NAME, "from kill -9 until an operator who hung up meanwhile is given the next caller", served_s, "s"),
        Figure(NAME, "callers' and operators' legs lost by it", lost, "legs", goal=Goal(at_most=0)),
    ]


async def _adopted(calls: int, killed_at: float) -> list[float]:
    """Seconds after which each call was taken over, as the survivor's log tells."""
    after_s: list[float] = []
    log = log_of("two")
    while len(after_s) < calls and time.monotonic() < killed_at + ADOPTED_BOUND_S:
        found = len(ADOPTED.findall(log.read_bytes()))
        after_s += [time.monotonic() - killed_at] * (found - len(after_s))
        await asyncio.sleep(LOOK_S)
    return after_s


def _one_hangs_up(on: Ground) -> str:
    """The account of that operator."""
    channels = on.instance.console("core show channels concise").splitlines()
    leg = next(found[0] for line in channels if (found := OPERATORS_LEG.match(line)))
    on.instance.console(f"channel request hangup {leg}")
    return leg.removeprefix("PJSIP/").rpartition("-")[0]


async def _rings_after(rings: Path, operator: str, since: float) -> float:
    """Seconds until this operator's phone rings again; nan when it does not."""
    while time.time() < since + ADOPTED_BOUND_S:
        for at, account in sipp.read_log(rings):
            if account == operator and at > since:
                return at - since
        await asyncio.sleep(LOOK_S)
    return float("nan")


@contextmanager
def _busy_cores() -> Iterator[None]:
    """Twice as many processes that never rest as there are cores."""
    command = [sys.executable, "-c", "while True: pass"]
    busy = [subprocess.Popen(command) for _ in range(2 * len(os.sched_getaffinity(0)))]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()
