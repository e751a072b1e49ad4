"""The ways to reach somebody, one file each. A channel sends; what else it can do are abilities of their own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from alerting.receipts import Receipt
from alerting.renditions import Notice


@dataclass(frozen=True)
class Sending:
    """One attempt, ready to leave. `to`: a telephone number (E.164), a mail address or a browser's subscription.
    `others` are the provider's ids of earlier attempts at the same delivery, of which this is the `number`th."""

    attempt_id: str
    to: str
    notice: Notice
    started_at: datetime
    others: frozenset[str]
    number: int = 1


class Channel(Protocol):
    provider: str

    async def send(self, sending: Sending) -> Receipt:
        """Hands it to the provider. Raises SendError (refused for certain) or Unanswered (nobody knows)."""


@runtime_checkable
class Remembers(Protocol):
    """A channel whose provider can be asked afterwards."""

    async def find(self, sending: Sending) -> Receipt | None:
        """What became of an attempt that may or may not have reached the provider; None when it never did. Raises
        Unanswered."""
