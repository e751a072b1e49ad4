"""Recorded talks, sealed; and who heard them, when and why (Wpg, 32a)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from actions.books import Actor, record
from actions.call_book import SOUND
from actions.desk import Refused
from actions.models import Action, Call, Recording
from actions.store import Store
from actions.vault import NotOurs, Sealed, Vault


@dataclass(frozen=True)
class RecordedTalk:
    """`seconds`: of it that somebody spoke."""

    id: str
    call_id: str
    operator_id: str | None
    kept_at: datetime
    seconds: float


class TalkRecordings:
    """`vault` is the police data's."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store, self._vault = store, vault

    async def of_action(self, code: str, actor: Actor) -> list[RecordedTalk]:
        """Those about actions that have or had this code, newest first; that they were listed is written down."""
        query = (
            select(Recording, Call.operator_id)
            .join(Call, col(Call.id) == Recording.call_id)
            .join(Action, col(Action.id) == Call.action_id)
            .where(Recording.kind == "talk", Action.code == code)
            .order_by(col(Recording.created_at).desc())
        )
        async with self._store.writing() as session:
            record(session, actor, "consult", "recordings of action", code)
            return [
                RecordedTalk(kept.id, kept.call_id, operator, kept.created_at, kept.seconds)
                for kept, operator in await session.exec(query)
            ]

    async def sound(self, recording_id: str, actor: Actor) -> bytes:
        """A recording (WAV); that it was heard is written down too. Raises Refused, NoSuchKey."""
        async with self._store.writing() as session:
            kept = await session.get(Recording, recording_id)
            if kept is None or kept.kind != "talk":
                raise Refused([f"no talk has recording {recording_id!r}; `burgernet call recordings CODE` shows them"])
            record(session, actor, "consult", "recording", recording_id)
            try:
                return self._vault.open(Sealed(kept.sealed, kept.key_version), SOUND)
            except NotOurs as fault:
                raise Refused([f"recording {recording_id}: {fault}"]) from None
