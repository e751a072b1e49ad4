"""Bench `free-number`: the same call through plain dialplan, a minimal controller and the product, side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bench import calls_in_book, sipp
from bench.ground import Ground, ground, http_handler, product, prompts
from bench.processor import cpu_s, resident_mb
from bench.results import Figure, Goal, percentile

NAME = "free-number"
# A rate is held when not more than one call of a hundred fails, and ninety-nine are answered within the bound.
FAILED_SHARE, ANSWER_BOUND_MS = 0.01, 500.0
FIRST_RATE, STEP, HIGHEST_RATE = 30.0, 1.35, 400.0
NARROWINGS = 2
CALM = 30.0


@dataclass(frozen=True)
class Options:
    """`seconds`: of one step of the search; `steady_s` at `steady_rate`; `memory_calls`: for the memory's growth."""

    seconds: float = 10
    steady_rate: float = 100
    steady_s: float = 60
    memory_calls: int = 5_000


@dataclass(frozen=True)
class Measured:
    """A load, and milliseconds of processor a call on every part that serves it."""

    load: sipp.Load
    cpu_ms: dict[str, float]
    handler_mb: float

    @property
    def whole_cpu_ms(self) -> float:
        return sum(self.cpu_ms.values())


class Bench:
    """One way of handling calls: `service` is dialled, `handler` is the process that leads them, if any."""

    def __init__(self, on: Ground, service: str, handler: int | None) -> None:
        self._on, self._service, self._handler = on, service, handler
        self._called = 0

    def at(self, rate: float, calls: int, longest_s: float = sipp.LONGEST_CALL_S) -> Measured:
        self._on.empties()
        callers = self._on.country.callers(calls, first=self._called)
        self._called += calls
        before = self._cpu()
        load = sipp.calls(self._on.sip, self._service, callers, rate, longest_s)
        if not self._on.empties():
            load = replace(load, failed=max(load.failed, 1))
        after = self._cpu()
        cost = {part: (after[part] - before[part]) * 1000 / calls for part in after}
        return Measured(load, cost, resident_mb(self._handler) if self._handler else 0.0)

    def saturation(self, seconds: float) -> float:
        """The highest rate that is held, found by going up in steps and then narrowing down."""
        held, refused = 0.0, 0.0
        rate = FIRST_RATE
        while not refused and rate <= HIGHEST_RATE:
            if self._holds(rate, seconds):
                held, rate = rate, rate * STEP
            else:
                refused = rate
        for _ in range(NARROWINGS if refused else 0):
            middle = (held + refused) / 2
            held, refused = (middle, refused) if self._holds(middle, seconds) else (held, middle)
        return held

    def _holds(self, rate: float, seconds: float) -> bool:
        found = self.at(rate, int(rate * seconds)).load
        p99 = found.answer_ms(0.99)
        print(f"  {self._service}: {rate:.0f}/s, {found.failed} failed, answer p99 {p99:.0f} ms", flush=True)
        return found.failed <= FAILED_SHARE * found.calls and p99 <= ANSWER_BOUND_MS

    def _cpu(self) -> dict[str, float]:
        handler = {"controller": cpu_s(self._handler)} if self._handler else {}
        return self._on.cpu_s() | handler


async def run(options: Options) -> list[Figure]:
    """All figures; takes ten to twenty minutes with the usual options."""
    async with ground() as on:
        said = await prompts(on.speech, on.country)
        with sipp.phones():
            plain = await asyncio.to_thread(_reference, Bench(on, "08000098", None), options)
            with http_handler(on, said) as process:
                http = await asyncio.to_thread(_reference, Bench(on, "08000099", process.pid), options)
        with sipp.phones() as rings, product(on) as process:
            ours = Bench(on, on.settings.free_number, process.pid)
            await asyncio.to_thread(ours.at, 10, 30)
            product_itself = await asyncio.to_thread(_reference, ours, options)
            figures = _compared(product_itself, plain, http)
            delays_ms = await calls_in_book.ring_delays_ms(on, product_itself.busy.load, sipp.read_log(rings))
            figures += _near_saturation(product_itself.busy, plain, delays_ms)
            figures += _steady(
                await asyncio.to_thread(ours.at, options.steady_rate, int(options.steady_rate * options.steady_s))
            )
            figures += await asyncio.to_thread(_memory, ours, options)
            figures += await calls_in_book.figures(NAME, on)
        return figures


