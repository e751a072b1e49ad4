"""A telephone of either exchange, with the verbs of telephony.handset, that hears prompts by their name."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from telephony.speech import Prompt

T = TypeVar("T")
S_contra = TypeVar("S_contra", contravariant=True)

BOUND_S = 15.0


@dataclass(frozen=True)
class Music:
    """What a waiting caller hears."""


class Handset(Protocol[S_contra]):
    """A telephone as telephony.handset has it. `hears` takes what the exchange makes of a prompt."""

    name: str
    tone: int

    @property
    def rang(self) -> bool: ...
    async def registers(self) -> None: ...
    async def unregisters(self) -> None: ...
    async def dials(self, number: str) -> None: ...
    async def is_answered(self, bound_s: float = ...) -> None: ...
    async def rings(self, bound_s: float = ...) -> object: ...
    async def picks_up(self) -> None: ...
    async def answers(self, bound_s: float = ...) -> None: ...
    async def rejects(self) -> None: ...
    async def is_engaged(self) -> None: ...
    async def presses(self, keys: str) -> None: ...
    async def hangs_up(self) -> None: ...
    async def is_hung_up(self, bound_s: float = ...) -> None: ...
    async def vanishes(self) -> None: ...
    async def hears(self, prompt: S_contra, bound_s: float = ...) -> None: ...
    async def hears_tone(self, hertz: int, bound_s: float = ...) -> None: ...
    async def keys_heard(self) -> str: ...
    async def says(self, hertz: int, seconds: float = ...) -> None: ...


class Phone:
    """A telephone of either exchange, which hears prompts by their name."""

    def __init__(self, handset: Handset[T], sound_of: Callable[[Prompt | Music, str], Awaitable[T]]) -> None:
        async def hears(prompt: Prompt | Music, language: str = "nl", bound_s: float = BOUND_S) -> None:
            try:
                await handset.hears(await sound_of(prompt, language), bound_s)
            except AssertionError as silence:
                raise AssertionError(f"{handset.name} did not hear {prompt} ({language})") from silence

        self.hears = hears
        self.name, self.tone, self._handset, self._gone = handset.name, handset.tone, handset, False
        self.registers, self.unregisters = handset.registers, handset.unregisters
        self.dials, self.is_answered, self.hears_tone = handset.dials, handset.is_answered, handset.hears_tone
        self.rings, self.answers, self.rejects, self.is_engaged = (
            handset.rings,
            handset.answers,
            handset.rejects,
            handset.is_engaged,
        )
        self.picks_up = handset.picks_up
        self.keys_heard = handset.keys_heard
        self.presses, self.hangs_up, self.is_hung_up = handset.presses, handset.hangs_up, handset.is_hung_up

    @property
    def rang(self) -> bool:
        """Whether it rings or rang since it was last picked up or asked."""
        return self._handset.rang

    async def says(self, hertz: int, seconds: float = 0) -> None:
        """A tone from now on, or for `seconds` and then nothing."""
        await self._handset.says(hertz, seconds)

    async def vanishes(self) -> None:
        """As when the plug is pulled."""
        self._gone = True
        await self._handset.vanishes()

    async def talks_with(self, other: Phone) -> None:
        """Both hear each other."""
        await asyncio.gather(self.hears_tone(other.tone), other.hears_tone(self.tone))

    async def put_away(self) -> None:
        """Hangs up, and leaves the exchange without a trace of itself."""
        if not self._gone:
            await self.hangs_up()
