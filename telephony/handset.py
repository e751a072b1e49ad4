"""Picking up the phones of phone.py: for the demonstration and the tests."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import count
from typing import Any

from telephony.hearing import Samples, holds_tone, place_of, samples_of

ANSWER_S = 5.0
LOOK_AGAIN_S = 0.1
# The last packet of a sound is seldom full: Asterisk holds it back, and may fill it with the next sound.
LAST_PACKET = 160  # samples


class PhoneFault(Exception):
    """A phone could not do what it was told."""


class NotHeard(AssertionError):
    """Something expected did not come over the line in time."""


@dataclass(frozen=True)
class Registrar:
    """Where phones register and call."""

    host: str
    port: int


class Handset:
    """One telephone. Each verb returns when it is done or seen; raises NotHeard or PhoneFault."""

    def __init__(self, box: PhoneBox, name: str, tone: int) -> None:
        self._box, self.name, self.tone = box, name, tone
        self._happened: deque[dict[str, Any]] = deque()
        self._news = asyncio.Event()
        self._listened = 0

    async def registers(self, bound_s: float = 10) -> None:
        await self._order("register", leave=False)
        await self.sees("registered", bound_s=bound_s)

    async def unregisters(self) -> None:
        await self._order("register", leave=True)
        await self.sees("unregistered")

    async def dials(self, number: str) -> None:
        self._listened = 0
        self._happened.clear()
        await self._order("dial", number=number)

    async def is_answered(self, bound_s: float = 5) -> None:
        await self.sees("answered", bound_s=bound_s)

    async def rings(self, bound_s: float = 15) -> str:
        """Waits for the phone to ring; the number on its display."""
        seen = await self.sees("rings", bound_s=bound_s)
        self._listened = 0
        return str(seen["caller"])

    async def picks_up(self) -> None:
        """Answers the phone that rings."""
        await self._order("answer")

    async def answers(self, bound_s: float = 15) -> None:
        """Waits for the phone to ring, and picks it up."""
        await self.rings(bound_s)
        await self.picks_up()

    async def rejects(self) -> None:
        await self.rings()
        await self.refuses()

    async def refuses(self) -> None:
        """Refuses the call that rings."""
        await self._order("refuse", status="603 Decline")

    async def is_engaged(self) -> None:
        """From now on every call gets the busy tone."""
        await self._order("refuse_all", status="486 Busy Here")

    async def is_free(self) -> None:
        """Not engaged any more."""
        await self._order("refuse_all", status="")

    async def says(self, hertz: int, seconds: float = 0) -> None:
        """Says a tone from now on, or for `seconds` and then nothing."""
        await self._order("say", hertz=hertz, seconds=seconds)

    async def plays(self, sound: Samples) -> None:
        """Says a sound (8 kHz, 16 bit scale) once, from its beginning."""
        pcm = sound.astype("<i2").tobytes()
        await self._order("play", samples=base64.b64encode(pcm).decode())

    async def presses(self, keys: str) -> None:
        await self._order("press", keys=keys)

    async def hangs_up(self) -> None:
        await self._order("hangup")

    async def is_hung_up(self, bound_s: float = 15) -> None:
        await self.sees("ended", bound_s=bound_s)

    async def vanishes(self) -> None:
        await self._order("vanish")

    async def hears(self, prompt: Samples, bound_s: float = 15) -> None:
        """Hears a prompt after all that it heard with `hears` before."""
        over = asyncio.get_running_loop().time() + bound_s
        while asyncio.get_running_loop().time() < over:
            place = place_of(prompt[:-LAST_PACKET], await self.sound(self._listened))
            if place is not None:
                self._listened += place
                return
            await asyncio.sleep(LOOK_AGAIN_S)
        raise NotHeard(f"{self.name} did not hear the prompt within {bound_s:.0f} s")

    async def hears_tone(self, hertz: int, bound_s: float = 5) -> None:
        """Hears a tone from now on."""
        start = await self._count()
        over = asyncio.get_running_loop().time() + bound_s
        while asyncio.get_running_loop().time() < over:
            await asyncio.sleep(LOOK_AGAIN_S)
            if holds_tone(await self.sound(start), hertz):
                return
        raise NotHeard(f"{self.name} did not hear a tone of {hertz} Hz within {bound_s:.0f} s")

    async def sound(self, start: int = 0) -> Samples:
        """All that was heard in the last call from a sample's number on."""
        return samples_of(base64.b64decode((await self._order("heard", start=start))["samples"]))

    async def keys_heard(self) -> str:
        """The keys of the other side that came over the line in the last call."""
        return str((await self._order("keys"))["keys"])

    @property
    def rang(self) -> bool:
        """Whether it rings or rang since it was last picked up or asked."""
        return any(event["event"] == "rings" for event in self._happened)

    async def sees(self, event: str, bound_s: float = 5) -> dict[str, Any]:
        """The next such event; those before it are left out."""
        try:
            async with asyncio.timeout(bound_s):
                while True:
                    while self._happened:
                        if (seen := self._happened.popleft())["event"] == event:
                            return seen
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise NotHeard(f"{self.name}: no {event!r} within {bound_s:.0f} s") from None

    async def next_event(self) -> dict[str, Any]:
        """What happens next, whatever it is; waits without bound."""
        while not self._happened:
            self._news.clear()
            await self._news.wait()
        return self._happened.popleft()

    def happened(self, event: dict[str, Any]) -> None:
        self._happened.append(event)
        self._news.set()

    async def _count(self) -> int:
        return int((await self._order("heard", start=1 << 40))["count"])

    async def _order(self, do: str, **more: Any) -> dict[str, Any]:
        return await self._box.order(self.name, do, **more)


