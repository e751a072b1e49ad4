"""Callers who keep their place in line and are called back. The row is written before anybody is told of it; while it
is open some controller stands in line for the caller, and another one goes on when that dies."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, or_
from sqlalchemy.orm import aliased
from sqlmodel import col, select, update

from actions.call_book import CALLER
from actions.models import Action, Call, CallBack, Status, now
from actions.store import Store
from actions.vault import Sealed, Vault

ASKED, NODE_LOST = "asked", "node lost"
# So long whoever stands in line for a caller holds the row; held anew long before.
CLAIM_S = 30.0
# Whoever just asked has put down the telephone by then.
FIRST_AFTER = timedelta(seconds=10)
# After a try that was not answered, and after the next one.
AGAIN_AFTER = (timedelta(minutes=1), timedelta(minutes=5))
TRIES = len(AGAIN_AFTER) + 1
LONGEST = timedelta(hours=4)

OVER, SPOKE, CALLED_AGAIN, NOT_ANSWERED, NOT_ALLOWED, TOO_LONG = (
    "the action ended",
    "reached",
    "called again",
    "not answered",
    "may not be called",
    "waited too long",
)


@dataclass(frozen=True)
class Place:
    """What is kept of a caller's place. `id`: of the caller's call."""

    id: str
    action_id: int
    how: str
    triage: str | None
    language: str
    arrived_at: datetime


class CallBacks:
    """All writers raise what the database raises: nothing is promised that is not written. `vault` is the police
    data's."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store, self._vault = store, vault
        # Whether any were open at the last look: who calls is only looked up when it may help.
        self.some = False
        # Those being spoken with by this process.
        self.in_talk: set[str] = set()

    async def keep(self, place: Place, e164: str, reason: str = ASKED) -> None:
        """Writes a call-back; twice the same call keeps one."""
        sealed = self._vault.seal(e164.encode(), CALLER)
        row = {
            "id": place.id,
            "sealed": sealed.blob,
            "digest": self._vault.digest(e164, CALLER),
            "key_version": sealed.version,
            "action_id": place.action_id,
            "match_how": place.how,
            "triage": place.triage,
            "language": place.language,
            "arrived_at": place.arrived_at,
        }
        async with self._store.writing() as session:
            await session.exec(self._insert([{**row, **_new(reason)}]))
        self.some = True

    async def keep_for(self, call_ids: Collection[str], reason: str) -> int:
        """Writes call-backs for calls in line that we lost: of those in the book with a known number and action, that
        did not talk yet, and whose caller did not call again. Returns how many there are for these calls."""
        later = aliased(Call)
        called_again = exists().where(col(later.digest) == Call.digest, col(later.arrived_at) > col(Call.arrived_at))
        query = select(Call).where(
            col(Call.id).in_(call_ids),
            col(Call.sealed).is_not(None),
            col(Call.action_id).is_not(None),
            col(Call.connected_at).is_(None),
            col(Call.callback_of).is_(None),  # its row is open
            ~called_again,
        )
        async with self._store.writing() as session:
            rows = [{**_from_call(call), **_new(reason)} for call in await session.exec(query)]
            if rows:
                await session.exec(self._insert(rows))
        self.some = self.some or bool(rows)
        return len(rows)

    async def claim(self, app: str, most: int) -> list[CallBack]:
        """Takes rows that are due and that nobody stands in line for. Closes those that are of no use any more."""
        self.some = bool(await self._any_open())
        if not self.some:
            return []
        await self._sweep()
        moment = now()
        query = (
            select(CallBack)
            .where(col(CallBack.ended_at).is_(None), col(CallBack.due_at) <= moment)
            .where(or_(col(CallBack.claimed_until).is_(None), col(CallBack.claimed_until) < moment))
            .where(col(CallBack.id).not_in(self.in_talk))
            .order_by(col(CallBack.arrived_at))
            .limit(most)
            .with_for_update(skip_locked=True)
        )
        async with self._store.writing() as session:
            rows = list(await session.exec(query))
            for row in rows:
                row.claimed_by, row.claimed_until = app, moment + timedelta(seconds=CLAIM_S)
            return rows

    async def let_go_all(self, app: str) -> None:
        """What an earlier life of this controller held is free to be taken."""
        free = update(CallBack).where(col(CallBack.claimed_by) == app).values(claimed_until=None)
        async with self._store.writing() as session:
            await session.exec(free)

    async def holds(self, call_back_id: str, app: str) -> bool:
        """Holds a claimed row longer. False when it is closed, or another's by now."""
        values = {"claimed_until": now() + timedelta(seconds=CLAIM_S)}
        return await self._change(call_back_id, col(CallBack.claimed_by) == app, **values)

    async def try_begins(self, call_back_id: str, app: str) -> bool:
        """Counts a try, before the telephone rings. False when it must not ring any more."""
        values = {"claimed_until": now() + timedelta(seconds=CLAIM_S), "tries": CallBack.tries + 1}
        return await self._change(call_back_id, col(CallBack.claimed_by) == app, **values)

    async def not_answered(self, call_back_id: str, tries: int) -> None:
        """After this many tries: again later, or the end."""
        if tries >= TRIES:
            return await self.end(call_back_id, NOT_ANSWERED)
        await self.later(call_back_id, AGAIN_AFTER[tries - 1])
        return None

    async def later(self, call_back_id: str, pause: timedelta) -> None:
        await self._change(call_back_id, due_at=now() + pause, claimed_until=None)

    async def end(self, call_back_id: str, how: str) -> None:
        await self._change(call_back_id, ended_at=now(), ended_how=how)

    async def called_again(self, e164: str) -> Place | None:
        """Closes the call-back of somebody who calls by himself; the place goes with that call."""
        query = select(CallBack).where(
            col(CallBack.digest).in_(self._vault.digests(e164, CALLER)), col(CallBack.ended_at).is_(None)
        )
        async with self._store.writing() as session:
            row = (await session.exec(query.order_by(col(CallBack.arrived_at)).with_for_update())).first()
            if row is None:
                return None
            row.ended_at, row.ended_how = now(), CALLED_AGAIN
            return place_of(row)

    async def open_ones(self) -> Sequence[tuple[CallBack, str]]:
        """The open call-backs and the codes of their actions, by arrival."""
        query = select(CallBack, Action.code).join(Action, col(Action.id) == CallBack.action_id)
        async with self._store.reading() as session:
            found = await session.exec(query.where(col(CallBack.ended_at).is_(None)).order_by(col(CallBack.arrived_at)))
            return [(row, code) for row, code in found]

    def number(self, row: CallBack) -> str:
        """The number to call, opened just before its use. Raises NoSuchKey, NotOurs."""
        return self._vault.open(Sealed(row.sealed, row.key_version), CALLER).decode()

    async def _any_open(self) -> str | None:
        async with self._store.reading() as session:
            return (await session.exec(select(CallBack.id).where(col(CallBack.ended_at).is_(None)).limit(1))).first()

    async def _sweep(self) -> None:
        still_open = exists().where(col(Action.id) == CallBack.action_id, col(Action.status) == Status.OPEN)
        spoke = exists().where(col(Call.id) == CallBack.id, col(Call.connected_at).is_not(None))
        async with self._store.writing() as session:
            for of_no_use, why in (
                (~still_open, OVER),
                (spoke, SPOKE),
                (col(CallBack.created_at) < now() - LONGEST, TOO_LONG),
            ):
                closing = update(CallBack).where(col(CallBack.ended_at).is_(None), of_no_use)
                await session.exec(
                    closing.values(ended_at=now(), ended_how=why).execution_options(synchronize_session=False)
                )

    async def _change(self, call_back_id: str, *conditions: Any, **values: Any) -> bool:
        changing = update(CallBack).where(
            col(CallBack.id) == call_back_id, col(CallBack.ended_at).is_(None), *conditions
        )
        async with self._store.writing() as session:
            done = await session.exec(changing.values(**values).execution_options(synchronize_session=False))
        return bool(done.rowcount)

    def _insert(self, rows: list[dict[str, Any]]) -> Any:
        table: Any = CallBack.__table__  # type: ignore[attr-defined]
        return self._store.insert_new(table).values(rows)


def place_of(row: CallBack) -> Place:
    return Place(row.id, row.action_id, row.match_how, row.triage, row.language, row.arrived_at)


def _new(reason: str) -> dict[str, Any]:
    moment = now()
    return {"reason": reason, "tries": 0, "due_at": moment + FIRST_AFTER, "created_at": moment}


def _from_call(call: Call) -> dict[str, Any]:
    same = ("id", "sealed", "digest", "key_version", "action_id", "triage", "language", "arrived_at")
    return {**{name: getattr(call, name) for name in same}, "match_how": call.match_how or "number"}
