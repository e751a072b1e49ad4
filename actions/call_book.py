"""The book of calls: every stage of every call is written down, in the database or, while it is away, in the spool."""

from __future__ import annotations

import asyncio
import base64
import logging
import uuid
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlmodel import col, select, update

from actions.desk import as_open, told
from actions.matching import Alerted, Match
from actions.models import (
    Action,
    Attempt,
    Call,
    ContactPoint,
    Delivery,
    DeliveryState,
    Message,
    Recording,
    Status,
    Tip,
    now,
)
from actions.numbers import Number
from actions.register import PURPOSE as CONTACT_POINT
from actions.spool import Fact, Spool
from actions.store import Away, Store
from actions.vault import Vaults

log = logging.getLogger(__name__)

FACT_BOUND_S = 0.3
SOUND_BOUND_S = 5.0
CALLER = "call.caller"
SOUND = "recording"
LOST = "lost sight of"
# No call lasts this long.
LONGEST_AGO = timedelta(days=1)
NEVER_BEGUN = (DeliveryState.PENDING, DeliveryState.CANCELLED)


class CallBook:
    """Facts of calls. None of the writers raises or keeps a caller waiting: what the database does not take in time
    goes to the spool."""

    def __init__(self, store: Store, vaults: Vaults, spool_file: Path) -> None:
        self._store, self._vaults = store, vaults
        self._spool = Spool(spool_file, vaults.police)

    async def alerted_in(self, e164: str, grace: timedelta = timedelta(0)) -> list[Alerted]:
        """The actions, open or ended less than `grace` ago, for which an attempt to reach this number began. One
        indexed query; raises what the database raises, and has no bound of its own."""
        lately = (col(Action.status) == Status.OPEN) | (col(Action.ended_at) > now() - grace)
        begun = (
            select(Message.action_id, Delivery.distance)
            .join(ContactPoint, col(ContactPoint.id) == Delivery.contact_point_id)
            .join(Message, col(Message.id) == Delivery.message_id)
            .join(Action, col(Action.id) == Message.action_id)
            .where(lately)
            .where(col(ContactPoint.digest).in_(self._vaults.register.digests(e164, CONTACT_POINT)))
            .where(col(Delivery.state).not_in(NEVER_BEGUN))
        )
        async with self._store.reading() as session:
            distances: dict[int, int] = {}
            for action_id, metres in await session.exec(begun):
                distances[action_id] = min(metres, distances.get(action_id, metres))
            if not distances:
                return []
            found = await told(session, col(Action.id).in_(distances))
        return [
            Alerted(as_open(action, texts), distances[action.id or 0], over=action.status == Status.ENDED)
            for action, texts in found
        ]

    def hash_of(self, number: Number) -> str | None:
        """A keyed hash that stands for a number where the number itself may not stand; None without one."""
        return _b64(self._vaults.police.digest(number.e164, CALLER)) if number.e164 else None

    async def arrived(self, call_id: str, number: Number, dialled: str, arrived_at: datetime) -> None:
        await self._write(
            call_id,
            caller_kind=number.kind,
            dialled=dialled[:20],
            arrived_at=arrived_at.isoformat(),
            **self._sealed(number),
        )

    async def placed(self, call_id: str, attempt_id: str, number: Number, dialled_from: str, at: datetime) -> None:
        """A call of ours was answered: the alert of this attempt."""
        await self._write(
            call_id,
            direction="out",
            attempt_id=attempt_id,
            caller_kind=number.kind,
            dialled=dialled_from[:20],
            arrived_at=at.isoformat(),
            answered_at=_now(),
            **self._sealed(number),
        )

    async def was_placed(self, attempt_id: str) -> bool:
        """Whether the call of an attempt was answered. Raises what the database raises."""
        async with self._store.reading() as session:
            return (await session.exec(select(Call.id).where(Call.attempt_id == attempt_id))).first() is not None

    async def answered(self, call_id: str) -> None:
        await self._write(call_id, answered_at=_now())

    async def matched(self, call_id: str, match: Match, language: str) -> None:
        await self._write(
            call_id,
            matched_at=_now(),
            action_id=match.action.id,
            match_how=match.how,
            match_confidence=match.confidence,
            match_reasons=list(match.reasons),
            language=language,
        )

    async def waiting(self, call_id: str, room_id: str) -> None:
        await self._write(call_id, waiting_at=_now(), room_id=room_id)

    async def connected(self, call_id: str, room_id: str, operator_id: str) -> None:
        await self._write(call_id, connected_at=_now(), room_id=room_id, operator_id=operator_id)

    async def ended(self, call_id: str, how: str, quality: Mapping[str, Any] | None = None) -> None:
        """`quality`: the worst of each side, as in the table."""
        heard = {"quality": dict(quality)} if quality else {}
        await self._write(call_id, ended_at=_now(), ended_how=how[:30], **heard)

    async def end_lost(self, app: str, held: Collection[str], grace: timedelta) -> int:
        """Ends the rows of calls that the controller `app` led and holds no more, `grace` after they came; how many.
        Raises what the database raises."""
        placed = select(Attempt.id).where(col(Attempt.provider_id).startswith(f"bn-{app}-"))
        ours = col(Call.id).startswith(f"{app}-") | col(Call.attempt_id).in_(placed)
        lately = col(Call.arrived_at).between(now() - LONGEST_AGO, now() - grace)
        lost = update(Call).where(ours, lately, col(Call.ended_at).is_(None), col(Call.id).not_in(held))
        async with self._store.writing() as session:
            done = await session.exec(lost.values(ended_at=now(), ended_how=LOST))
        return done.rowcount

    async def keep_tip(
        self, call_id: str, action_id: int | None, room_id: str | None, wav: bytes, seconds: float
    ) -> None:
        """Keeps a recorded tip, sealed before it leaves memory. Twice the same call keeps one tip."""
        sealed = self._vaults.police.seal(wav, SOUND)
        fact: Fact = {
            "kind": "tip",
            "call_id": call_id,
            "action_id": action_id,
            "room_id": room_id,
            "sealed": _b64(sealed.blob),
            "key_version": sealed.version,
            "seconds": seconds,
            "received_at": _now(),
        }
        await self._keep(fact, SOUND_BOUND_S)

    async def replay(self) -> int:
        """Writes what was spooled to the database; returns how many facts. Raises what the database raises."""
        return 0 if self._spool.empty() else await self._spool.replay(self._apply_late)

    async def run(self) -> None:
        """Replays the spool whenever the database is back, until cancelled."""
        while True:
            try:
                if count := await self.replay():
                    log.info("%d facts of calls written from the spool", count)
            except Away as fault:
                log.warning("the spool waits for the database: %s", type(fault).__name__)
            await asyncio.sleep(2)

    def _sealed(self, number: Number) -> dict[str, Any]:
        """The columns that hold whose call it is."""
        if not number.e164:
            return {}
        sealed = self._vaults.police.seal(number.e164.encode(), CALLER)
        return {
            "sealed": _b64(sealed.blob),
            "key_version": sealed.version,
            "digest": _b64(self._vaults.police.digest(number.e164, CALLER)),
        }

    async def _write(self, call_id: str, **columns: Any) -> None:
        await self._keep({"kind": "call", "call_id": call_id, "columns": columns}, FACT_BOUND_S)

    async def _keep(self, fact: Fact, bound_s: float) -> None:
        # Behind facts that wait in the spool, or an older one would overwrite it later.
        if not self._spool.empty():
            return await self._to_spool(fact)
        try:
            async with asyncio.timeout(bound_s):
                await self._apply(fact, bound_s)
        except Away as away:
            log.warning("call %s: a fact goes to the spool: %s", fact["call_id"], type(away).__name__)
            await self._to_spool(fact)

    async def _to_spool(self, fact: Fact) -> None:
        try:
            await self._spool.keep(fact)
        except OSError as fault:
            log.error("call %s: a fact is lost, the spool does not take it either: %s", fact["call_id"], fault.strerror)

    async def _apply_late(self, fact: Fact) -> None:
        async with asyncio.timeout(SOUND_BOUND_S):
            await self._apply(fact, SOUND_BOUND_S)

    async def _apply(self, fact: Fact, bound_s: float) -> None:
        """Writes one fact; a second time changes nothing."""
        # Shorter than the bound: a writer that waits for SQLite's lock cannot be called off before.
        lock_s = bound_s * 0.8
        if fact["kind"] == "tip":
            await self._apply_tip(fact, lock_s)
        else:
            await self._apply_columns(fact["call_id"], fact["columns"], lock_s)

    async def _apply_columns(self, call_id: str, columns: dict[str, Any], lock_s: float) -> None:
        values = {name: _value(name, value) for name, value in columns.items()}
        new = {
            "id": call_id,
            "direction": "in",
            "dialled": "",
            "caller_kind": "",
            "language": "nl",
            "match_reasons": [],
        }
        async with self._store.writing(lock_s) as session:
            await session.exec(self._store.insert_new(_table(Call)).values(**{**new, "arrived_at": now(), **values}))
            await session.exec(update(Call).where(col(Call.id) == call_id).values(**values))

    async def _apply_tip(self, fact: Fact, lock_s: float) -> None:
        ids = [uuid.uuid5(uuid.NAMESPACE_URL, f"{part}:{fact['call_id']}").hex for part in ("recording", "tip")]
        received_at = datetime.fromisoformat(fact["received_at"])
        async with self._store.writing(lock_s) as session:
            await session.exec(
                self._store.insert_new(_table(Recording)).values(
                    id=ids[0],
                    call_id=fact["call_id"],
                    sealed=base64.b64decode(fact["sealed"]),
                    key_version=fact["key_version"],
                    seconds=fact["seconds"],
                    created_at=received_at,
                )
            )
            await session.exec(
                self._store.insert_new(_table(Tip)).values(
                    id=ids[1],
                    action_id=fact["action_id"],
                    room_id=fact["room_id"],
                    call_id=fact["call_id"],
                    recording_id=ids[0],
                    source="call",
                    received_at=received_at,
                )
            )


def _value(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name.endswith("_at"):
        return datetime.fromisoformat(value)
    return base64.b64decode(value) if name in ("sealed", "digest") else value


def _table(model: Any) -> Any:
    return model.__table__


def _b64(plain: bytes) -> str:
    return base64.b64encode(plain).decode()


def _now() -> str:
    return now().isoformat()
