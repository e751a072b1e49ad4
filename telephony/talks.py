"""A talk: a caller, the host who leads it, and perhaps a third, in one bridge that this task owns."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from contextlib import ExitStack
from enum import Enum, auto
from typing import Any, TypeVar

from telephony.ari import AriAway, AriError
from telephony.calls import Call
from telephony.legs import Hangup, Leg, Sounding, first_of
from telephony.listener import GONE, Listener, Recorded, recorded
from telephony.outbound import Outgoing
from telephony.ringing import NotReached
from telephony.speech import Prompt

log = logging.getLogger(__name__)
T = TypeVar("T")

# Asterisk's answer when one of the legs for a bridge is not there any more.
NO_SUCH_LEG = 400
STOPS_S = 2.0


class HostLeft(Exception):
    """Whoever led the talk has left it, or leaves it now."""


class NotRecorded(Exception):
    """Asterisk does not record."""


class News(Enum):
    """What happened in a talk."""

    KEY = auto()  # the host pressed one
    THIRD_LEFT = auto()
    RECORDING_ENDED = auto()  # unasked: the disk is full
    TOO_LONG = auto()


class Talk:
    """Who is in it, on hold or recorded stands in the checkpoint before it is so: `found` goes on from there. Nobody
    hears the keys of another. The verbs raise Hangup when the caller leaves, and HostLeft when the host does."""

    def __init__(self, call: Call, host: Leg, bridge: Sounding, third: Leg | None = None) -> None:
        self.call, self.host, self.third = call, host, third
        self._controller, self._bridge = call.controller, bridge
        self._channel = ExitStack()
        self._recording: asyncio.Future[Any] | None = None
        self._over = asyncio.get_running_loop().time() + self._controller.max_call_s

    @classmethod
    def new(cls, call: Call, host: Leg) -> Talk:
        """A talk with a host who was rung; nobody is in it before `begin`."""
        return cls(call, host, call.controller.bridges.known(call.controller.new_id()))

    @classmethod
    def found(cls, call: Call) -> Talk:
        """The talk that an earlier controller led, as the checkpoint tells; some may have left. Then `resume`."""
        host, third = (call.controller.leg(call.facts.get(name, "")) or _gone() for name in ("other", "third"))
        bridge = call.controller.bridges.known(call.facts["bridge"])
        return cls(call, host, bridge, third if call.facts.get("third") else None)

    @property
    def held(self) -> bool:
        """Whether the caller is on hold: the others talk on without."""
        return bool(self.call.facts.get("held"))

    @property
    def recording(self) -> str:
        """The name of the recording going on; "" for none."""
        return self.call.facts.get("recording", "")

    async def begin(self, **facts: str) -> None:
        """Lets the two talk, and notes `facts` in the checkpoint."""
        empty = {"third": "", "held": "", "recording": "", "dictation": ""}
        await self._note_leg(self.host, bridge=self._bridge.id, other=self.host.id, **empty, **facts)
        try:
            await self._controller.bridges.create(self._bridge.id)
            await self._controller.bridges.add(self._bridge.id, self.call.leg, self.host)
        except AriError as refused:
            self._let_pass(refused)

    async def resume(self, on_hold: Prompt) -> None:
        """Puts everybody where the checkpoint says."""
        inside = await self._controller.bridges.inside(self._bridge.id)
        if inside is None:
            await self._controller.bridges.create(self._bridge.id)
        for leg in (self.host, self.third, None if self.held else self.call.leg):
            if leg and leg.id not in (inside or ()) and not leg.ended.done():
                await self._enter(leg)
        if self.held:
            await self._out(self.call.leg)
            await self.call.hold(on_hold)
        if self.recording:
            self._recording = self._bridge.outcome_of(self.recording)
            if not await self._controller.bridges.records(self.recording):
                self._bridge.finish(self.recording, None)

    async def news(self) -> News:
        """What happens next."""
        pressed = self.host.key_pressed()
        thirds = [self.third.ended] if self.third else []
        recordings = [self._recording] if self._recording else []
        left = self._over - asyncio.get_running_loop().time()
        await first_of(self.call.leg.ended, self.host.ended, pressed, *thirds, *recordings, bound_s=max(left, 0))
        if self.call.leg.ended.done():
            raise Hangup(self.call.leg.ended.result())
        if self.host.ended.done():
            raise HostLeft
        if pressed.done():
            return News.KEY
        if thirds and thirds[0].done():
            return News.THIRD_LEFT
        return News.RECORDING_ENDED if recordings and recordings[0].done() else News.TOO_LONG

    async def key(self, silence: float) -> str:
        """The next key of the host; "" when none comes."""
        return await self._with_host(self.host.key(silence)) or ""

    async def tell(self, *prompts: Prompt, language: str) -> None:
        """Plays prompts to the host alone, until a key."""
        listener = Listener(self._controller, self.host)
        for prompt in prompts:
            if not await self._with_host(listener.play_until_key(prompt, language)):
                return

    async def ask(self, prompt: Prompt, digits: int, silence: float, language: str) -> str:
        """The keys that the host presses after a prompt, up to a hash or a pause."""
        await self.tell(prompt, language=language)
        return await self._with_host(Listener(self._controller, self.host).keys(digits, silence, "#")) or ""

    async def hold(self, prompt: Prompt) -> None:
        """The caller hears a prompt and then music."""
        await self._note(held="yes")
        if self.recording:
            await self._controller.bridges.pause(self.recording)
        await self._out(self.call.leg)
        await self.call.hold(prompt)

    async def take_back(self) -> None:
        """The caller is in the talk again."""
        await self._note(held="")
        await self.call.unhold()
        await self._enter(self.call.leg)
        if self.recording:
            await self._controller.bridges.go_on(self.recording)

    async def ring(self, endpoint: str, seconds: float, whisper: Sequence[Prompt], language: str) -> Leg:
        """Rings a phone of ours for this talk, until it answers, or the host presses a key. Raises NotReached."""
        return await self._rung(self.call.ring(endpoint, seconds, lambda: whisper, language, self._unwanted()))

    async def ring_outside(self, outgoing: Outgoing, whisper: Sequence[Prompt], language: str) -> Leg:
        """`ring` for a number of the public network, on a channel held until the third leaves. Raises MayNotCall."""
        with ExitStack() as channel:
            channel.enter_context(self._controller.guard.channel_to(outgoing.number))
            leg = await self._rung(self.call.ring_outside(outgoing, whisper, language, self._unwanted()))
            self._channel = channel.pop_all()
        return leg

    async def bring_in(self, leg: Leg, **facts: str) -> None:
        """A leg that was rung becomes the third."""
        self.third = leg
        await self._note_leg(leg, third=leg.id, **facts)
        await self._enter(leg)

    async def send_out(self, **facts: str) -> None:
        """The third leaves, if there is one."""
        third, self.third = self.third, None
        if third:
            await self._controller.hang_up(third)
        self._channel.close()
        await self._note(third="", **facts)

    async def hand_to_third(self, **facts: str) -> None:
        """The third leads the talk from now on; the host is hung up."""
        assert self.third
        host, self.host, self.third = self.host, self.third, None
        await self._controller.hang_up(host)
        await self._note(other=self.host.id, third="", **facts)

    async def record(self, name: str) -> None:
        """Records what is said in the bridge from now on; pauses while the caller is on hold. Raises NotRecorded."""
        await self._note(recording=name)
        self._recording = self._bridge.outcome_of(name)
        try:
            await self._controller.bridges.record(self._bridge.id, name, self._controller.max_call_s)
        except AriError as refused:
            self._bridge.finish(name, None)
            raise NotRecorded from refused
        if self.held:
            await self._controller.bridges.pause(name)

    async def stop_recording(self) -> Recorded:
        """What was recorded; it does not stay in Asterisk. Raises nothing: what cannot be had now is taken in later."""
        name, done, self._recording = self.recording, self._recording, None
        try:
            if done and not done.done():
                await self._controller.bridges.stop(name)
                await first_of(done, bound_s=STOPS_S)
            found = recorded(await self._controller.take_recording(name))
            if not self.call.leg.ended.done():
                await self.call.note(self.call.facts["stage"], recording="")
        except (AriAway, Hangup) as away:
            log.info("call %s: %s while its recording was fetched", self.call.id, type(away).__name__)
            return Recorded(b"", 0.0)
        return found

    async def dictation(self, name: str, longest_s: float, silence_s: float) -> Recorded:
        """What the host says after a beep, out of everybody's hearing, up to a hash. A caller who leaves meanwhile cuts
        nothing off."""
        await self._note(dictation=name)
        await self._out(self.host)
        said = await Listener(self._controller, self.host).record(name, longest_s, silence_s)
        self.host.forget_keys()
        self.call.facts["dictation"] = ""
        await self._enter(self.host)
        return said

    async def end(self) -> None:
        """Everybody but the caller is hung up, and the bridge is gone."""
        await self._controller.hang_up(self.host)
        if self.third:
            await self._controller.hang_up(self.third)
        self._channel.close()
        # A prompt to somebody whom a bridge has not yet let go is never heard, and its end never told.
        await self._out(self.call.leg)
        await self._controller.bridges.destroy(self._bridge.id)

    def _unwanted(self) -> Sequence[asyncio.Future[Any]]:
        return (self.host.ended, self.host.key_pressed())

    async def _rung(self, ringing: Awaitable[Leg]) -> Leg:
        try:
            return await ringing
        except NotReached:
            if self.host.ended.done():
                raise HostLeft from None
            raise

    async def _note(self, **facts: str) -> None:
        await self.call.note("talking", **facts)

    async def _note_leg(self, leg: Leg, **facts: str) -> None:
        """From here the leg belongs to the talk; with Asterisk away the checkpoint tells at the next connect."""
        try:
            await self._note(**facts)
        except AriAway:
            self._controller.forget(leg)
            raise

    async def _enter(self, leg: Leg) -> None:
        try:
            await self._controller.bridges.add(self._bridge.id, leg)
        except AriError as refused:
            self._let_pass(refused)

    async def _out(self, leg: Leg) -> None:
        try:
            await self._controller.bridges.take_out(self._bridge.id, leg)
        except AriError as refused:
            self._let_pass(refused)

    def _let_pass(self, refused: AriError) -> None:
        """Whoever was not there any more: its end is told, too."""
        if refused.status not in GONE | {NO_SUCH_LEG}:
            raise refused
        log.info("call %s: somebody left the talk in this moment", self.call.id)

    async def _with_host(self, doing: Awaitable[T]) -> T | None:
        try:
            return await self.call.leg.until(doing, None)
        except Hangup:
            if self.call.leg.ended.done():
                raise
            raise HostLeft from None


def _gone() -> Leg:
    leg = Leg("")
    leg.end(0)
    return leg
