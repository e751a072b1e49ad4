"""A telephone on Asterisk in memory, with the verbs of handset.py. What it hears is named, not sounded."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from telephony.fake import RTP_TIMEOUT_S, Channel, FakeAsterisk
from telephony.handset import NotHeard, PhoneFault

LOOK_AGAIN_S = 0.005
BUSY, REFUSED = 17, 21


class FakePhone:
    """`context`: where its calls enter the dialplan, with `number` as the caller ID. `withheld`: the number
    comes with the wish not to be shown. `tone`: what it says, 0 for nothing."""

    def __init__(
        self, asterisk: FakeAsterisk, account: str, context: str, number: str, tone: int, *, withheld: bool = False
    ) -> None:
        self._asterisk, self.account, self.context, self.number = asterisk, account, context, number
        self.name, self.tone, self.withheld = account, tone, withheld
        self.registered = False
        self._engaged = self.gone = False
        self._channel: Channel | None = None
        self._ringing, self._display = False, ""
        self._happened: deque[str] = deque()
        self._heard: list[str] = []
        self._listened, self._keys_heard = 0, ""

    async def registers(self) -> None:
        self._asterisk.phones[self.account] = self
        self._is_registered(now=True)

    async def unregisters(self) -> None:
        self._is_registered(now=False)

    async def dials(self, number: str) -> None:
        self._happened.clear()
        self._begins(self._asterisk.new_channel(self, self.number), ringing=False)
        assert self._channel
        self._asterisk.dialplan.enters(self._channel, self.context, number)

    async def is_answered(self, bound_s: float = 5) -> None:
        await self._sees("answered", bound_s)

    async def rings(self, bound_s: float = 15) -> None:
        await self._sees("rings", bound_s)

    async def answers(self, bound_s: float = 15) -> None:
        await self.rings(bound_s)
        await self.picks_up()

    async def picks_up(self) -> None:
        channel, self._ringing = self._rung(), False
        self._asterisk.picked_up(channel)

    async def rejects(self) -> None:
        await self.rings()
        self._asterisk.destroy(self._rung(), REFUSED)

    async def is_engaged(self) -> None:
        self._engaged = True

    async def is_free(self) -> None:
        self._engaged = False

    async def says(self, hertz: int, seconds: float = 0) -> None:
        self.tone = hertz
        if self._channel:
            self._asterisk.talks(self._channel, seconds)

    async def presses(self, keys: str) -> None:
        if self._channel is None:
            raise PhoneFault(f"{self.name} is not in a call")
        for key in keys:
            self._asterisk.key(self._channel, key)

    async def hangs_up(self) -> None:
        if self._channel and not self._ringing:
            self._asterisk.destroy(self._channel, 16)

    async def is_hung_up(self, bound_s: float = 15) -> None:
        await self._sees("ended", bound_s)

    async def vanishes(self) -> None:
        self.gone = True
        if (channel := self._channel) and channel.up:
            self._asterisk.later(channel, RTP_TIMEOUT_S, lambda: self._asterisk.destroy(channel, 44))

    async def hears(self, media: str, bound_s: float = 15) -> None:
        await self._until(lambda: media in self._heard[self._listened :], bound_s, "hear the prompt")
        self._listened = self._heard.index(media, self._listened) + 1

    async def hears_tone(self, hertz: int, bound_s: float = 5) -> None:
        await self._until(lambda: hertz in self._tones(), bound_s, f"hear a tone of {hertz} Hz")

    @property
    def display(self) -> str:
        """The number shown at the last ring or call."""
        return self._display

    @property
    def stage(self) -> str:
        """idle, rings, talks."""
        if self._channel is None:
            return "idle"
        return "rings" if self._ringing else "talks"

    @property
    def rang(self) -> bool:
        return "rings" in self._happened

    def is_rung(self, channel: Channel) -> None:
        if self.gone:
            return
        if self._engaged or self._channel:
            asyncio.get_running_loop().call_soon(self._asterisk.destroy, channel, BUSY)
        else:
            self._begins(channel, ringing=True)
            self.tell("rings")

    def hung_up(self, channel: Channel) -> None:
        if channel is self._channel:
            self._channel, self._ringing = None, False
            self.tell("ended")

    def hear(self, media: str) -> None:
        self._heard.append(media)

    def hear_key(self, key: str) -> None:
        self._keys_heard += key

    async def keys_heard(self) -> str:
        return self._keys_heard

    def tell(self, event: str) -> None:
        self._happened.append(event)

    def _begins(self, channel: Channel, *, ringing: bool) -> None:
        self._channel, self._ringing, self._heard, self._listened = channel, ringing, [], 0
        self._keys_heard = ""
        self._display = channel.number

    def _tones(self) -> set[int]:
        if self._channel is None:
            return set()
        return {other.phone.tone for other in self._asterisk.heard_from(self._channel)}

    def _rung(self) -> Channel:
        if not (self._channel and self._ringing):
            raise PhoneFault(f"{self.name} does not ring")
        return self._channel

    def _is_registered(self, *, now: bool) -> None:
        self.registered = now
        status = "NonQualified" if now else "Removed"
        self._asterisk.shows({"Event": "ContactStatus", "AOR": self.account, "ContactStatus": status})

    async def _sees(self, event: str, bound_s: float) -> None:
        await self._until(lambda: event in self._happened, bound_s, f"see {event!r}")
        while self._happened.popleft() != event:
            pass

    async def _until(self, so: Callable[[], bool], bound_s: float, what: str) -> None:
        over = asyncio.get_running_loop().time() + bound_s
        while not so():
            if asyncio.get_running_loop().time() > over:
                raise NotHeard(f"{self.name} did not {what} within {bound_s:.0f} s")
            await asyncio.sleep(LOOK_AGAIN_S)
