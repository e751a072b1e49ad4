"""A model of asterisk_conf/templates/extensions.conf, for Asterisk in memory."""

from __future__ import annotations

import asyncio
import random
import re
from collections import deque
from collections.abc import Collection, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from telephony.fake import PROMPT_S, Channel, FakeAsterisk

DIAL_S = 30.0
UNALLOCATED = 1
ANSWERED_ELSEWHERE = 26


@dataclass
class FakeDialplan:
    """`numbers`: every form of the numbers that lead to the free number. `phones_of_rooms`, `rooms_of_area_codes`,
    `fallback_room` as in the globals; `warning` and `closing`: the media of the fall-back's prompts."""

    asterisk: FakeAsterisk
    apps: Sequence[str]
    free_number: str
    numbers: Collection[str]
    phones_of_rooms: Mapping[str, Sequence[str]]
    rooms_of_area_codes: Mapping[str, str]
    fallback_room: str
    warning: str
    closing: str

    def enters(self, channel: Channel, context: str, dialled: str) -> None:
        """A call comes in: from-trunk, from-exercise, from-lines or from-operators."""
        match context:
            case "from-operators":
                work = self._from_operators(channel, dialled)
            case "from-lines" if dialled.startswith("*31*"):
                work = self._from_trunk(channel, dialled.removeprefix("*31*"), withheld=True)
            case "from-exercise":
                work = self._from_trunk(channel, dialled, withheld=channel.phone.withheld, origin="exercise")
            case _:
                work = self._from_trunk(channel, dialled, withheld=channel.phone.withheld)
        self._lead(channel, work)

    def goes_on(self, channel: Channel, context: str, extension: str) -> None:
        """A controller handed the caller to the fall-back (a room, or "s"), or back to the next controller."""
        if context == "controllers":
            return self._lead(channel, self._next(channel))
        return self._lead(channel, self._fallback(channel, extension))

    def _lead(self, channel: Channel, work: Coroutine[Any, Any, None]) -> None:
        channel.dialplan = asyncio.create_task(work)

    async def _from_operators(self, channel: Channel, dialled: str) -> None:
        features = {"*11": "sign-on", "*12": "sign-off", "*13": "ready", "*14": "pause"}
        if dialled not in features:
            return self.asterisk.destroy(channel, UNALLOCATED)
        return await self._to_a_controller(channel, features[dialled], "internal", "allowed", dialled)

    async def _from_trunk(self, channel: Channel, dialled: str, *, withheld: bool, origin: str = "trunk") -> None:
        if dialled not in self.numbers:
            return self.asterisk.destroy(channel, UNALLOCATED)
        presentation = "withheld" if withheld else "allowed" if channel.number else "absent"
        if withheld:
            channel.number = ""
        return await self._to_a_controller(channel, "free-number", origin, presentation, self.free_number)

    async def _to_a_controller(self, channel: Channel, *entry: str) -> None:
        start = random.randrange(len(self.apps))  # noqa: S311 - spreads calls
        channel.entry, channel.apps_left = entry, deque((*self.apps[start:], *self.apps[:start]))
        await self._next(channel)

    async def _next(self, channel: Channel) -> None:
        while channel.apps_left:
            app = channel.apps_left.popleft()
            closed = self.asterisk.variables.get(f"CLOSED_{app}") == "yes"
            if not closed and self.asterisk.enter_stasis(channel, app, *channel.entry):
                return None
        if channel.entry[0] == "free-number":
            return await self._fallback(channel, "s")
        return self.asterisk.destroy(channel, 16)

    async def _fallback(self, channel: Channel, room: str) -> None:
        room = self._room_of(channel.number) if room == "s" else room
        self.asterisk.answer(channel)
        await self._playback(channel, self.warning)
        last = self.asterisk.variables.get("FALLBACK_ROOM", self.fallback_room)
        for called in dict.fromkeys((room, last)):
            if await self._dial(channel, self._phones_of(called)):
                return self.asterisk.destroy(channel, 16)
        await self._playback(channel, self.closing)
        return self.asterisk.destroy(channel, 16)

    async def _playback(self, channel: Channel, media: str) -> None:
        channel.phone.hear(media)
        await asyncio.sleep(PROMPT_S / self.asterisk.pace)

    async def _dial(self, channel: Channel, accounts: Sequence[str]) -> bool:
        """Rings all at once; the first to answer talks with the caller until one of them leaves."""
        phones = [self.asterisk.phones[account] for account in accounts if account in self.asterisk.phones]
        rung = [self.asterisk.new_channel(phone, channel.number) for phone in phones if phone.registered]
        bridge = f"dial-{channel.id}"
        try:
            answered = await self._first_answer(rung)
            for loser in rung:
                if loser is not answered:
                    self.asterisk.destroy(loser, ANSWERED_ELSEWHERE)
            if answered:
                self.asterisk.bridges[bridge] = [channel.id, answered.id]
                await answered.ended
            return answered is not None
        finally:
            self.asterisk.bridges.pop(bridge, None)
            for other in rung:
                self.asterisk.destroy(other, 16)

    async def _first_answer(self, rung: Sequence[Channel]) -> Channel | None:
        for other in rung:
            other.phone.is_rung(other)
        with suppress(TimeoutError):
            async with asyncio.timeout(DIAL_S / self.asterisk.pace):
                while left := [other for other in rung if not other.ended.done()]:
                    outcomes = [outcome for other in left for outcome in (other.answered, other.ended)]
                    await asyncio.wait(outcomes, return_when=asyncio.FIRST_COMPLETED)
                    if answered := next((other for other in left if other.up), None):
                        return answered
        return None

    def _phones_of(self, room: str) -> Sequence[str]:
        told = self.asterisk.variables.get(f"PHONES_{room}")
        if told is None:
            return self.phones_of_rooms.get(room, ())
        return [phone.removeprefix("PJSIP/") for phone in told.split("&")]

    def _room_of(self, number: str) -> str:
        digits = re.sub(r"[^0-9]", "", number)
        digits = re.sub(r"^(0031|31)", "0", digits)
        for length in (4, 3):
            told = self.asterisk.variables.get(f"ROOM_{digits[:length]}")
            if room := told or self.rooms_of_area_codes.get(digits[:length]):
                return room
        return self.asterisk.variables.get("FALLBACK_ROOM", self.fallback_room)
