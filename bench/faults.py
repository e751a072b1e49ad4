"""Bench `faults`: things are broken with many calls going on, and what it cost is counted."""

from __future__ import annotations

from collections.abc import Sequence

from bench.fault_ground import ground
from bench.fault_play import NAME as NAME
from bench.fault_play import Size
from bench.fault_scenes import SCENES
from bench.results import Figure, Goal
from burgernet.asterisk import NoAsterisk


async def run(size: Size, scenes: Sequence[str] = ()) -> list[Figure]:
    """`scenes`: some of SCENES, all by default; a minute and a half each."""
    figures: list[Figure] = []
    async with ground(size.talking) as on:
        for name in scenes or SCENES:
            try:
                found = await SCENES[name](on, size)
            except (RuntimeError, TimeoutError, NoAsterisk) as fault:
                print(f"scene {name} did not come about: {fault}", flush=True)
                found = [Figure(NAME, f"scene {name} did not come about", 1, "", goal=Goal(at_most=0))]
            for figure in found:
                print(f"  {figure.figure.partition(': ')[2]}: {figure.value:.3g} {figure.unit}", flush=True)
            figures += found
    return figures
