"""A story in steps: each is done, checked by what really happened, and printed with its time."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from rich.console import Console

T = TypeVar("T")
Step = Callable[[T], Awaitable[str | None]]


async def play(steps: Sequence[Step[T]], told_with: T, out: Console) -> bool:
    """Plays every step, also after one that did not hold. The docstring of a step is its line; what it returns is
    added to it. Prints `N of N steps held` last; returns whether all held."""
    held = 0
    for number, step in enumerate(steps, start=1):
        began = time.monotonic()
        what = " ".join((step.__doc__ or "").split())
        if out.is_terminal:
            out.print(f"[dim]{number:2} ...    {what[: out.width - 12]}[/]", end="\r")
        try:
            more = await step(told_with)
        except Exception as fault:  # noqa: BLE001 - whatever went wrong, the step did not hold
            more, mark = f"{type(fault).__name__}: {fault}", "[bold red]failed[/]"
        else:
            held, mark = held + 1, "[green]held[/]  "
        out.print(f"[dim]{number:2}[/] {mark} {time.monotonic() - began:5.1f} s  {what}")
        if more:
            out.print(f"                   {more}", style="dim", markup=False)
    out.print(f"{held} of {len(steps)} steps held")
    return held == len(steps)
