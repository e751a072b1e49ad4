"""Facts of calls on their way into the database: those of many calls in one transaction, or else into the spool."""

from __future__ import annotations

import asyncio
import base64
import logging
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, bindparam, func, literal
from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.books import Actor, tell_of_tip
from actions.models import Call, ContactPoint, Recording, Tip, now
from actions.numbers import CallerKind
from actions.reachability import believe_again, spoken_against
from actions.spool import Fact, Spool
from actions.store import Away, Store, refused
from actions.together import Together

log = logging.getLogger(__name__)

FACT_BOUND_S = 0.3
SOUND_BOUND_S = 5.0
# So long facts gather for one transaction: a caller does not notice it, and a busy hour costs no more than a calm one.
APART_S = 0.04
MOST = 500
# Kinds of facts that hold sound: each is a transaction of its own.
SOUNDS = ("tip", "sound")
CALLED_IN = Actor("the public", "free number", "a call came from it")
# The columns that tell whose call it is, erased.
NOBODY: Mapping[str, Any] = {"sealed": None, "digest": None, "key_version": None}


class CallFacts:
    """Nothing here raises, and nobody waits longer than the bound: what the database does not take in time goes to the
    spool. Facts of one call are written in the order in which they were handed in."""

    def __init__(self, store: Store, spool: Spool) -> None:
        self._store, self._spool = store, spool
        self._rounds = Together(self._write, MOST, APART_S)
        self._statement = _newest_wins(store)

    def hand_in(self, call_id: str, columns: Mapping[str, Any], caller: Sequence[str] = ()) -> asyncio.Future[None]:
        """Columns of one call's row; done when they are written or in the spool. None leaves a column as it is.
        `caller`: the register's hashes (base64) of a number that called in, which proves that it is in use."""
        fact: Fact = {"kind": "call", "call_id": call_id, "columns": dict(columns)}
        known: Fact = {"caller": list(caller)} if caller else {}
        return self._rounds.hand_in((fact | known, asyncio.get_running_loop().time()))

    async def forget(self, call_id: str) -> None:
        """Erases whose call it is, after all that was handed in about it, and from what waits in the spool."""

        def without(fact: Fact) -> Fact:
            if fact["call_id"] != call_id or "columns" not in fact:
                return fact
            return {**fact, "columns": fact["columns"] | NOBODY, "caller": []}

        try:
            await self._spool.change(without)
        except OSError as fault:
            log.error("call %s: the number stays in the spool until that is replayed: %s", call_id, fault.strerror)
        fact = {"kind": "forget", "call_id": call_id, "columns": {"caller_kind": CallerKind.ANONYMOUS}}
        await self._rounds.hand_in((fact, asyncio.get_running_loop().time()))

    async def keep_sound(self, fact: Fact) -> None:
        if not self._spool.empty():
            return await self._to_spool([fact])
        try:
            await self._apply_alone(fact)
        except Away as away:
            await self._to_spool([fact], away)

    async def replay(self) -> int:
        """Writes what was spooled to the database; returns how many facts. Raises what the database raises."""
        return 0 if self._spool.empty() else await self._spool.replay(self._apply_late)

    async def over(self) -> None:
        """Returns when everything handed in is written or in the spool."""
        await self._rounds.over()

    async def _write(self, given: Sequence[tuple[Fact, float]]) -> Sequence[None]:
        facts = [fact for fact, _ in given]
        # Behind facts that wait in the spool, or an older one would overwrite it later.
        if self._spool.empty():
            await self._write_or_spool(facts, given[0][1] + FACT_BOUND_S)
        else:
            await self._to_spool(facts)
        return [None] * len(facts)

    async def _write_or_spool(self, facts: Sequence[Fact], until: float) -> None:
        # Shorter than the bound: a writer that waits for SQLite's lock cannot be called off before.
        lock_s = max(until - asyncio.get_running_loop().time(), 0.05) * 0.8
        try:
            async with asyncio.timeout_at(until):
                await self._apply(facts, lock_s)
        except Exception as fault:  # noqa: BLE001 - whatever it is, the facts stay
            if refused(fault) and len(facts) > 1:
                return await self._one_by_one(facts)
            if refused(fault):
                return self._set_aside(facts[0], fault)
            await self._to_spool(facts, fault)

    async def _one_by_one(self, facts: Sequence[Fact]) -> None:
        """One fact that the database refuses takes no other with it."""
        for fact in facts:
            await self._write_or_spool([fact], asyncio.get_running_loop().time() + FACT_BOUND_S)

    async def _to_spool(self, facts: Sequence[Fact], fault: BaseException | None = None) -> None:
        if fault:
            log.warning("call %s: a fact goes to the spool: %s", facts[0]["call_id"], type(fault).__name__)
        try:
            await self._spool.keep(*facts)
        except OSError as full:
            for fact in facts:
                _lost(fact, full)

    def _set_aside(self, fact: Fact, fault: BaseException) -> None:
        log.error("call %s: the database refuses a fact: %s", fact["call_id"], type(fault).__name__)
        try:
            self._spool.set_aside(fact)
        except OSError as full:
            _lost(fact, full)

    async def _apply_late(self, facts: Sequence[Fact]) -> None:
        """Facts from the spool: those of calls in one transaction unless one is refused, then the sounds."""
        calls = [fact for fact in facts if fact["kind"] not in SOUNDS]
        try:
            async with asyncio.timeout(SOUND_BOUND_S):
                await self._apply(calls, SOUND_BOUND_S * 0.8)
        except Exception as fault:
            if not refused(fault):
                raise
            for fact in calls:
                await self._apply_alone(fact)
        for fact in facts:
            if fact["kind"] in SOUNDS:
                await self._apply_alone(fact)

    async def _apply_alone(self, fact: Fact) -> None:
        """Writes one fact; a second time changes nothing."""
        try:
            async with asyncio.timeout(SOUND_BOUND_S):
                if fact["kind"] in SOUNDS:
                    await self._apply_sound(fact)
                else:
                    await self._apply([fact], SOUND_BOUND_S * 0.8)
        except Exception as fault:
            if not refused(fault):
                raise
            self._set_aside(fact, fault)

    async def _apply(self, facts: Sequence[Fact], lock_s: float) -> None:
        rows: dict[str, dict[str, Any]] = {}
        for fact in facts:
            rows.setdefault(fact["call_id"], {}).update(fact["columns"])
        # In one order everywhere: two controllers that write the same rows must not wait for each other.
        given = [_parameters(call_id, rows[call_id]) for call_id in sorted(rows)]
        if not given:
            return
        async with self._store.writing(lock_s) as session:
            await (await session.connection()).execute(self._statement, given)
            await _heard_from(session, [one for fact in facts for one in fact.get("caller", ())])
            if forgotten := [fact["call_id"] for fact in facts if fact["kind"] == "forget"]:
                await session.exec(update(Call).where(col(Call.id).in_(forgotten)).values(NOBODY))

    async def _apply_sound(self, fact: Fact) -> None:
        kind, recording, tip = _rows_of(fact)
        async with self._store.writing(SOUND_BOUND_S * 0.8) as session:
            await session.exec(self._store.insert_new(_table(Recording)).values(**recording))
            if kind != "talk":
                kept = await session.exec(self._store.insert_new(_table(Tip)).values(**tip))
                if kept.rowcount:
                    await tell_of_tip(session, tip["id"], tip["action_id"])


