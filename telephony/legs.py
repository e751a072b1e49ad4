"""One leg of a call: a channel in Asterisk, its keys, what it waits for, and its end."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")

# Nobody who picks up a telephone talks this long without a pause; a machine's greeting or its tone does.
LONG_TALK_S = 3.5


# A cause of our own: Asterisk started anew, and all its legs are gone.
EXCHANGE_FAILED = -1


class Hangup(Exception):
    """The leg of this flow has ended; ends the flow quietly. `cause`: Q.850, 0 when unknown, EXCHANGE_FAILED."""

    def __init__(self, cause: int = 0) -> None:
        super().__init__(f"hung up, cause {cause}")
        self.cause = cause


@dataclass(frozen=True)
class Caller:
    """Who calls, as far as it can be believed: `number` only from a trunk and when not withheld; `account` is the
    SIP account of a phone of ours. `origin`: the way by which the call came in."""

    number: str | None
    presentation: str  # allowed, withheld, absent
    account: str | None
    origin: str = ""  # trunk, exercise, internal


async def first_of(*futures: asyncio.Future[Any], bound_s: float | None) -> None:
    """Waits until one of them is done, or `bound_s` seconds. What asyncio.wait does, for a third of its cost: every
    prompt and key of every call waits here."""
    if any(future.done() for future in futures):
        return
    loop = asyncio.get_running_loop()
    waited: asyncio.Future[None] = loop.create_future()

    def over(_: object = None) -> None:
        if not waited.done():
            waited.set_result(None)

    for future in futures:
        future.add_done_callback(over)
    bound = loop.call_later(bound_s, over) if bound_s is not None else None
    try:
        await waited
    finally:
        if bound:
            bound.cancel()
        for future in futures:
            future.remove_done_callback(over)


class Sounding:
    """A leg or a bridge: what is played or recorded on it ends some time."""

    def __init__(self, thing_id: str) -> None:
        self.id = thing_id
        self._outcomes: dict[str, asyncio.Future[Any]] = {}

    def outcome_of(self, thing_id: str) -> asyncio.Future[Any]:
        """Where the end of a playback or recording will be told. Ask for it before the request that starts it."""
        return self._outcomes.setdefault(thing_id, asyncio.get_running_loop().create_future())

    def finish(self, thing_id: str, how: Any) -> None:
        outcome = self._outcomes.pop(thing_id, None)
        if outcome and not outcome.done():
            outcome.set_result(how)


class Leg(Sounding):
    """The controller registers a leg before Asterisk hears its id, and feeds it the events that name it."""

    def __init__(self, leg_id: str) -> None:
        super().__init__(leg_id)
        loop = asyncio.get_running_loop()
        self.started: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[int] = loop.create_future()
        self._keys: deque[str] = deque()
        self._key_wanted: asyncio.Future[None] | None = None
        self.spoke = self.keyed = False
        self.long_talk: asyncio.Future[None] = loop.create_future()
        self._talking: asyncio.TimerHandle | None = None
        self._quiet = asyncio.Event()

    def begin(self) -> None:
        if not self.started.done():
            self.started.set_result(None)

    def ring_anew(self) -> None:
        """It ended before anything rang; the next attempt bears the same id."""
        self.ended = asyncio.get_running_loop().create_future()

    def end(self, cause: int) -> None:
        self.talk_ends()
        if not self.ended.done():
            self.ended.set_result(cause)

    def talk_begins(self) -> None:
        """Somebody or something is heard. Told only of a leg that is listened to (`Call.listen`)."""
        self.spoke = True
        self._quiet.clear()
        if self._talking is None:
            self._talking = asyncio.get_running_loop().call_later(LONG_TALK_S, self._talks_long)

    def talk_ends(self) -> None:
        self._quiet.set()
        if self._talking:
            self._talking.cancel()
            self._talking = None

    async def quiet(self) -> None:
        """Returns when nobody is heard any more."""
        await self._quiet.wait()

    def _talks_long(self) -> None:
        # Only people press keys.
        if not self.keyed and not self.long_talk.done():
            self.long_talk.set_result(None)

    def press(self, key: str) -> None:
        self.keyed = True
        self._keys.append(key)
        if self._key_wanted and not self._key_wanted.done():
            self._key_wanted.set_result(None)

    def forget_keys(self) -> None:
        """Those pressed and not taken yet meant something else."""
        self._keys.clear()

    def key_pressed(self) -> asyncio.Future[None]:
        """Done when a key is there to be taken."""
        self._key_wanted = asyncio.get_running_loop().create_future()
        if self._keys:
            self._key_wanted.set_result(None)
        return self._key_wanted

    async def key(self, bound_s: float) -> str | None:
        """The next key, pressed before or now; None when none comes in time. Raises Hangup."""
        await self.until(self.key_pressed(), bound_s)
        return self._keys.popleft() if self._keys else None

    async def until(self, wanted: Awaitable[T], bound_s: float | None) -> T | None:
        """What `wanted` gives; None after `bound_s` seconds. Raises Hangup when the leg ends first."""
        task = asyncio.ensure_future(wanted)
        try:
            await first_of(task, self.ended, bound_s=bound_s)
            if self.ended.done():
                raise Hangup(self.ended.result())
            return task.result() if task.done() else None
        finally:
            if not task.done():
                task.cancel()
            elif not task.cancelled():
                task.exception()  # or Python complains that nobody asked for it
