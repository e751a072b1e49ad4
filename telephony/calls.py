"""What a conversation may say to a call: answer, play, ask, ring, bridge, record, hang up. Only these raise Hangup."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import secrets
import wave
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import numpy as np

from telephony.ari import AriAway, AriError
from telephony.legs import Caller, Hangup, Leg, first_of
from telephony.speech import Prompt

if TYPE_CHECKING:
    from telephony.controller import Controller

log = logging.getLogger(__name__)
T = TypeVar("T")

CHECKPOINT = "BN_CHECKPOINT"
PLAY_BOUND_S = 120.0
GONE_S = 1.0
NEXT_KEY_S = 3.0
# What is quieter than this is no voice: root mean square of 16 bit samples, over pieces of 20 ms.
LOUD = 256.0
PIECE = 160
# Milliseconds of silence that end a talk, and how loud counts as talk (Asterisk's own scale; its default).
TALK_DETECT = "1200,256"
# Asterisk's answers when a leg is not there any more: it hung up while we asked.
GONE = {404, 409, 412, 422}
# And its answer when one of the legs for a bridge is not there any more.
NO_SUCH_LEG = 400


class NotReached(Exception):
    """A phone that was rung did not become part of the call. `why`: busy, refused, no_answer, unreachable, gone."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Cut(Exception):
    """Something came between the verbs of an `unless` block: the future that was done."""

    def __init__(self, by: asyncio.Future[Any]) -> None:
        super().__init__("cut short")
        self.by = by


@dataclass(frozen=True)
class Recorded:
    """A WAV file (8 kHz, 16 bit, mono) and how many seconds of it somebody spoke."""

    wav: bytes
    seconds: float


Wording = Callable[[Prompt, str], Awaitable[str]]


