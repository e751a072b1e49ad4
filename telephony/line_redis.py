"""Redis as the waiting line uses it: every question has a bound, and each script is one atomic step."""

from __future__ import annotations

import asyncio
from importlib.resources import files
from typing import Any

from redis.asyncio import Redis
from redis.commands.core import AsyncScript
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import RedisError

ANSWER_S = 2.0
AGAIN_S = 0.1
_FOLDER = files("telephony") / "line_scripts"


class LineAway(Exception):
    """Redis does not answer: nobody can be paired now. Callers go to the dialplan's fall-back of their room."""


class Scripts:
    """The scripts in line_scripts/, by file name; each file begins with the arguments it takes."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._known: dict[str, AsyncScript] = {}

    async def run(self, name: str, *args: str | int) -> Any:
        """What the script returns. A Redis that starts anew is asked again: each script may run twice.
        Raises LineAway."""
        if name not in self._known:
            text = (_FOLDER / "common.lua").read_text("utf-8") + (_FOLDER / f"{name}.lua").read_text("utf-8")
            self._known[name] = self._redis.register_script(text)
        return await asked(self._again_and_again(self._known[name], list(args)))

    async def _again_and_again(self, script: AsyncScript, args: list[str | int]) -> Any:
        while True:
            try:
                return await script(args=args)
            except NoConnection:
                await asyncio.sleep(AGAIN_S)


async def asked(question: Any) -> Any:
    """The answer of Redis. Raises LineAway."""
    try:
        async with asyncio.timeout(ANSWER_S):
            return await question
    except (RedisError, OSError, TimeoutError) as fault:
        raise LineAway(f"Redis does not answer: {fault}") from fault
