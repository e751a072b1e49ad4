"""What a conversation may say to a call: answer, play, ask, ring, record, hang up. Only verbs raise Hangup; those of a
talk are in talks.py."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from telephony.legs import Caller, Hangup, Leg
from telephony.listener import Listener, Recorded
from telephony.outbound import Outgoing
from telephony.ringing import CHECKPOINT, Ringing
from telephony.ringing import NotReached as NotReached
from telephony.speech import Prompt

if TYPE_CHECKING:
    from telephony.controller import Controller

log = logging.getLogger(__name__)
T = TypeVar("T")

# So long after the answer the way of the sound to a distant telephone is still being opened: a word said at once would
# be cut.
OPENS_S = 0.3

# Milliseconds of silence that end a talk, and how loud counts as talk (Asterisk's own scale; its default).
TALK_DETECT = "1200,256"


class Cut(Exception):
    """Something came between the verbs of an `unless` block: the future that was done."""

    def __init__(self, by: asyncio.Future[Any]) -> None:
        super().__init__("cut short")
        self.by = by


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
        self.controller = controller
        self._listener = Listener(controller, leg)
        self._ringing = Ringing(controller, call_id, leg)
        self._music = False
        # An earlier controller may have left it playing.
        self._music_plays = bool(facts)

    async def answer(self) -> None:
        """Answers, and returns when the caller can hear something."""
        await self._ask("POST", "answer")
        await self.leg.until(asyncio.sleep(OPENS_S), None)

    async def hangup(self) -> None:
        """Ends the caller's leg; no harm when it has ended already."""
        await self.controller.hang_up(self.leg)

    async def play(self, *prompts: Prompt) -> None:
        """Plays prompts to the caller, whole."""
        for prompt in prompts:
            await self._listener.play(prompt, self.language)
        await self._music_again()

    async def ask(
        self, *prompts: Prompt, digits: int = 1, silence: float = 5.0, ends: str = "#", alone: str = ""
    ) -> str:
        """The keys pressed: at most `digits`, fewer after the key `ends` or a pause, with star at the end if that came;
        "" after `silence` seconds without any. `alone`: a key that says all when it comes first. A key interrupts the
        prompts; keys pressed earlier count."""
        for prompt in prompts:
            if not await self._listener.play_until_key(prompt, self.language):
                break
        keyed = await self._listener.keys(digits, silence, ends, alone)
        if prompts:
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
        clock, left = asyncio.get_running_loop(), False
        try:
            async with asyncio.timeout(None) as bound:

                def cut(_: object) -> None:
                    if not left:
                        bound.reschedule(clock.time())

                for future in futures:
                    future.add_done_callback(cut)
                try:
                    yield
                finally:
                    left = True
                    for future in futures:
                        future.remove_done_callback(cut)
        except TimeoutError:
            done = next((future for future in futures if future.done()), None)
            if done is None:
                raise
            await self.controller.stop_playing(self._listener.playback)
            raise Cut(done) from None

    async def note(self, stage: str, **facts: str) -> None:
        """Writes the checkpoint: from here a takeover goes on. No personal data."""
        self.facts |= {"stage": stage, **facts}
        fixed = {"id": self.id, "arrived": self.arrived_at.isoformat(), "language": self.language}
        value = json.dumps(self.facts | fixed, separators=(",", ":"))
        await self._ask("POST", "variable", variable=CHECKPOINT, value=value)

    @asynccontextmanager
    async def music(self) -> AsyncIterator[None]:
        """Music for the caller while the block lasts, after each prompt of it."""
        self._music = True
        try:
            yield
        finally:
            self._music = False
        await self._no_music()

    async def hold(self, prompt: Prompt) -> None:
        """A prompt, whole, and then music until `unhold`."""
        await self.play(prompt)
        self._music = True
        await self._music_again()

    async def unhold(self) -> None:
        self._music = False
        await self._no_music()

    async def ring(
        self,
        endpoint: str,
        seconds: float,
        whisper: Callable[[], Sequence[Prompt]],
        language: str,
        unless: Sequence[asyncio.Future[Any]] = (),
    ) -> Leg:
        """Rings a phone of ours (PJSIP/...); answered, it hears the whisper, as it is by then, and is ready for a talk.
        Raises NotReached; when the caller hangs up meanwhile, one of `unless` is done, or nobody waits for this any
        more, the phone stops ringing."""
        return await self._ringing.answered(endpoint, self.dialled, seconds, whisper, language, unless)

    async def ring_outside(
        self, outgoing: Outgoing, whisper: Sequence[Prompt], language: str, unless: Sequence[asyncio.Future[Any]] = ()
    ) -> Leg:
        """`ring` for a number of the public network. Whoever asks holds a channel of the guard as long as the leg is
        there."""
        missed = NotReached("unreachable")
        for trunk in await self.controller.trunks.ways(outgoing):
            endpoint = f"PJSIP/{outgoing.number}@{trunk}"
            try:
                return await self._ringing.answered(
                    endpoint, outgoing.caller_id, outgoing.ring_s, lambda: whisper, language, unless
                )
            except NotReached as why:
                if why.why != "unreachable":
                    raise
                missed = why
        raise missed

    async def record(self, longest_s: float, silence_s: float) -> Recorded:
        """Records the caller after a beep, until hash, silence, the bound or a hang-up; what was said until then is
        returned, and the next verb raises. The plain file does not stay in Asterisk."""
        return await self._listener.record(self.controller.recording_of(self.id), longest_s, silence_s)

    async def leave_to_dialplan(self, room: str) -> NoReturn:
        """Hands the caller to the dialplan's fall-back: the phones of `room`, or with "" of the caller's region."""
        await self._ask("POST", "continue", context="fallback", extension=room or "s", priority=1)
        raise Hangup

    async def _music_again(self) -> None:
        if self._music:
            self._music_plays = True
            await self._ask("POST", "moh")

    async def _no_music(self) -> None:
        if self._music_plays:
            self._music_plays = False
            await self.controller.stop_music(self.leg)

    async def _ask(self, method: str, what: str, **query: Any) -> Any:
        return await self._listener.request(method, what, **query)


def new_name(app: str) -> str:
    """An id for a leg, bridge or playback of ours; the prefix tells whose it is when it must be swept."""
    return f"bn-{app}-{secrets.token_hex(6)}"
