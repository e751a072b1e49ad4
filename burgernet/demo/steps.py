"""A story in steps: each is done, checked by what really happened, and printed with its time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from rich.console import Console

T = TypeVar("T")
Step = Callable[[T], Awaitable[str | None]]


class DidNotHold(Exception):
    """What should have happened did not."""


def must(held: bool, otherwise: str) -> None:
    """Raises DidNotHold when it does not hold."""
    if not held:
        raise DidNotHold(otherwise)


async def until(holds: Callable[[], Awaitable[bool]], bound_s: float, otherwise: str) -> None:
    """Returns as soon as it holds. Raises DidNotHold after `bound_s` seconds."""
    over = time.monotonic() + bound_s
    while not await holds():
        must(time.monotonic() < over, otherwise)
        await asyncio.sleep(0.1)


async def play(story: Sequence[tuple[Step[Any], Any]], out: Console) -> bool:
    """Plays every step with its cast, also after one that did not hold. The docstring of a step is its line; what it
    returns is added to it. Prints `N of N steps held` last; returns whether all held."""
    held = 0
    for number, (step, cast) in enumerate(story, start=1):
        began = time.monotonic()
        what = " ".join((step.__doc__ or "").split())
        if out.is_terminal:
            out.print(f"[dim]{number:2} ...    {what[: out.width - 12]}[/]", end="\r")
        try:
            more = await step(cast)
        except Exception as fault:  # noqa: BLE001 - whatever went wrong, the step did not hold
            more, mark = f"{type(fault).__name__}: {fault}", "[bold red]failed[/]"
        else:
            held, mark = held + 1, "[green]held[/]  "
        out.print(f"[dim]{number:2}[/] {mark} {time.monotonic() - began:5.1f} s  {what}")
        if more:
            out.print(f"                   {more}", style="dim", markup=False)
    out.print(f"{held} of {len(story)} steps held")
    return held == len(story)
