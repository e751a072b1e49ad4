"""What an attempt tells, looked up while somebody listens: its message, and whether its action is still open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.desk import open_actions
from actions.matching import OpenAction
from actions.models import Action, Attempt, Delivery, Message, MessageKind, MessageSound
from actions.store import Store
from alerting.notices import notices_of
from alerting.renditions import Notice


@dataclass(frozen=True)
class About:
    """`notices`: the message in every language it has, `language` being its hearer's; `recorded`: the languages in
    which an operator spoke it. `action`: None when it is over. `state`: what is known of the attempt."""

    notices: Mapping[str, Notice]
    language: str
    recorded: frozenset[str]
    action: OpenAction | None
    state: str

    @property
    def notice(self) -> Notice:
        return self.notices[self.language]

    def in_language(self, language: str) -> Notice:
        """The message in this language, or in its hearer's when it has no text in that."""
        return self.notices.get(language, self.notice)

    @property
    def of_no_use(self) -> bool:
        """Whether there is nothing to look out for any more. A result is always of use."""
        return self.action is None and self.notice.kind != MessageKind.RESULT


async def about(store: Store, attempt_id: str) -> About | None:
    """None when there is no such attempt. Raises what the database raises."""
    query = (
        select(Attempt.state, Delivery.language, Message)
        .join(Delivery, col(Delivery.id) == Attempt.delivery_id)
        .join(Message, col(Message.id) == Delivery.message_id)
        .where(Attempt.id == attempt_id)
    )
    async with store.reading() as session:
        found = (await session.exec(query)).first()
        if found is None:
            return None
        state, language, message = found
        still_open = await open_actions(session, col(Action.id) == message.action_id)
        notices, recorded = await _wordings(session, message.id or 0)
    return About(notices, language, recorded, still_open[0] if still_open else None, state)


async def _wordings(session: AsyncSession, message_id: int) -> tuple[dict[str, Notice], frozenset[str]]:
    notices = {language: notice for (_, language), notice in (await notices_of(session, [message_id])).items()}
    sounds = await session.exec(select(MessageSound.language).where(MessageSound.message_id == message_id))
    return notices, frozenset(sounds)