@dataclass(frozen=True)
class Way:
    """What one way of handling calls holds and costs. `busy`: at 0.7 of its saturation; `full`: at the steady rate."""

    calm: Measured
    full: Measured
    saturation: float
    busy: Measured


def _reference(bench: Bench, options: Options) -> Way:
    calm = bench.at(CALM, int(CALM * options.seconds))
    full = bench.at(options.steady_rate, int(options.steady_rate * options.seconds))
    saturation = bench.saturation(options.seconds)
    rate = max(0.7 * saturation, 1.0)
    busy = bench.at(rate, int(rate * options.seconds))
    return Way(calm, full, saturation, busy)


def _compared(ours: Way, plain: Way, http: Way) -> list[Figure]:
    return [
        Figure(
            NAME, "saturation", ours.saturation, "calls/s", plain.saturation, Goal(at_least=0.65, of_reference=True)
        ),
        Figure(NAME, "saturation beside the HTTP controller", ours.saturation, "calls/s", http.saturation),
        *_cpu(ours.full, plain.full, http.full, Goal(at_most=1.5, of_reference=True)),
        *_cpu(ours.calm, plain.calm, http.calm, None),
    ]


def _cpu(ours: Measured, plain: Measured, http: Measured, goal: Goal | None) -> list[Figure]:
    at = f"at {ours.load.rate:.0f}/s"
    parts = [
        Figure(NAME, f"CPU of {part} per call {at}", cost, "ms", plain.cpu_ms.get(part) or None)
        for part, cost in ours.cpu_ms.items()
    ]
    return [
        Figure(NAME, f"CPU per call {at}", ours.whole_cpu_ms, "ms", plain.whole_cpu_ms, goal),
        Figure(NAME, f"CPU per call {at} beside the HTTP controller", ours.whole_cpu_ms, "ms", http.whole_cpu_ms),
        *parts,
    ]


def _near_saturation(busy: Measured, plain: Way, delays_ms: Sequence[float]) -> list[Figure]:
    at = f"at {busy.load.rate:.0f}/s (0.7 of saturation)"
    p99 = plain.busy.load.answer_ms(0.99)
    return [
        Figure(NAME, f"answer p99 {at}", busy.load.answer_ms(0.99), "ms", p99, Goal(at_most=5, of_reference=True)),
        Figure(NAME, f"INVITE to ringing operator beyond the prompt, median {at}", percentile(delays_ms, 0.5), "ms"),
        Figure(
            NAME,
            f"INVITE to ringing operator beyond the prompt, p99 {at}",
            percentile(delays_ms, 0.99),
            "ms",
            goal=Goal(at_most=150),
        ),
    ]


def _steady(found: Measured) -> list[Figure]:
    what = f"of {found.load.calls:,} calls at {found.load.rate:.0f}/s"
    return [
        Figure(NAME, f"failed {what}", found.load.failed, "calls", goal=Goal(at_most=0)),
        Figure(NAME, f"answer p99 {what}", found.load.answer_ms(0.99), "ms"),
        Figure(NAME, f"CPU per call {what}", found.whole_cpu_ms, "ms"),
    ]


def _memory(bench: Bench, options: Options) -> list[Figure]:
    """What the controller's memory gains over many calls, after as many as make its pools and caches full."""
    rate = min(options.steady_rate, 60.0)
    before = bench.at(rate, 1_000).handler_mb
    after = bench.at(rate, options.memory_calls).handler_mb
    gained = max(after - before, 0.0) * 1_000 / options.memory_calls
    return [
        Figure(
            NAME,
            f"controller's memory gained per 1,000 calls, over {options.memory_calls:,}",
            gained,
            "MB",
            goal=Goal(at_most=0.2),
        ),
        Figure(NAME, "controller's memory", after, "MB"),
    ]
