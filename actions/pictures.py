"""The picture of an action: shown by every message until its end, at an address that nobody can guess; then nowhere."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from pathlib import Path

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.models import Action, Message, MessageKind, MessagePicture, Status
from actions.photos import LARGEST, NoPhoto, made_safe
from actions.store import Store

# Enough for a telephone; sent to many people at once.
SIDE = 1280
KEY_BYTES = 24
MEDIA_TYPE = "image/jpeg"
# Everybody alerted asks for it in the same minute: the database is not asked each time. So long it may outlive its end.
FRESH_S = 2.0
MOST_KEPT = 50


def read_picture(file: Path) -> bytes:
    """A picture as it is kept: without what the camera wrote into it. Raises NoPhoto, with what is wrong."""
    try:
        if not file.is_file():
            raise NoPhoto("there is no such file")
        if file.stat().st_size > LARGEST:
            raise NoPhoto(f"it is larger than {LARGEST // 1_000_000} MB")
        return made_safe(file.read_bytes(), SIDE)
    except OSError as fault:
        raise NoPhoto(fault.strerror or "it cannot be read") from None


async def illustrate(session: AsyncSession, action: Action, picture: bytes) -> None:
    """Gives an action that starts its picture (JPEG)."""
    alert = select(Message.id).where(Message.action_id == action.id, Message.kind == MessageKind.ALERT)
    message_id = (await session.exec(alert)).one()
    key = secrets.token_urlsafe(KEY_BYTES)
    session.add(MessagePicture(message_id=message_id or 0, key=key, media_type=MEDIA_TYPE, picture=picture))


class Pictures:
    """Reads pictures for the public."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._clock = store, clock
        self._kept: dict[str, tuple[bytes, float]] = {}

    async def with_key(self, key: str) -> bytes | None:
        """The picture with this key, while its action is open. Raises what the database raises."""
        picture, until = self._kept.get(key, (b"", 0.0))
        if self._clock() < until:
            return picture
        self._kept.pop(key, None)
        query = (
            select(MessagePicture.picture)
            .join(Message, col(Message.id) == MessagePicture.message_id)
            .join(Action, col(Action.id) == Message.action_id)
            .where(MessagePicture.key == key, Action.status == Status.OPEN)
        )
        asked_at = self._clock()
        async with self._store.reading() as session:
            found = (await session.exec(query)).first()
        if found is not None:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[key] = found, asked_at + FRESH_S
        return found
