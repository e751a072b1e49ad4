"""What an attempt tells, looked up while somebody listens: its message, and whether its action is still open."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import col, select

from actions.desk import open_actions
from actions.matching import OpenAction
from actions.models import Action, Attempt, Delivery, Message, MessageKind, MessageText
from actions.store import Store
from alerting.renditions import Notice


@dataclass(frozen=True)
class About:
    """`action`: None when it is over. `state`: what is known of the attempt."""

    notice: Notice
    action: OpenAction | None
    state: str

    @property
    def of_no_use(self) -> bool:
        """Whether there is nothing to look out for any more. A result is always of use."""
        return self.action is None and self.notice.kind != MessageKind.RESULT


async def about(store: Store, attempt_id: str) -> About | None:
    """None when there is no such attempt. Raises what the database raises."""
    query = (
        select(Attempt.state, Message, Action.code, MessageText)
        .join(Delivery, col(Delivery.id) == Attempt.delivery_id)
        .join(Message, col(Message.id) == Delivery.message_id)
        .join(Action, col(Action.id) == Message.action_id)
        .join(
            MessageText, (col(MessageText.message_id) == Message.id) & (col(MessageText.language) == Delivery.language)
        )
        .where(Attempt.id == attempt_id)
    )
    async with store.reading() as session:
        found = (await session.exec(query)).first()
        if found is None:
            return None
        state, message, code, words = found
        still_open = await open_actions(session, col(Action.id) == message.action_id)
    notice = Notice(MessageKind(message.kind), code, words.language, words.title, words.body)
    return About(notice, still_open[0] if still_open else None, state)
