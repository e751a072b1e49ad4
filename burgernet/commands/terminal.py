"""What all commands share: where they print, how they reach the base, in whose name they act."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from typing import TypeVar

from rich.console import Console

from actions.books import Actor
from burgernet.base import Base, opened
from burgernet.settings import read_settings

T = TypeVar("T")

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def with_base(work: Callable[[Base], Awaitable[T]]) -> T:
    """Does one command's work on an opened base. Raises SettingsMissing, BadKeys and what the work raises."""

    async def run() -> T:
        async with opened(read_settings()) as base:
            return await work(base)

    return asyncio.run(run())


def by_command(why: str) -> Actor:
    """Who acts when a command is given: the account on this machine."""
    return Actor(getpass.getuser(), "command line", why)


def say(words: str) -> None:
    out.print(words, markup=False)
