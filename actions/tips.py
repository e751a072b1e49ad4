"""Tips: what citizens and operators report about an action, sealed; and who read them, when and why (Wpg, 32a)."""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.books import Actor, record, tell_of_tip
from actions.call_book import SOUND
from actions.desk import Refused
from actions.models import Action, Call, Operator, Photo, Recording, Tip, now
from actions.store import Store
from actions.texts import TURNS, UNSENDABLE
from actions.vault import NoSuchKey, NotOurs, Sealed, Vault

WORDS = "tip.words"
PICTURE = "tip.picture"
SENDER = "inbound_text.sender"
LONGEST = 5000


@dataclass(frozen=True)
class Told:
    """A tip, opened. `said`: its words, or what stands for them; `how` and `confidence` (0 to 1): how its sender was
    matched with the action."""

    id: str
    source: str
    received_at: datetime
    room_id: str | None
    how: str | None
    confidence: float | None
    operator_id: str | None
    said: str
    has_sound: bool
    exercise: bool = False  # about one
    photos: tuple[str, ...] = ()  # their ids


class Tips:
    """Keeping and consulting tips. `vault` is the police data's."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store, self._vault = store, vault

    async def note(self, code: str, words: str, actor: Actor, operator_id: str | None = None) -> str:
        """Keeps an operator's note on an action; returns its id. Raises Refused."""
        said = _checked(words)
        async with self._store.writing() as session:
            action = await _action(session, code)
            return await self._keep_note(session, said, actor, operator_id, action.id, action.room_id, None)

    async def note_on_call(self, call_id: str, words: str, actor: Actor, operator_id: str | None = None) -> str:
        """Keeps an operator's note on a call, and so on the action the call is about. Raises Refused."""
        said = _checked(words)
        async with self._store.writing() as session:
            call = await session.get(Call, call_id)
            if call is None:
                raise Refused([f"call {call_id!r} is not known"])
            return await self._keep_note(session, said, actor, operator_id, call.action_id, call.room_id, call_id)

    async def pressed(self, call_id: str, action_id: int, room_id: str) -> None:
        """Keeps that somebody pressed the key for "seen it earlier" in the alert. Twice the same call keeps one."""
        tip = {
            "id": uuid.uuid5(uuid.NAMESPACE_URL, f"key:{call_id}").hex,
            "action_id": action_id,
            "room_id": room_id,
            "call_id": call_id,
            "source": "key",
            "confidence": 1.0,
            "match_how": "alert",
        }
        table: Any = Tip.__table__  # type: ignore[attr-defined]
        async with self._store.writing() as session:
            done = await session.exec(self._store.insert_new(table).values(**tip, received_at=now()))
            if done.rowcount:
                await tell_of_tip(session, str(tip["id"]), action_id)

    async def of_action(self, which: str | int, actor: Actor) -> list[Told]:
        """The tips of an action (its spoken code, or its id), newest first; that they were read is written down with
        it. Raises Refused."""
        async with self._store.writing() as session:
            action = await _action(session, which)
            record(session, actor, "consult", "tips of action", action.id)
            return await self._opened(session, col(Tip.action_id) == action.id)

    async def of_no_action(self, actor: Actor) -> list[Told]:
        """The tips of which nobody knows yet which action they are about, newest first; written down too."""
        async with self._store.writing() as session:
            record(session, actor, "consult", "tips of action", "none")
            return await self._opened(session, col(Tip.action_id).is_(None))

    async def sound(self, tip_id: str, actor: Actor) -> bytes:
        """The recording of a tip (WAV); that it was heard is written down too. Raises Refused, NoSuchKey."""
        query = select(Recording).join(Tip, col(Tip.recording_id) == Recording.id).where(Tip.id == tip_id)
        async with self._store.writing() as session:
            recording = (await session.exec(query)).first()
            if recording is None:
                raise Refused([f"no tip {tip_id!r} has a recording; `burgernet action tips CODE` shows them"])
            record(session, actor, "consult", "tip", tip_id)
            try:
                return self._vault.open(Sealed(recording.sealed, recording.key_version), SOUND)
            except NotOurs as fault:
                raise Refused([f"the recording of tip {tip_id}: {fault}"]) from None

    async def photo(self, photo_id: str, actor: Actor, room_id: str | None = None) -> bytes:
        """A photo of a tip (JPEG), only of this room if one is given; that it was looked at is written down too. Raises
        Refused, NoSuchKey."""
        query = select(Photo, Tip.room_id).join(Tip, col(Tip.id) == Photo.tip_id).where(Photo.id == photo_id)
        async with self._store.writing() as session:
            found = (await session.exec(query)).first()
            if found is None or (room_id and found[1] != room_id):
                raise Refused([f"there is no photo {photo_id!r}; `burgernet action tips CODE` shows them"])
            photo = found[0]
            record(session, actor, "consult", "photo", photo_id)
            try:
                return self._vault.open(Sealed(photo.sealed, photo.key_version), PICTURE)
            except NotOurs as fault:
                raise Refused([f"photo {photo_id}: {fault}"]) from None

    async def _keep_note(
        self,
        session: AsyncSession,
        said: str,
        actor: Actor,
        operator_id: str | None,
        action_id: int | None,
        room_id: str | None,
        call_id: str | None,
    ) -> str:
        if operator_id and await session.get(Operator, operator_id) is None:
            raise Refused([f"operator {operator_id!r} is not known"])
        note = Tip(action_id=action_id, room_id=room_id, call_id=call_id, source="note", operator_id=operator_id)
        await keep_words(session, self._vault, note, said, actor)
        return note.id

    async def _opened(self, session: AsyncSession, which: Any) -> list[Told]:
        query = (
            select(Tip, Recording.seconds, Call, Action.exercise)
            .outerjoin(Recording, col(Recording.id) == Tip.recording_id)
            .outerjoin(Call, col(Call.id) == Tip.call_id)
            .outerjoin(Action, col(Action.id) == Tip.action_id)
            .where(which)
            .order_by(col(Tip.received_at).desc(), col(Tip.id))
        )
        rows = list(await session.exec(query))
        photos: dict[str, tuple[str, ...]] = {}
        ids = [tip.id for tip, _, _, _ in rows]
        for photo_id, tip_id in await session.exec(select(Photo.id, Photo.tip_id).where(col(Photo.tip_id).in_(ids))):
            photos[tip_id] = (*photos.get(tip_id, ()), photo_id)
        return [
            replace(self._told(tip, seconds, call), exercise=bool(exercise), photos=photos.get(tip.id, ()))
            for tip, seconds, call, exercise in rows
        ]

    def _told(self, tip: Tip, seconds: float | None, call: Call | None) -> Told:
        sure = call.match_confidence if call else None
        return Told(
            id=tip.id,
            source=tip.source,
            received_at=tip.received_at,
            room_id=tip.room_id,
            how=tip.match_how or (call.match_how if call else None),
            confidence=sure if tip.confidence is None else tip.confidence,
            operator_id=tip.operator_id,
            said=self._said(tip, seconds),
            has_sound=seconds is not None,
        )

    def _said(self, tip: Tip, seconds: float | None) -> str:
        if tip.sealed is not None and tip.key_version is not None:
            try:
                return self._vault.open(Sealed(tip.sealed, tip.key_version), WORDS).decode()
            except (NoSuchKey, NotOurs) as fault:
                # One that does not open hides none of the others.
                return f"({fault})"
        if tip.source == "photo":
            return "a photo"
        return "seen it earlier" if seconds is None else f"recording of {seconds:.0f} s"


