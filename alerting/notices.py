"""What messages say, read from the database."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy.orm import defer
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.models import Action, Kind, Message, MessageKind, MessagePicture, MessageText, Status
from alerting.renditions import Notice

Notices = Mapping[tuple[int, str], Notice]


async def notices_of(session: AsyncSession, message_ids: Collection[int]) -> Notices:
    """By message and language."""
    query = (
        select(Message, Action, MessageText)
        .join(Action, col(Action.id) == Message.action_id)
        .join(MessageText, col(MessageText.message_id) == Message.id)
        .options(defer(Action.area))  # type: ignore[arg-type]
        .where(col(Message.id).in_(message_ids))
    )
    rows = list(await session.exec(query))
    pictures = await _pictures(session, {message.action_id for message, _, _ in rows})
    return {
        (message.id, words.language): _notice(message, action, words, pictures.get(message.action_id))
        for message, action, words in rows
        if message.id is not None
    }


async def _pictures(session: AsyncSession, action_ids: Collection[int]) -> dict[int, str]:
    """The keys of the pictures of open actions."""
    query = (
        select(Message.action_id, MessagePicture.key)
        .join(MessagePicture, col(MessagePicture.message_id) == Message.id)
        .join(Action, col(Action.id) == Message.action_id)
        .where(col(Message.action_id).in_(action_ids), Action.status == Status.OPEN)
    )
    return dict((await session.exec(query)).all())


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
