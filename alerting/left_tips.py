"""Tips spoken in a call by Twilio: fetched, sealed, and taken away from where they were recorded."""

from __future__ import annotations

import asyncio
import io
import logging
import wave
from datetime import timedelta

from sqlalchemy import exists
from sqlmodel import col, select
from twilio.base.exceptions import TwilioException

from actions.call_book import CallBook
from actions.models import Call, Recording, Tip, now
from actions.store import Store
from alerting.channels.twilio_client import TwilioClient
from alerting.errors import SendError, Unanswered

log = logging.getLogger(__name__)

RECORDINGS = "burgernet:recordings"
NOTHING_LEFT = "no tip left"
LOOKED_FOR = timedelta(hours=1)
# At first, then ever more rarely: somebody may have hung up without a word.
LOOK_AGAIN_S = 20.0
MOST = 20
# Two minutes of the best that Twilio records, and room to spare.
LARGEST = 8 * 1024 * 1024


class LeftTips:
    """Which calls may have left one is read from the database; the callback that tells of one only rings the bell."""

    def __init__(self, store: Store, book: CallBook, client: TwilioClient) -> None:
        self._store, self._book, self._client = store, book, client
        self._not_before: dict[str, float] = {}

    async def step(self) -> bool:
        """Fetches what is there; no more is to do at once. Raises what the database raises."""
        waiting = await self._waiting()
        moment = asyncio.get_running_loop().time()
        self._not_before = {tip.call_id: at for tip in waiting if tip.call_id and (at := self._at(tip)) > moment}
        for tip in waiting:
            if tip.call_id and tip.call_id not in self._not_before:
                waited = (now() - tip.received_at).total_seconds()
                self._not_before[tip.call_id] = moment + max(LOOK_AGAIN_S, waited / 2)
                await self._fetch(tip, tip.call_id)
        return False

    def _at(self, tip: Tip) -> float:
        return self._not_before.get(tip.call_id or "", 0.0)

    async def _fetch(self, tip: Tip, call_id: str) -> None:
        try:
            for found in await self._client.rest.recordings.page_async(call_sid=call_id, page_size=1):
                wav = await self._client.recording(found.sid, LARGEST)
                await self._book.keep_tip(call_id, tip.action_id, tip.room_id, wav, _seconds(wav))
                if await self._is_kept(call_id):
                    await self._client.rest.recordings(found.sid).delete_async()
        except (TwilioException, SendError, Unanswered, ValueError) as fault:
            log.warning("call %s: its recording is fetched later (%s)", call_id, type(fault).__name__)

    async def _waiting(self) -> list[Tip]:
        kept = exists().where(col(Recording.call_id) == Tip.call_id)
        query = (
            select(Tip)
            .join(Call, col(Call.id) == Tip.call_id)
            .where(Tip.source == "key", col(Tip.received_at) > now() - LOOKED_FOR, ~kept)
            .where(col(Call.ended_at).is_not(None), Call.ended_how != NOTHING_LEFT)
            .order_by(col(Tip.received_at).desc())
            .limit(MOST)
        )
        async with self._store.reading() as session:
            return list(await session.exec(query))

    async def _is_kept(self, call_id: str) -> bool:
        async with self._store.reading() as session:
            return (await session.exec(select(Recording.id).where(Recording.call_id == call_id))).first() is not None


def _seconds(wav: bytes) -> float:
    """How long it sounds. Raises ValueError when it is no WAV."""
    try:
        with wave.open(io.BytesIO(wav)) as sound:
            return float(sound.getnframes() / sound.getframerate())
    except (wave.Error, EOFError, ZeroDivisionError) as fault:
        raise ValueError("no WAV") from fault
