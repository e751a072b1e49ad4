"""The renditions of an action's messages, as they went out or will."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlmodel import col, select

from actions.drafts import draft_texts
from actions.models import Action, Kind, Message, MessageKind, Status
from actions.store import Store
from actions.texts import Texts
from alerting.notices import notices_of
from alerting.renditions import Around, Notice, Rendition, renditions

# A draft gets its code at the start.
CODE_TO_COME = "..."


@dataclass(frozen=True)
class Preview:
    """`message_id`: None for what is not written yet."""

    message_id: int | None
    kind: MessageKind
    renditions: tuple[Rendition, ...]


def preview(texts: Texts, kind: Kind, around: Around, *, exercise: bool = False, code: str = CODE_TO_COME) -> Preview:
    """The alert that these texts would make."""
    notices = [
        Notice(MessageKind.ALERT, code, language, title, body, exercise, kind)
        for language, (title, body) in texts.items()
    ]
    return Preview(None, MessageKind.ALERT, tuple(one for notice in notices for one in renditions(notice, around)))


async def previews(store: Store, action_id: int, around: Around) -> list[Preview]:
    """Of each message of an action, oldest first; of a draft the one that waits. Raises what the database raises."""
    async with store.reading() as session:
        action = await session.get_one(Action, action_id)
        if action.status == Status.DRAFT:
            return [preview(draft_texts(action), Kind(action.kind), around, exercise=action.exercise)]
        query = select(Message).where(Message.action_id == action_id).order_by(col(Message.id))
        messages = list(await session.exec(query))
        notices = await notices_of(session, [message.id or 0 for message in messages])
    return [
        Preview(
            message.id,
            MessageKind(message.kind),
            tuple(
                one
                for (of_message, _), notice in sorted(notices.items(), reverse=True)
                if of_message == message.id
                for one in renditions(notice, _with_picture(around, notice))
            ),
        )
        for message in messages
    ]


def _with_picture(around: Around, notice: Notice) -> Around:
    return replace(around, picture=picture_url(around.public, notice))


def picture_url(public: str, notice: Notice) -> str | None:
    """The address of the picture that goes with a message. `public`: the address at which our pages are."""
    return f"{public}/pictures/{notice.picture}" if notice.picture else None
