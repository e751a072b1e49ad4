"""What every change leaves behind: an audit row (who, what, when, where from, why) and an outbox row for live pages."""

from dataclasses import dataclass
from typing import Any

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.models import Action, Audit, Outbox


@dataclass(frozen=True)
class Actor:
    """Who acts: an operator, a role or a command; from where; and why."""

    who: str
    origin: str
    why: str


def record(session: AsyncSession, actor: Actor, verb: str, object_kind: str, object_id: object) -> None:
    """Adds an audit row to the transaction of the change itself."""
    session.add(
        Audit(
            actor=actor.who[:80],
            origin=actor.origin[:80],
            verb=verb,
            object_kind=object_kind,
            object_id=str(object_id)[:80],
            reason=actor.why[:200],
        )
    )


def tell(session: AsyncSession, kind: str, subject: object, **data: Any) -> None:
    """Adds an outbox row to the transaction; `data` without personal data."""
    session.add(Outbox(kind=kind, subject=str(subject), data=data))


async def tell_of_tip(session: AsyncSession, tip_id: str, action_id: int | None) -> None:
    """The news of a tip, about an action or about none yet; whether that is an exercise stands in it."""
    exercise = (await session.exec(select(Action.exercise).where(Action.id == action_id))).first()
    tell(session, "tip.received", action_id or "none", tip=tip_id, exercise=bool(exercise))
