"""The book of calls: every stage of every call is written down, in the database or, while it is away, in the spool."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlmodel import col, select, update

from actions.alerted import Lookup
from actions.call_facts import FACT_BOUND_S as FACT_BOUND_S
from actions.call_facts import CallFacts
from actions.lost_calls import LONGEST_AGO, led_by
from actions.matching import Alerted, Match
from actions.models import Call, now
from actions.numbers import Number
from actions.register import PURPOSE as CONTACT_POINT
from actions.spool import Fact, Spool
from actions.store import Away, Store
from actions.together import Together
from actions.vault import Vaults

log = logging.getLogger(__name__)

CALLER = "call.caller"
SOUND = "recording"
LOST = "lost sight of"
# Callers of one moment are looked up together, while they hear the welcome.
LOOKS_APART_S = 0.05


class CallBook:
    """Facts of calls. None of the writers raises or keeps a caller waiting: what the database does not take in time
    goes to the spool. What a call can go on without is written soon after, the rest before the call goes on."""

    def __init__(self, store: Store, vaults: Vaults, spool_file: Path) -> None:
        self._store, self._vaults = store, vaults
        self._facts = CallFacts(store, Spool(spool_file, vaults.police))
        self._alerted = Together(Lookup(store, vaults.register).alerted_in_each, apart_s=LOOKS_APART_S)

    async def alerted_in(self, e164: str, grace: timedelta = timedelta(0)) -> list[Alerted]:
        """The actions, open or ended less than `grace` ago, for which an attempt to reach this number began. Callers of
        one moment share an indexed query; raises what the database raises, and has no bound of its own."""
        return await self._alerted.ask((e164, grace))

    def hash_of(self, number: Number) -> str | None:
        """A keyed hash that stands for a number where the number itself may not stand; None without one."""
        return _b64(self._vaults.police.digest(number.e164, CALLER)) if number.e164 else None

    async def arrived(self, call_id: str, number: Number, dialled: str, arrived_at: datetime) -> None:
        columns = {
            "caller_kind": number.kind,
            "dialled": dialled[:20],
            "arrived_at": arrived_at.isoformat(),
            **self._sealed(number),
        }
        known = self._vaults.register.digests(number.e164, CONTACT_POINT) if number.e164 else []
        await self._facts.hand_in(call_id, columns, [_b64(one) for one in known])

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

    async def called_back(self, call_id: str, callback_of: str, number: Number, dialled_from: str) -> None:
        """A call of ours was answered: somebody who kept the place of the call `callback_of`."""
        await self._write(
            call_id,
            direction="out",
            callback_of=callback_of,
            caller_kind=number.kind,
            dialled=dialled_from[:20],
            arrived_at=_now(),
            answered_at=_now(),
            **self._sealed(number),
        )

    async def was_placed(self, attempt_id: str) -> bool:
        """Whether the call of an attempt was answered. Raises what the database raises."""
        async with self._store.reading() as session:
            return (await session.exec(select(Call.id).where(Call.attempt_id == attempt_id))).first() is not None

    async def answered(self, call_id: str) -> None:
        self._soon(call_id, answered_at=_now())

    async def forget_caller(self, call_id: str) -> None:
        """Erases whose call it is, by the caller's wish, also from what waits in the spool."""
        await self._facts.forget(call_id)

    async def matched(self, call_id: str, match: Match, language: str) -> None:
        self._soon(
            call_id,
            matched_at=_now(),
            action_id=match.action.id,
            match_how=match.how,
            match_confidence=match.confidence,
            match_reasons=list(match.reasons),
            language=language,
        )

    async def waiting(self, call_id: str, room_id: str) -> None:
        self._soon(call_id, waiting_at=_now(), room_id=room_id)

    async def triaged(self, call_id: str, triage: str) -> None:
        self._soon(call_id, triage=triage)

    async def connected(self, call_id: str, room_id: str, operator_id: str) -> None:
        await self._write(call_id, connected_at=_now(), room_id=room_id, operator_id=operator_id)

    async def ended(self, call_id: str, how: str, quality: Mapping[str, Any] | None = None) -> None:
        """`quality`: the worst of each side, as in the table."""
        heard = {"quality": dict(quality)} if quality else {}
        await self._write(call_id, ended_at=_now(), ended_how=how[:30], **heard)

    async def end_lost(self, app: str, held: Collection[str], grace: timedelta) -> int:
        """Ends the rows of calls that the controller `app` led and holds no more, `grace` after they came; how many.
        Raises what the database raises."""
        lately = col(Call.arrived_at).between(now() - LONGEST_AGO, now() - grace)
        lost = update(Call).where(led_by([app]), lately, col(Call.ended_at).is_(None), col(Call.id).not_in(held))
        async with self._store.writing() as session:
            done = await session.exec(lost.values(ended_at=now(), ended_how=LOST))
        return done.rowcount

    async def keep_tip(
        self, call_id: str, action_id: int | None, room_id: str | None, wav: bytes, seconds: float
    ) -> None:
        """Keeps a recorded tip, sealed before it leaves memory. Twice the same call keeps one tip."""
        fact: Fact = {"kind": "tip", "call_id": call_id, "action_id": action_id, "room_id": room_id}
        await self._facts.keep_sound(fact | self._sealed_sound(wav, seconds))

    async def keep_sound(
        self, call_id: str, what: str, wav: bytes, seconds: float, by: tuple[str, int | None, str | None] | None = None
    ) -> None:
        """Keeps a recording of a call, sealed before it leaves memory. `what`: talk1, talk2, ... a piece of the talk;
        note1, ... an operator's note, which is listed with the action too: `by` operator, about an action, in a room.
        Twice the same keeps one."""
        operator_id, action_id, room_id = by or (None, None, None)
        fact: Fact = {
            "kind": "sound",
            "what": what,
            "call_id": call_id,
            "operator_id": operator_id,
            "action_id": action_id,
            "room_id": room_id,
        }
        await self._facts.keep_sound(fact | self._sealed_sound(wav, seconds))

    async def replay(self) -> int:
        """Writes what was spooled to the database; returns how many facts. Raises what the database raises."""
        return await self._facts.replay()

    async def written(self) -> None:
        """Returns when all that was said is in the database or in the spool."""
        await self._facts.over()

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

    def _sealed_sound(self, wav: bytes, seconds: float) -> Fact:
        sealed = self._vaults.police.seal(wav, SOUND)
        return {
            "sealed": _b64(sealed.blob),
            "key_version": sealed.version,
            "seconds": seconds,
            "received_at": _now(),
        }

    async def _write(self, call_id: str, **columns: Any) -> None:
        await self._facts.hand_in(call_id, columns)

    def _soon(self, call_id: str, **columns: Any) -> None:
        """For what need not be written before the call goes on: the facts after it are, and bring it along."""
        self._facts.hand_in(call_id, columns)


def _b64(plain: bytes) -> str:
    return base64.b64encode(plain).decode()


def _now() -> str:
    return now().isoformat()
