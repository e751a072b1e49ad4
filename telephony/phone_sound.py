"""What a telephone sends and hears: pyVoIP's RTP client on asyncio, at the pace of a telephone, with keys (RFC 4733).

Runs only in the phones' own process (see phone.py).
"""

from __future__ import annotations

import asyncio
import audioop
import math
import socket
import struct
from array import array
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from pyVoIP.RTP import PayloadType, RTPClient

FRAME_S = 0.02
FRAME = 160  # samples
RATE = 8000
PCMU = 0
KEYS = "0123456789*#ABCD"
KEY_FRAMES = 5
END_FRAMES = 3
PAUSE_FRAMES = 4
LONGEST_HEARD = RATE * 2 * 600
SILENCE = b"\xff" * FRAME

Packet = tuple[int, bool, int, bytes]  # payload type, marker, timestamp, payload


class Sound(RTPClient):
    """Sends `says`, µ-law that is repeated, and keeps all it hears as 16 bit samples in `heard`, in `keys_heard`
    the keys that the other side pressed."""

    def __init__(self, says: bytes, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.says = says
        self.keys: deque[str] = deque()
        self.heard = bytearray()
        self.keys_heard = ""
        self._last_key = b""
        self._event_type = next((code for code, kind in self.assoc.items() if kind == PayloadType.EVENT), 101)
        self._sending: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._sending:
            return
        self.sin = self.sout = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sin.bind((self.inIP, self.inPort))
        self.sin.setblocking(False)
        asyncio.get_running_loop().add_reader(self.sin, self._receive)
        self._sending = asyncio.create_task(self._send())

    def stop(self) -> None:
        if self._sending is None or self._sending.cancelled():
            return
        self._sending.cancel()
        asyncio.get_running_loop().remove_reader(self.sin)
        self.sin.close()

    async def _send(self) -> None:
        clock = asyncio.get_running_loop()
        due = clock.time()
        for sequence, (kind, marker, timestamp, payload) in enumerate(self._packets(), self.outSequence):
            head = struct.pack(
                "!BBHII", 0x80, kind | marker << 7, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, self.outSSRC
            )
            with suppress(OSError):  # the other side may have closed its port already
                self.sout.sendto(head + payload, (self.outIP, self.outPort))
            due += FRAME_S
            await asyncio.sleep(max(0.0, due - clock.time()))

    def _packets(self) -> Iterator[Packet]:
        """A packet every 20 ms: a key when one waits, else what the phone says."""
        moment, said, place = int(self.outTimestamp), self.says, 0
        while True:
            if self.keys:
                for packet in self._key(self.keys.popleft(), moment):
                    yield packet
                    moment += FRAME
                for _ in range(PAUSE_FRAMES):
                    yield PCMU, False, moment, SILENCE
                    moment += FRAME
            else:
                if said is not self.says:
                    said, place = self.says, 0
                yield PCMU, False, moment, (said + said[:FRAME])[place : place + FRAME]
                moment, place = moment + FRAME, (place + FRAME) % len(said)

    def _key(self, key: str, moment: int) -> Iterator[Packet]:
        """A key as RFC 4733 has it: one timestamp, a growing duration, the end told three times."""
        event, whole = KEYS.index(key), KEY_FRAMES * FRAME
        for frame in range(1, KEY_FRAMES + 1):
            yield self._event_type, frame == 1, moment, struct.pack("!BBH", event, 10, frame * FRAME)
        for _ in range(END_FRAMES):
            yield self._event_type, False, moment, struct.pack("!BBH", event, 0x80 | 10, whole)

    def _receive(self) -> None:
        while True:
            try:
                packet = self.sin.recv(2048)
            except OSError:
                return
            if len(packet) > 12 and packet[1] & 0x7F == PCMU and len(self.heard) < LONGEST_HEARD:
                self.heard += audioop.ulaw2lin(packet[12:], 2)
            elif len(packet) > 12 and packet[1] & 0x7F == self._event_type:
                self._hears_key(packet[4:8], packet[12])

    def _hears_key(self, since: bytes, key: int) -> None:
        """All packets of one key bear the moment at which it began."""
        if since != self._last_key:
            self._last_key = since
            self.keys_heard += KEYS[key] if key < len(KEYS) else "?"


def ulaw(pcm: bytes) -> bytes:
    """16 bit samples as µ-law."""
    return bytes(audioop.lin2ulaw(pcm, 2))


def tone(hertz: int) -> bytes:
    """A second of a tone (whole hertz), or of silence for 0, in µ-law."""
    if not hertz:
        return b"\xff" * RATE
    wave = array("h", (int(8000 * math.sin(2 * math.pi * hertz * place / RATE)) for place in range(RATE)))
    return ulaw(wave.tobytes())