class Call:
    """One conversation, led by one task. `facts` is its checkpoint: it lives in Asterisk exactly as long as the call,
    and another controller goes on from it."""

    def __init__(
        self,
        controller: Controller,
        leg: Leg,
        call_id: str,
        caller: Caller,
        dialled: str,
        arrived_at: datetime,
        facts: Mapping[str, str],
    ) -> None:
        self.id, self.leg, self.caller, self.dialled, self.arrived_at = call_id, leg, caller, dialled, arrived_at
        self.facts: dict[str, str] = dict(facts)
        self.language = facts.get("language", "nl")
        self._controller, self._ari = controller, controller.ari
        self._music = False
        self._playback = ""

    async def answer(self) -> None:
        await self._ask("POST", "answer")

    async def hangup(self) -> None:
        """Ends the caller's leg; no harm when it has ended already."""
        await self._controller.hang_up(self.leg)

    async def play(self, *prompts: Prompt) -> None:
        """Plays prompts to the caller, whole."""
        for prompt in prompts:
            await self._play_to(self.leg, prompt, self.language)
        await self._music_again()

    async def ask(self, *prompts: Prompt, digits: int = 1, silence: float = 5.0, ends: str = "#") -> str:
        """The keys pressed: at most `digits`, fewer after the key `ends` or a pause, with star at the end if that came;
        "" after `silence` seconds without any. A key interrupts the prompts; keys pressed earlier count."""
        for prompt in prompts:
            if not await self._play_until_key(prompt):
                break
        keyed = ""
        while len(keyed) < digits:
            key = await self.leg.key(NEXT_KEY_S if keyed else silence)
            if key is None or key == ends:
                break
            keyed += key
            if key == "*":
                break
        await self._music_again()
        return keyed

    async def wait(self, wanted: Awaitable[T], bound_s: float) -> T | None:
        """What `wanted` gives, None after the bound; the caller may hang up meanwhile."""
        return await self.leg.until(wanted, bound_s)

    async def listen(self) -> None:
        """From now on the leg tells whether somebody talks (`spoke`, `long_talk`, `quiet`)."""
        await self._ask("POST", "variable", variable="TALK_DETECT(set)", value=TALK_DETECT)

    @asynccontextmanager
    async def unless(self, *futures: asyncio.Future[Any]) -> AsyncIterator[None]:
        """The verbs in this block are cut short, and Cut is raised, as soon as one of the futures is done. For verbs
        only: database work would be cut in the middle."""
        clock = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(None) as bound:

                def cut(_: object) -> None:
                    bound.reschedule(clock.time())

                for future in futures:
                    future.add_done_callback(cut)
                try:
                    yield
                finally:
                    for future in futures:
                        future.remove_done_callback(cut)
        except TimeoutError:
            done = next((future for future in futures if future.done()), None)
            if done is None:
                raise
            await self._controller.stop_playing(self._playback)
            raise Cut(done) from None

    async def note(self, stage: str, **facts: str) -> None:
        """Writes the checkpoint: from here a takeover goes on. No personal data."""
        self.facts |= {"stage": stage, **facts}
        fixed = {"id": self.id, "arrived": self.arrived_at.isoformat(), "language": self.language}
        value = json.dumps(self.facts | fixed, separators=(",", ":"))
        await self._ask("POST", "variable", variable=CHECKPOINT, value=value)

    @asynccontextmanager
    async def music(self, first: Prompt) -> AsyncIterator[None]:
        """A prompt, and then music, for the caller while the block lasts; the block does not wait for either."""
        playback = await self._start_playing(self.leg, first, self.language)
        self._music = True
        introducing = asyncio.create_task(self._music_after(playback))
        try:
            yield
        finally:
            self._music = False
            introducing.cancel()
        await self._controller.stop_playing(playback)
        await self._controller.stop_music(self.leg)

    async def ring(self, account: str, seconds: float, whisper: Sequence[Prompt], language: str) -> Leg:
        """Rings a phone of ours; answered, it hears the whisper and is ready for `bridge`. Raises NotReached; when
        the caller hangs up meanwhile the phone stops ringing."""
        leg = self._controller.new_leg()
        try:
            await self._ring(leg, account, seconds)
            await self._whisper(leg, whisper, language)
        except Exception:
            await self._controller.hang_up(leg)
            raise
        return leg

    async def bridge(self, other: Leg, **facts: str) -> None:
        """Lets the caller and the other leg talk, and notes `facts` in the checkpoint. Returns when the other leaves
        or the longest call is over; raises Hangup when the caller does. Both ways the other leg and the bridge are
        gone afterwards."""
        bridge = self._controller.new_id()
        try:
            await self.note("talking", bridge=bridge, other=other.id, **facts)
            await self._join(bridge, other)
        except (Hangup, AriError):
            await self._controller.hang_up(other)
            await self._controller.destroy_bridge(bridge)
            raise
        await self._until_left(bridge, other)

    async def resume_talk(self) -> None:
        """`bridge`, for a talk that an earlier controller began: the two may be talking still, or not yet."""
        bridge, other = self.facts["bridge"], self._controller.leg(self.facts["other"])
        if other is None:
            await self._controller.destroy_bridge(bridge)
            return
        if not await self._controller.both_in(bridge, self.leg, other):
            await self._join(bridge, other)
        await self._until_left(bridge, other)

    async def record(self, longest_s: float, silence_s: float) -> Recorded:
        """Records the caller after a beep, until hash, silence, the bound or a hang-up; what was said until then is
        returned, and the next verb raises. The plain file does not stay in Asterisk."""
        name = self._controller.recording_of(self.id)
        done = self.leg.outcome_of(name)
        await self._ask(
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
        wav = await self._controller.take_recording(name)
        return Recorded(wav, _spoken(wav))

    async def leave_to_dialplan(self, room: str) -> NoReturn:
        """Hands the caller to the dialplan's fall-back: the phones of `room`, or with "" of the caller's region."""
        await self._ask("POST", "continue", context="fallback", extension=room or "s", priority=1)
        raise Hangup

    async def _ring(self, leg: Leg, account: str, seconds: float) -> None:
        checkpoint = json.dumps({"role": "operator", "call": self.id})
        try:
            await self._ari.request(
                "POST",
                f"channels/{leg.id}",
                {"variables": {CHECKPOINT: checkpoint}},
                endpoint=f"PJSIP/{account}",
                app=self._ari.app,
                appArgs="operator",
                callerId=self.dialled,
                timeout=int(seconds) + 5,
            )
        except AriError as refused:
            log.info("call %s: %s cannot be rung: %s", self.id, account, refused)
            raise NotReached("unreachable") from refused
        await first_of(leg.started, leg.ended, self.leg.ended, bound_s=seconds)
        if self.leg.ended.done():
            raise Hangup(self.leg.ended.result())
        if leg.ended.done():
            raise NotReached(why_not(leg.ended.result()))
        if not leg.started.done():
            raise NotReached("no_answer")

    async def _whisper(self, leg: Leg, whisper: Sequence[Prompt], language: str) -> None:
        for prompt in whisper:
            try:
                whole = await self.leg.until(self._play_to(leg, prompt, language), PLAY_BOUND_S)
                # A phone that is hung up ends the playback first, and the leg a moment later.
                await first_of(leg.ended, self.leg.ended, bound_s=0 if whole else GONE_S)
                if leg.ended.done():
                    raise Hangup(leg.ended.result())
            except Hangup:
                if self.leg.ended.done():
                    raise
                raise NotReached("gone") from None

    async def _join(self, bridge: str, other: Leg) -> None:
        try:
            await self._controller.create_bridge(bridge)
            await self._controller.add_to_bridge(bridge, self.leg, other)
        except AriError as refused:
            if refused.status not in GONE | {NO_SUCH_LEG}:
                raise
            log.info("call %s: one of the two left before the talk began", self.id)

    async def _until_left(self, bridge: str, other: Leg) -> None:
        await first_of(self.leg.ended, other.ended, bound_s=self._controller.max_call_s)
        await self._controller.hang_up(other)
        await self._controller.destroy_bridge(bridge)
        if self.leg.ended.done():
            raise Hangup(self.leg.ended.result())

    async def _play_to(self, leg: Leg, prompt: Prompt, language: str) -> bool:
        """Whether it was played whole. Raises Hangup."""
        playback = await self._start_playing(leg, prompt, language)
        outcome = await leg.until(leg.outcome_of(playback), PLAY_BOUND_S)
        if outcome == "failed" and not leg.ended.done():
            log.warning("call %s: a prompt was not played whole", self.id)
        return bool(outcome == "done")

    async def _play_until_key(self, prompt: Prompt) -> bool:
        """True when the prompt was played to its end, False when a key came before or during it."""
        pressed = self.leg.key_pressed()
        if pressed.done():
            return False
        playback = await self._start_playing(self.leg, prompt, self.language)
        done = self.leg.outcome_of(playback)
        await first_of(done, pressed, self.leg.ended, bound_s=PLAY_BOUND_S)
        if self.leg.ended.done():
            raise Hangup(self.leg.ended.result())
        if pressed.done() and not done.done():
            await self._controller.stop_playing(playback)
        return not pressed.done()

    async def _start_playing(self, leg: Leg, prompt: Prompt, language: str) -> str:
        media = await self._controller.wording(prompt, language)
        playback = self._playback = self._controller.new_id()
        leg.outcome_of(playback)
        await self._ask("POST", f"play/{playback}", leg, media=media)
        return playback

    async def _music_after(self, playback: str) -> None:
        try:
            await self.leg.until(self.leg.outcome_of(playback), PLAY_BOUND_S)
            await self._music_again()
        except (Hangup, AriError, AriAway) as over:
            log.info("call %s: no music: %s", self.id, type(over).__name__)

    async def _music_again(self) -> None:
        if self._music:
            await self._ask("POST", "moh")

    async def _ask(self, method: str, what: str, leg: Leg | None = None, **query: Any) -> Any:
        leg = leg or self.leg
        if leg.ended.done():
            raise Hangup(leg.ended.result())
        try:
            return await self._ari.request(method, f"channels/{leg.id}/{what}", **query)
        except AriError as refused:
            if refused.status in GONE:
                raise Hangup from refused
            raise


def new_name(app: str) -> str:
    """An id for a leg, bridge or playback of ours; the prefix tells whose it is when it must be swept."""
    return f"bn-{app}-{secrets.token_hex(6)}"


def why_not(cause: int) -> str:
    """Why a phone that was rung did not answer, from the Q.850 cause of its leg's end."""
    match cause:
        case 17:
            return "busy"
        case 21:
            return "refused"
        case 0 | 16 | 18 | 19:
            return "no_answer"
        case _:
            return "unreachable"


def _spoken(wav: bytes) -> float:
    """Seconds from the first to the last sound. Asterisk's own count says one second when nobody spoke."""
    if not wav:
        return 0.0
    with wave.open(io.BytesIO(wav)) as sound:
        rate, samples = sound.getframerate(), np.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2")
    pieces = samples[: len(samples) // PIECE * PIECE].reshape(-1, PIECE).astype(np.float64)
    loud = np.flatnonzero(np.sqrt((pieces**2).mean(axis=1)) > LOUD)
    return float(loud[-1] - loud[0] + 1) * PIECE / rate if len(loud) else 0.0
