"""What may be called from here: allowed number ranges, and never more channels than agreed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


class MayNotCall(Exception):
    """The guard refuses; the message says why, without the number."""


class AllInUse(MayNotCall):
    """Every outbound channel is taken: later, or by another way."""


@dataclass(frozen=True)
class Outgoing:
    """A call to be placed: E.164 number, the trunks that are tried in this order, the number shown, seconds of ringing
    by all of them together, and a `name` chosen beforehand, by which its leg can be found whatever happens."""

    number: str
    trunks: tuple[str, ...]
    caller_id: str
    ring_s: float
    name: str


@dataclass
class OutboundGuard:
    """`allowed` and `refused` are E.164 prefixes; a refused one wins. `most_channels` at one moment."""

    allowed: tuple[str, ...]
    refused: tuple[str, ...]
    most_channels: int
    _in_use: int = field(default=0, init=False)

    @property
    def free(self) -> int:
        """How many more calls may be placed now."""
        return max(self.most_channels - self._in_use, 0)

    @contextmanager
    def channel_to(self, number: str) -> Iterator[None]:
        """Holds one outbound channel for as long as the call lasts. Raises MayNotCall."""
        if not _E164.fullmatch(number):
            raise MayNotCall("not an E.164 number")
        if not number.startswith(self.allowed) or number.startswith(self.refused):
            raise MayNotCall("outside the number ranges that may be called (BURGERNET_ALLOWED_PREFIXES)")
        if self._in_use >= self.most_channels:
            raise AllInUse(f"all {self.most_channels} outbound channels are in use")
        self._in_use += 1
        try:
            yield
        finally:
            self._in_use -= 1
