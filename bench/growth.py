"""Bench `growth`: what a call costs when few, many and very many go on at once."""

from __future__ import annotations

import asyncio

from bench import sipp
from bench.free_number import Bench
from bench.ground import ground, product
from bench.results import Figure, Goal

NAME = "growth"
AT_ONCE = (10, 100, 1000)
RATE = 25.0
# What goes before and after the talk: prompts, ringing.
AROUND_S = 2.0


async def run(most: int) -> list[Figure]:
    """Calls come at one rate everywhere, those that talk longer are more at once. `most`: not more than so many."""
    costs: list[tuple[int, float, int]] = []
    async with ground() as on:
        for at_once in (number for number in AT_ONCE if number <= most):
            rate = min(RATE, at_once / (AROUND_S + 1))
            talk_s = at_once / rate - AROUND_S
            with sipp.phones(talk_s), product(on) as process:
                bench = Bench(on, on.settings.free_number, process.pid)
                await asyncio.to_thread(bench.at, 10, 30)
                found = await asyncio.to_thread(bench.at, rate, max(int(at_once * 1.5), 100), talk_s + 25)
                costs.append((at_once, found.whole_cpu_ms, found.load.failed))
    first = costs[0][1]
    return [
        *(Figure(NAME, f"CPU per call, {number} at once", cost, "ms", first) for number, cost, _ in costs),
        *(
            Figure(NAME, f"failed, {number} at once", failed, "calls", goal=Goal(at_most=0))
            for number, _, failed in costs
        ),
    ]