class PhoneBox:
    """The process in which the phones live."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._handsets: dict[str, Handset] = {}
        self._replies: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._numbers = count(1)

    async def phone(
        self,
        name: str,
        registrar: Registrar,
        password: str = "",
        *,
        user: str = "",
        tone: int = 0,
        ip: str = "127.0.0.1",
        headers: str = "",
    ) -> Handset:
        """A new phone, not registered yet. `user`: the account, else its name. `tone`: what it says all the time, in
        hertz. `ip`: the loopback address it calls from. `headers`: more lines for each INVITE it sends."""
        handset = self._handsets[name] = Handset(self, name, tone)
        await self.order(
            name,
            "open",
            server=registrar.host,
            port=registrar.port,
            user=user or name,
            password=password,
            ip=ip,
            tone=tone,
            headers=headers,
        )
        return handset

    async def order(self, phone: str, do: str, **more: Any) -> dict[str, Any]:
        """Gives a command and waits for its answer. Raises PhoneFault."""
        number = next(self._numbers)
        reply: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._replies[number] = reply
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"id": number, "phone": phone, "do": do, "with": more}).encode() + b"\n")
        try:
            answer: dict[str, Any] = await asyncio.wait_for(reply, ANSWER_S)
        except TimeoutError:
            raise PhoneFault(f"{phone}: no answer to {do!r}") from None
        finally:
            self._replies.pop(number, None)
        if "fault" in answer:
            raise PhoneFault(f"{phone}: {do}: {answer['fault']}")
        return answer

    async def listen(self) -> None:
        """Passes on what the phones tell, until the process ends."""
        assert self._process.stdout
        while line := await self._process.stdout.readline():
            told = json.loads(line)
            if reply := self._replies.get(told.get("reply", 0)):
                reply.set_result(told)
            elif told.get("phone") in self._handsets:
                self._handsets[told["phone"]].happened(told)


@asynccontextmanager
async def phone_box() -> AsyncIterator[PhoneBox]:
    """A process for phones, ended with the block."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-W", "ignore", "-m", "telephony.phone"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 26,
    )
    box = PhoneBox(process)
    listening = asyncio.create_task(box.listen())
    try:
        yield box
    finally:
        assert process.stdin
        process.stdin.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), 5)
        if process.returncode is None:
            process.kill()
            await process.wait()
        await listening
