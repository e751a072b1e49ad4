"""An action is over: the telephones that still ring for it by Twilio are left in peace."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Protocol

from sqlmodel import col, select

from actions.models import Action, Attempt, Delivery, DeliveryState, Message, MessageKind, Status, now
from actions.store import Store
from alerting.errors import SendError, Unanswered

log = logging.getLogger(__name__)

# A call that was taken longer ago rings no more.
LONGEST_AGO = timedelta(hours=1)
MOST = 200
AT_ONCE = 10


class StopsRinging(Protocol):
    provider: str

    async def stop_ringing(self, sid: str) -> None:
        """Ends a call that nobody answered yet; one that was answered goes on. Raises SendError, Unanswered."""


class StillRinging:
    """The calls are read from the database: what another process placed, or this one before a crash, is ended too."""

    def __init__(self, store: Store, channel: StopsRinging) -> None:
        self._store, self._channel = store, channel
        self._told: set[str] = set()
        self._at_once = asyncio.Semaphore(AT_ONCE)

    async def step(self) -> bool:
        """Ends those calls, each once; no more is to do at once. Raises what the database raises."""
        under_way = await self._under_way()
        self._told &= under_way
        await asyncio.gather(*map(self._stop, under_way - self._told))
        return False

    async def _stop(self, sid: str) -> None:
        async with self._at_once:
            try:
                await self._channel.stop_ringing(sid)
            except (SendError, Unanswered) as fault:
                return log.warning("call %s may ring on: %s", sid, fault)
        self._told.add(sid)
        return None

    async def _under_way(self) -> set[str]:
        """The provider's ids of calls about actions that are over; a result is told all the same."""
        since = now() - LONGEST_AGO
        query = (
            select(Attempt.provider_id)
            .join(Delivery, col(Delivery.id) == Attempt.delivery_id)
            .join(Message, col(Message.id) == Delivery.message_id)
            .join(Action, col(Action.id) == Message.action_id)
            .where(Action.status == Status.ENDED, col(Action.ended_at) > since, Message.kind != MessageKind.RESULT)
            .where(Attempt.state == DeliveryState.SENT, Attempt.provider == self._channel.provider)
            .where(Delivery.channel == "voice", col(Attempt.started_at) > since, col(Attempt.provider_id).is_not(None))
            .order_by(col(Attempt.started_at).desc())
            .limit(MOST)
        )
        async with self._store.reading() as session:
            return {sid for sid in await session.exec(query) if sid}