async def keep_words(session: AsyncSession, vault: Vault, tip: Tip, said: str, actor: Actor) -> None:
    """Adds a tip of words to the transaction, sealed, with its audit row and the news of it."""
    sealed = vault.seal(readable(said).encode(), WORDS)
    tip.sealed, tip.key_version = sealed.blob, sealed.version
    session.add(tip)
    record(session, actor, "collect", "tip", tip.id)
    await tell_of_tip(session, tip.id, tip.action_id)


def text_tip_id(text_id: str) -> str:
    """The id of the tip that a text became: who has the one finds the other."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"text:{text_id}").hex


def readable(said: str) -> str:
    """The words without what cannot be shown or turns the reading direction, at most 5,000 characters."""
    kept = (
        sign for sign in said if sign == "\n" or (unicodedata.category(sign) not in UNSENDABLE and sign not in TURNS)
    )
    return "".join(kept).strip()[:LONGEST]


def _checked(words: str) -> str:
    faults: Sequence[str] = ()
    if not any(unicodedata.category(sign)[0] in "LNPS" for sign in words):
        faults = ["the note is empty: say what was seen"]
    elif len(words) > LONGEST:
        faults = [f"the note has {len(words)} characters; at most {LONGEST} fit"]
    if faults:
        raise Refused(faults)
    return words


async def _action(session: AsyncSession, which: str | int) -> Action:
    """The action with this id; or the open one with this code, else the newest that had it. Raises Refused."""
    this = col(Action.id) == which if isinstance(which, int) else (col(Action.code) == which) & (col(Action.code) != "")
    query = select(Action).where(this)
    action = (await session.exec(query.order_by(col(Action.status).desc(), col(Action.created_at).desc()))).first()
    if action is None:
        raise Refused([f"no action has code {which!r}; `burgernet action list` shows them"])
    return action
