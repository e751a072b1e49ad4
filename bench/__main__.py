"""`make bench [ONLY=name] [ARGS=...]`: runs the benches, prints what was found, writes bench/results.json."""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from bench import adoption, audience, chance, faults, free_number, growth, results, stop, text_throughput, waiting_line
from bench.fault_play import Size
from bench.fault_scenes import SCENES
from bench.results import Figure

RESULTS = Path("bench/results.json")


def main(words: Sequence[str]) -> int:
    """Exit status: 1 when a goal is not held."""
    given = _arguments().parse_args(words)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started here must not outlive us
    figures: list[Figure] = []
    begun = os.getloadavg()[0]
    for bench in [given.only] if given.only else BENCHES:
        print(f"bench {bench}", flush=True)
        figures += BENCHES[bench](given)
        results.write(RESULTS, _machine(begun), figures)
    machine = _machine(begun)
    title = f"{machine['processor']}, {machine['cores']} cores, load before {begun:.1f}, {machine['at']}"
    Console(width=150).print(results.table(figures, title))
    return int(any(figure.held is False for figure in figures))


def _free_number(given: argparse.Namespace) -> list[Figure]:
    options = free_number.Options(given.seconds, given.rate, given.steady, given.calls)
    return asyncio.run(free_number.run(options))


def _growth(given: argparse.Namespace) -> list[Figure]:
    return asyncio.run(growth.run(given.at_once))


def _chance(given: argparse.Namespace) -> list[Figure]:
    return chance.run()


def _faults(given: argparse.Namespace) -> list[Figure]:
    return asyncio.run(faults.run(Size(given.talking, given.waiting, given.menus), given.scenes))


def _waiting_line(given: argparse.Namespace) -> list[Figure]:
    return asyncio.run(waiting_line.run(waiting_line.Size(given.real, given.operators, given.wait)))


def _adoption(given: argparse.Namespace) -> list[Figure]:
    return asyncio.run(adoption.run(given.adopted, given.full_load))


def _text_throughput(given: argparse.Namespace) -> list[Figure]:
    return text_throughput.run(given.seconds, given.largest)


def _stop(given: argparse.Namespace) -> list[Figure]:
    return stop.run(given.stops, given.alerted)


def _audience(given: argparse.Namespace) -> list[Figure]:
    return asyncio.run(audience.run(given.size))


BENCHES = {
    free_number.NAME: _free_number,
    growth.NAME: _growth,
    waiting_line.NAME: _waiting_line,
    adoption.NAME: _adoption,
    audience.NAME: _audience,
    chance.NAME: _chance,
    faults.NAME: _faults,
    text_throughput.NAME: _text_throughput,
    stop.NAME: _stop,
}


def _arguments() -> argparse.ArgumentParser:
    words = argparse.ArgumentParser(prog="make bench", description="ONLY=name ARGS='...'")
    words.add_argument("only", nargs="?", choices=BENCHES, help="one bench; else all")
    words.add_argument("--seconds", type=float, default=10, help="length of each step of a search")
    words.add_argument("--rate", type=float, default=100, help="calls a second that must not fail")
    words.add_argument("--steady", type=float, default=60, help="for so many seconds")
    words.add_argument("--calls", type=int, default=5_000, help="calls over which memory is watched")
    words.add_argument("--at-once", type=int, default=1000, help="calls at one moment, at most, for growth")
    words.add_argument("--talking", type=int, default=50, help="callers who talk when something is broken")
    words.add_argument("--waiting", type=int, default=50, help="who wait in line")
    words.add_argument("--menus", type=int, default=20, help="who are in a menu")
    words.add_argument(
        "--real", type=int, default=200, help="waiting-line: callers on the real Asterisk, of ten times as many"
    )
    words.add_argument("--operators", type=int, default=20, help="waiting-line: operators in each of ten rooms")
    words.add_argument("--wait", type=float, default=60, help="waiting-line: seconds in which everybody waits")
    words.add_argument("--adopted", type=int, default=500, help="adoption: calls of the controller that is killed")
    words.add_argument(
        "--full-load", type=float, default=60, help="adoption: seconds of full load before, 600 for ten minutes"
    )
    words.add_argument(
        "--largest", type=int, default=1_000_000, help="text-throughput: deliveries in the longest queue"
    )
    words.add_argument("--stops", type=int, default=10, help="stop: so often an action is ended in mid-wave")
    words.add_argument("--alerted", type=int, default=5_000, help="stop: deliveries of each")
    words.add_argument("--size", type=int, default=3_000_000, help="audience: participants")
    words.add_argument("--scenes", nargs="*", default=(), choices=SCENES, help="some of the faults alone")
    return words


def _machine(load: float) -> dict[str, Any]:
    processors = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "processor": processors[0].partition(": ")[2] if processors else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "load_before": round(load, 2),
        "at": datetime.now(UTC).isoformat(timespec="minutes"),
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