def _rows_of(fact: Fact) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """What kind of sound it is, its recording, and the tip that lists it. The ids tell a second time from a first."""
    what = fact.get("what", "tip")
    kind = what.rstrip("0123456789")
    which = fact["call_id"] if kind == "tip" else f"{what}:{fact['call_id']}"
    ids = [uuid.uuid5(uuid.NAMESPACE_URL, f"{part}:{which}").hex for part in ("recording", "tip")]
    received_at = datetime.fromisoformat(fact["received_at"])
    recording = {
        "id": ids[0],
        "call_id": fact["call_id"],
        "kind": kind,
        "sealed": base64.b64decode(fact["sealed"]),
        "key_version": fact["key_version"],
        "seconds": fact["seconds"],
        "created_at": received_at,
    }
    tip = {
        "id": ids[1],
        "action_id": fact["action_id"],
        "room_id": fact["room_id"],
        "call_id": fact["call_id"],
        "recording_id": ids[0],
        "source": "call" if kind == "tip" else "note",
        "operator_id": fact.get("operator_id"),
        "received_at": received_at,
    }
    return kind, recording, tip


# Put into words once: it is asked for every caller, and hardly ever finds anybody.
DOUBTED = (
    select(ContactPoint.id)
    .where(spoken_against())
    .where(col(ContactPoint.digest).in_(bindparam("known", expanding=True)))
)


async def _heard_from(session: AsyncSession, digests: Sequence[str]) -> None:
    """Numbers that called in are in use, whatever providers said of them."""
    if not digests:
        return
    known = [base64.b64decode(digest) for digest in digests]
    if doubted := list(await session.exec(DOUBTED, params={"known": known})):
        await believe_again(session, col(ContactPoint.id).in_(doubted), CALLED_IN)


# What a row needs that begins with another fact than the arrival.
NEW_CALL: Mapping[str, Any] = {
    name: "" if field.is_required() else field.get_default(call_default_factory=True)
    for name, field in Call.model_fields.items()
    if name not in ("id", "arrived_at")
}


def _newest_wins(store: Store) -> SqliteInsert | PostgresInsert:
    """One statement for all facts: makes the row or changes it; a parameter that is None changes nothing."""
    table = _table(Call)
    given = {column.name: _given(column) for column in table.c}
    new = {
        name: _or(given[name], literal(default, table.c[name].type))
        for name, default in NEW_CALL.items()
        if default is not None
    }
    new["arrived_at"] = _or(given["arrived_at"], bindparam("the_moment", type_=table.c.arrived_at.type))
    changed = {name: _or(given[name], table.c[name]) for name in given if name != "id"}
    insert = store.insert(table).values({**given, **new})
    return insert.on_conflict_do_update(index_elements=[table.c.id], set_=changed)


def _given(column: Column[Any]) -> Any:
    # A JSON null is a value; here None has to mean: as it was.
    kind = JSON(none_as_null=True) if isinstance(column.type, JSON) else column.type
    return bindparam(f"the_{column.name}", type_=kind)


def _or(given: Any, otherwise: Any) -> Any:
    return func.coalesce(given, otherwise)


def _parameters(call_id: str, columns: Mapping[str, Any]) -> dict[str, Any]:
    given = dict.fromkeys((f"the_{name}" for name in Call.model_fields), None)
    values = {f"the_{name}": _value(name, value) for name, value in columns.items()}
    return {**given, **values, "the_id": call_id, "the_moment": now()}


def _value(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name.endswith("_at"):
        return datetime.fromisoformat(value)
    return base64.b64decode(value) if name in ("sealed", "digest") else value


def _lost(fact: Fact, fault: OSError) -> None:
    log.error("call %s: a fact is lost, the spool does not take it either: %s", fact["call_id"], fault.strerror)


def _table(model: Any) -> Any:
    return model.__table__
