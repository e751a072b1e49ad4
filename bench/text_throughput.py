"""Bench `text-throughput`: texts a second, beside a loop of Twilio's official client with the same SQL writes."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from bench.results import Figure, Goal
from bench.texting import Process, Texting, running, texting

NAME = "text-throughput"
LATENCY_S = 0.04
SIDE_BY_SIDE = 100
WARM_UP_S = 3.0
WORKERS = 4
# What is measured on a shared machine swings: the ways take turns.
ROUNDS = 2
SIZES = (1_000, 10_000, 100_000, 1_000_000)


@dataclass(frozen=True)
class Pace:
    """Texts a second, and milliseconds of processor a text: of all workers, of PostgreSQL, of the stand-in."""

    a_second: float
    worker_ms: float
    postgres_ms: float
    stand_in_ms: float
    twice: int


def run(seconds: float, largest: int) -> list[Figure]:
    """`largest`: deliveries in the longest queue."""
    with texting() as ground:
        return asyncio.run(_run(ground, seconds, largest))


async def _run(ground: Texting, seconds: float, largest: int) -> list[Figure]:
    ways: dict[str, list[Pace]] = {"product": [], "loop": [], "bare": [], "four": []}
    enough = max(int(seconds * 3_000), 20_000)
    for _ in range(ROUNDS):
        for way, paces in ways.items():
            await ground.forgets_all()
            await ground.alerts(min(enough, largest))
            paces.append(await _pace(ground, way, seconds))
    best = {way: max(paces, key=lambda pace: pace.a_second) for way, paces in ways.items()}
    return [*_compared(best), *await _by_size(ground, seconds, [size for size in SIZES if size <= largest])]


async def _pace(ground: Texting, way: str, seconds: float) -> Pace:
    async with running("bench.stand_in", answer_after_s=LATENCY_S) as twilio, AsyncExitStack() as open_things:
        workers: list[Process] = []
        for _ in range(WORKERS if way == "four" else 1):
            if way in ("product", "four"):
                worker = ground.worker(twilio.ready, SIDE_BY_SIDE)
            else:
                worker = running(
                    "bench.references.twilio_loop",
                    way=way,
                    database=ground.database,
                    twilio=twilio.ready,
                    side_by_side=SIDE_BY_SIDE,
                )
            workers.append(await open_things.enter_async_context(worker))
        return await _watched(ground, twilio, workers, seconds)


async def _watched(ground: Texting, twilio: Process, workers: Sequence[Process], seconds: float) -> Pace:
    def used() -> tuple[float, float, float]:
        return sum(worker.cpu_s for worker in workers), ground.postgres_cpu_s, twilio.cpu_s

    await asyncio.sleep(WARM_UP_S)
    begun, before, cpu = time.monotonic(), json.loads(await twilio.asked("")), used()
    await asyncio.sleep(seconds)
    took, after, cpu_after = time.monotonic() - begun, json.loads(await twilio.asked("")), used()
    count = after["count"] - before["count"]
    worker, postgres, stand_in = (
        (late - early) * 1000 / max(count, 1) for early, late in zip(cpu, cpu_after, strict=True)
    )
    return Pace(count / took, worker, postgres, stand_in, after["twice"])


def _compared(best: dict[str, Pace]) -> list[Figure]:
    product, loop, bare, four = (best[way] for way in ("product", "loop", "bare", "four"))
    return [
        Figure(NAME, "one worker", product.a_second, "texts/s", loop.a_second, Goal(at_least=0.8, of_reference=True)),
        Figure(NAME, "one worker, beside bare aiohttp", product.a_second, "texts/s", bare.a_second),
        Figure(NAME, f"{WORKERS} workers, beside one", four.a_second, "texts/s", product.a_second),
        Figure(NAME, "processor of the worker", product.worker_ms, "ms a text", loop.worker_ms),
        Figure(NAME, "processor of PostgreSQL", product.postgres_ms, "ms a text", loop.postgres_ms),
        Figure(NAME, "processor of the stand-in", product.stand_in_ms, "ms a text", loop.stand_in_ms),
        Figure(NAME, "twice to one number", max(product.twice, four.twice), "texts", goal=Goal(at_most=0)),
    ]


async def _by_size(ground: Texting, seconds: float, sizes: Sequence[int]) -> list[Figure]:
    """What a text costs with so many deliveries in the queue: workers and PostgreSQL."""
    costs: dict[int, float] = {}
    for size in sizes:
        await ground.forgets_all()
        await ground.alerts(size)
        async with (
            running("bench.stand_in", answer_after_s=LATENCY_S) as twilio,
            ground.worker(twilio.ready, SIDE_BY_SIDE) as worker,
        ):
            costs[size] = await _cost(ground, twilio, worker, size, seconds)
    first = next(iter(costs.values()))
    flat = Goal(at_most=1.3, of_reference=True)
    return [
        Figure(NAME, f"processor a text, {size:,} deliveries", cost, "ms", first, flat) for size, cost in costs.items()
    ]


async def _cost(ground: Texting, twilio: Process, worker: Process, size: int, seconds: float) -> float:
    """From the first text on, until `seconds` are over or nearly all are sent."""
    while not (begun := json.loads(await twilio.asked(""))["count"]):  # noqa: ASYNC110 - it comes in another process
        await asyncio.sleep(0.02)
    used, over = worker.cpu_s + ground.postgres_cpu_s, time.monotonic() + seconds
    while (count := json.loads(await twilio.asked(""))["count"]) < size * 0.95 and time.monotonic() < over:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    return (worker.cpu_s + ground.postgres_cpu_s - used) * 1000 / int(count - begun)
