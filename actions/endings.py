"""The end of an action's time: its room is reminded before, it may be extended, and else it ends by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlmodel import col, select, update

from actions.books import Actor, record, tell
from actions.desk import OutOfStep, Refused, close_action, faults_in_time, held, told
from actions.models import Action, Kind, Outcome, Status, now
from actions.store import Store
from actions.texts import Texts

USUAL_SHARE = 0.5
ITSELF = Actor("burgernet", "alerting role", "its time was over and nobody ended it")
NO_END = Actor("burgernet", "alerting role", "an earlier version started it without an end")
# What people hear of an action that nobody ended.
NO_LONGER = {
    "nl": "Deze oproep is gesloten, zonder resultaat. U hoeft niet meer uit te kijken.",
    "en": "This call is closed, without a result. You need not look out any longer.",
}
NO_MORE_NEEDED = {
    "nl": "Dit bericht geldt niet meer. U hoeft niets meer te doen.",
    "en": "This message no longer holds. You need not do anything more.",
}
CLOSED = {Kind.INFORMATION: NO_MORE_NEEDED, Kind.INVESTIGATION: NO_MORE_NEEDED}


@dataclass(frozen=True)
class Reminders:
    """`share`: after which part of its time, by kind, a room is reminded of an open action; then every `again`."""

    share: Mapping[Kind, float] = field(default_factory=dict)
    again: timedelta = timedelta(minutes=30)

    def begin(self, kind: str, started_at: datetime, ends_at: datetime) -> datetime:
        """From when on an action is open for long."""
        return started_at + (ends_at - started_at) * self.share.get(Kind(kind), USUAL_SHARE)

    def due(self, kind: str, started_at: datetime, ends_at: datetime, last: datetime | None, moment: datetime) -> bool:
        """Whether its room is to be reminded now; `last`: when it was before."""
        return self.begin(kind, started_at, ends_at) <= moment and (last is None or last + self.again <= moment)


@dataclass(frozen=True)
class LongOpen:
    """An action that is open for long."""

    id: int
    code: str
    kind: str
    room_id: str
    started_at: datetime
    ends_at: datetime
    reminded_at: datetime | None
    exercise: bool


class Endings:
    """The transactions on the time of actions."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def extend(self, which: str | int, open_for: timedelta, actor: Actor) -> datetime:
        """The action (its spoken code, or its id) stays open for so long from now; until when. Raises Refused."""
        if faults := faults_in_time(open_for):
            raise Refused(faults)
        async with self._store.writing() as session:
            action = await held(session, which)
            if action.status != Status.OPEN:
                raise OutOfStep([f"the action is {action.status}: only an open action can be extended"])
            ends_at = now() + open_for
            if action.ends_at is not None and ends_at < action.ends_at:
                raise Refused(
                    [f"it stays open until {action.ends_at:%Y-%m-%d %H:%M} UTC already; `action end` ends it sooner"]
                )
            action.ends_at, action.reminded_at = ends_at, None
            record(session, actor, "extend", "action", action.id)
            tell(session, "action.extended", action.id, ends_at=ends_at.isoformat(), exercise=action.exercise)
        return ends_at

    async def give_ends(self, open_for: Mapping[Kind, timedelta]) -> bool:
        """Gives open actions that have no end one, counted from now: an earlier version started them. Leaves none."""
        endless = select(Action).where(Action.status == Status.OPEN, col(Action.ends_at).is_(None))
        async with self._store.writing() as session:
            for action in await session.exec(endless.with_for_update()):
                until = action.ends_at = now() + open_for[Kind(action.kind)]
                record(session, NO_END, "extend", "action", action.id)
                tell(session, "action.extended", action.id, ends_at=until.isoformat(), exercise=action.exercise)
        return False

    async def overdue(self, most: int) -> Sequence[int]:
        """Open actions whose time is over, the longest first."""
        query = (
            select(Action.id)
            .where(Action.status == Status.OPEN, col(Action.ends_at) <= now())
            .order_by(col(Action.ends_at))
            .limit(most)
        )
        async with self._store.reading() as session:
            return [found for found in await session.exec(query) if found is not None]

    async def end_itself(self, action_id: int) -> bool:
        """Ends an action whose time is over, without result; False when somebody ended or extended it meanwhile."""
        async with self._store.writing() as session:
            action = await held(session, action_id)
            if action.status != Status.OPEN or action.ends_at is None or action.ends_at > now():
                return False
            ((_, texts),) = await told(session, col(Action.id) == action_id)
            await close_action(session, action, Outcome.NONE, without_result(action.kind, texts), ITSELF)
        return True

    async def long_open(self, reminders: Reminders) -> Sequence[LongOpen]:
        """The actions that are open for long, by those reminders."""
        columns = (
            Action.id,
            Action.code,
            Action.kind,
            Action.room_id,
            Action.started_at,
            Action.ends_at,
            Action.reminded_at,
            Action.exercise,
        )
        query = select(*columns).where(Action.status == Status.OPEN, col(Action.ends_at).is_not(None))  # type: ignore[call-overload]
        async with self._store.reading() as session:
            found = [LongOpen(*row) for row in await session.exec(query.order_by(col(Action.id)))]
        moment = now()
        return [one for one in found if reminders.begin(one.kind, one.started_at, one.ends_at) <= moment]

    async def remind(self, reminders: Reminders) -> Sequence[LongOpen]:
        """Reminds the rooms of actions that are open for long; which. Of several who do so at once one does."""
        reminded = []
        for one in await self.long_open(reminders):
            moment = now()
            if not reminders.due(one.kind, one.started_at, one.ends_at, one.reminded_at, moment):
                continue
            # As it was read: another who reminds at the same moment finds it changed.
            same = (
                col(Action.reminded_at).is_(None)
                if one.reminded_at is None
                else col(Action.reminded_at) == one.reminded_at
            )
            this = (col(Action.id) == one.id, col(Action.status) == Status.OPEN, same)
            async with self._store.writing() as session:
                done = await session.exec(update(Action).where(*this).values(reminded_at=moment))
                if not done.rowcount:
                    continue
                tell(session, "action.reminded", one.id, ends_at=one.ends_at.isoformat(), exercise=one.exercise)
            reminded.append(one)
        return reminded


def without_result(kind: str, texts: Texts) -> Texts:
    """The result of an action that ended by itself, in the languages of its alert."""
    closing = CLOSED.get(Kind(kind), NO_LONGER)
    return {language: (title, closing[language]) for language, (title, _) in texts.items()}
