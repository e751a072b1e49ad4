"""A message whose audience is to be written, and how urgent that is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import col, select

from actions.models import Action, Kind, Message, MessageKind, MessageText, now
from actions.store import Store
from actions.urgency import urgency

# So many chunks of each message are written before any message gets more: nobody waits for an audience of millions.
SHORT = 4


@dataclass(frozen=True)
class Awaited:
    """A message, its action and the languages of its texts, as they were when the writing began."""

    message: Message
    action: Action
    languages: Collection[str]

    @property
    def kind(self) -> Kind:
        return Kind(self.action.kind)

    @property
    def choice(self) -> Mapping[str, Any]:
        """The choice among the people there: languages, min_age, max_age."""
        return self.action.audience or {}

    @property
    def rings_before(self) -> int:
        """How many rings were written before the search grew: the rings of the new area are counted from there."""
        grown = (self.action.search or {}).get("written") or {}
        return int(grown["rings"]) if grown.get("message") == self.message.id else 0

    @property
    def growth(self) -> int:
        return growth_of(self.action.search)


@dataclass(frozen=True)
class Waiting:
    """A message that waits for its audience."""

    id: int
    kind: str
    of_action: str


def growth_of(search: Mapping[str, Any] | None) -> int:
    """How often the area of a search has changed."""
    return int((search or {}).get("growth", 0))


def turn(waiting: Waiting, chunks: int) -> tuple[bool, int, bool, int]:
    """The lowest is written next, after `chunks` of it: first those that have hardly begun, then by the kind of action,
    results after what warns, older ones first."""
    result = waiting.kind == MessageKind.RESULT
    return chunks >= SHORT, urgency(waiting.of_action, None), result, waiting.id


async def waiting_in(store: Store, moment: datetime) -> list[Waiting]:
    """The messages whose audience is not wholly written, and still may be."""
    query = (
        select(Message.id, Message.kind, Action.kind)
        .join(Action, col(Action.id) == Message.action_id)
        .where(col(Message.audience_written_at).is_(None), col(Message.stopped_at).is_(None))
        .where(col(Message.deadline) > moment)
    )
    async with store.reading() as session:
        return [Waiting(key, kind, of_action) for key, kind, of_action in await session.exec(query) if key]


async def read(store: Store, message_id: int) -> Awaited | None:
    """The message with all that its audience is chosen by; None when it needs none any more."""
    query = (
        select(Message, Action)
        .join(Action, col(Action.id) == Message.action_id)
        .where(col(Message.id) == message_id)
        .where(col(Message.audience_written_at).is_(None), col(Message.stopped_at).is_(None))
        .where(col(Message.deadline) > now())
    )
    async with store.reading() as session:
        if (found := (await session.exec(query)).first()) is None:
            return None
        languages = await session.exec(select(MessageText.language).where(MessageText.message_id == message_id))
        return Awaited(found[0], found[1], set(languages))
