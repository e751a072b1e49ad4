"""Whoever listens on one leg: what is played to them, the keys they press, what they say recorded."""

from __future__ import annotations

import io
import logging
import wave
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from telephony.ari import AriError
from telephony.legs import Hangup, Leg, first_of
from telephony.speech import Prompt

if TYPE_CHECKING:
    from telephony.controller import Controller

log = logging.getLogger(__name__)

PLAY_BOUND_S = 120.0
NEXT_KEY_S = 3.0
# What is quieter than this is no voice: root mean square of 16 bit samples, over pieces of 20 ms.
LOUD = 256.0
PIECE = 160
# Asterisk's answers when a leg is not there any more: it hung up while we asked.
GONE = {404, 409, 412, 422}


@dataclass(frozen=True)
class Recorded:
    """A WAV file (8 kHz, 16 bit, mono) and how many seconds of it somebody spoke."""

    wav: bytes
    seconds: float


class Listener:
    """Its verbs raise Hangup when the leg has ended."""

    def __init__(self, controller: Controller, leg: Leg) -> None:
        self.leg, self._controller = leg, controller
        self.playback = ""

    async def request(self, method: str, what: str, **query: Any) -> Any:
        """Asks Asterisk something about the leg."""
        if self.leg.ended.done():
            raise Hangup(self.leg.ended.result())
        try:
            return await self._controller.ari.request(method, f"channels/{self.leg.id}/{what}", **query)
        except AriError as refused:
            if refused.status in GONE:
                raise Hangup from refused
            raise

    async def play(self, prompt: Prompt, language: str) -> bool:
        """Whether it was played whole."""
        playback = await self.start_playing(prompt, language)
        outcome = await self.leg.until(self.leg.outcome_of(playback), PLAY_BOUND_S)
        if outcome == "failed" and not self.leg.ended.done():
            log.warning("leg %s: a prompt was not played whole", self.leg.id)
        return bool(outcome == "done")

    async def play_until_key(self, prompt: Prompt, language: str) -> bool:
        """True when the prompt was played to its end, False when a key came before or during it."""
        pressed = self.leg.key_pressed()
        if pressed.done():
            return False
        playback = await self.start_playing(prompt, language)
        done = self.leg.outcome_of(playback)
        await first_of(done, pressed, self.leg.ended, bound_s=PLAY_BOUND_S)
        if self.leg.ended.done():
            raise Hangup(self.leg.ended.result())
        if pressed.done() and not done.done():
            await self._controller.stop_playing(playback)
        return not pressed.done()

    async def start_playing(self, prompt: Prompt, language: str) -> str:
        """Returns at once, with the id under which the leg tells the end."""
        media = await self._controller.wording(prompt, language)
        playback = self.playback = self._controller.new_id()
        self.leg.outcome_of(playback)
        await self.request("POST", f"play/{playback}", media=media)
        return playback

    async def keys(self, digits: int, silence: float, ends: str, alone: str = "") -> str:
        """At most `digits` keys, fewer after the key `ends` or a pause, with star at the end if that came; `alone` says
        all when it comes first."""
        keyed = ""
        while len(keyed) < digits:
            key = await self.leg.key(NEXT_KEY_S if keyed else silence)
            if key is None or key == ends:
                break
            keyed += key
            if key == "*" or keyed == alone:
                break
        return keyed

    async def record(self, name: str, longest_s: float, silence_s: float) -> Recorded:
        """What is said after a beep, until hash, silence, the bound or a hang-up; what was said until then is returned,
        and the next verb raises. The plain file does not stay in Asterisk."""
        done = self.leg.outcome_of(name)
        await self.request(
            "POST",
            "record",
            name=name,
            format="wav",
            maxDurationSeconds=int(longest_s),
            maxSilenceSeconds=int(silence_s),
            ifExists="overwrite",
            beep="true",
            terminateOn="#",
        )
        await first_of(done, self.leg.ended, bound_s=longest_s + 10)
        await first_of(done, bound_s=1)
        return recorded(await self._controller.take_recording(name))


def recorded(wav: bytes) -> Recorded:
    """Counts the seconds from the first to the last sound. Asterisk's own count says one second when nobody spoke."""
    if not wav:
        return Recorded(b"", 0.0)
    with wave.open(io.BytesIO(wav)) as sound:
        rate, samples = sound.getframerate(), np.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2")
    pieces = samples[: len(samples) // PIECE * PIECE].reshape(-1, PIECE).astype(np.float64)
    loud = np.flatnonzero(np.sqrt((pieces**2).mean(axis=1)) > LOUD)
    return Recorded(wav, float(loud[-1] - loud[0] + 1) * PIECE / rate if len(loud) else 0.0)
