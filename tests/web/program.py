"""The command `burgernet` in a process of its own, on the settings of a test."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from burgernet.settings import PREFIX, Settings

BOUND_S = 60.0
PROGRAM = str(Path(sys.executable).with_name("burgernet"))


@dataclass
class Running:
    """What a program that runs has written to stderr so far; all of it once it has ended."""

    process: asyncio.subprocess.Process
    lines: list[str] = field(default_factory=list)

    async def follow(self) -> None:
        assert self.process.stderr
        async for line in self.process.stderr:
            self.lines.append(line.decode())


def environment(settings: Settings) -> Mapping[str, str]:
    given = settings.model_dump(exclude_unset=True)
    shown = {name: getattr(value, "get_secret_value", lambda value=value: value)() for name, value in given.items()}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    ours = {
        f"{PREFIX}{name.upper()}": json.dumps(value) if isinstance(value, list) else str(value)
        for name, value in shown.items()
    }
    return {**kept, **ours, "COLUMNS": "250"}


async def burgernet(settings: Settings, folder: Path, *words: str) -> tuple[int | None, str, str]:
    """Exit status, and what it said on stdout and on stderr."""
    process = await asyncio.create_subprocess_exec(
        PROGRAM,
        *words,
        env=environment(settings),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(BOUND_S):
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


@asynccontextmanager
async def running(settings: Settings, folder: Path, *words: str) -> AsyncIterator[Running]:
    """A command that works until it is told to end: it is told at the end of the block."""
    process = await asyncio.create_subprocess_exec(
        PROGRAM,
        *words,
        env=environment(settings),
        cwd=folder,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    program = Running(process)
    following = asyncio.create_task(program.follow())
    try:
        yield program
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(BOUND_S):
            await process.wait()
            await following
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
