"""What messages say, read from the database."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy.orm import defer
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.models import Action, Kind, Message, MessageKind, MessagePicture, MessageText
from alerting.renditions import Notice

Notices = Mapping[tuple[int, str], Notice]


async def notices_of(session: AsyncSession, message_ids: Collection[int]) -> Notices:
    """By message and language."""
    query = (
        select(Message, Action, MessageText, MessagePicture.key)
        .join(Action, col(Action.id) == Message.action_id)
        .join(MessageText, col(MessageText.message_id) == Message.id)
        .outerjoin(MessagePicture, col(MessagePicture.message_id) == Message.id)
        .options(defer(Action.area))  # type: ignore[arg-type]
        .where(col(Message.id).in_(message_ids))
    )
    return {
        (message.id, words.language): _notice(message, action, words, picture)
        for message, action, words, picture in await session.exec(query)
        if message.id is not None
    }


def _notice(message: Message, action: Action, words: MessageText, picture: str | None) -> Notice:
    return Notice(
        MessageKind(message.kind),
        action.code,
        words.language,
        words.title,
        words.body,
        action.exercise,
        Kind(action.kind),
        message.action_id,
        message.deadline,
        picture,
    )
