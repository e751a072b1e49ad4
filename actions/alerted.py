"""In which actions a caller was alerted: looked up for many callers at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.desk import as_open, told
from actions.matching import Alerted, OpenAction
from actions.models import Action, ContactPoint, Delivery, DeliveryState, Message, Status, now
from actions.register import PURPOSE
from actions.store import Store
from actions.vault import Vault

NEVER_BEGUN = (DeliveryState.PENDING, DeliveryState.CANCELLED)


async def alerted_in_each(
    store: Store, register: Vault, callers: Sequence[tuple[str, timedelta]]
) -> Sequence[list[Alerted]]:
    """For each caller (number, grace): the actions, open or ended less than the grace ago, for which an attempt to
    reach the number began. Raises what the database raises."""
    digests = [register.digests(e164, PURPOSE) for e164, _ in callers]
    longest = max(grace for _, grace in callers)
    async with store.reading() as session:
        metres = await _metres(session, [digest for of_one in digests for digest in of_one], longest)
        ids = {action_id for found in metres.values() for action_id in found}
        found = await told(session, col(Action.id).in_(ids)) if ids else []
    actions = [(as_open(action, texts), action.ended_at) for action, texts in found]
    return [
        _within(grace, actions, [metres[digest] for digest in of_one if digest in metres])
        for of_one, (_, grace) in zip(digests, callers, strict=True)
    ]


async def _metres(
    session: AsyncSession, digests: Sequence[bytes], grace: timedelta
) -> Mapping[bytes, Mapping[int, int]]:
    """Digest -> action -> metres to the nearest address that was told of it."""
    begun = (
        select(ContactPoint.digest, Message.action_id, Delivery.distance)
        .join(Delivery, col(Delivery.contact_point_id) == ContactPoint.id)
        .join(Message, col(Message.id) == Delivery.message_id)
        .join(Action, col(Action.id) == Message.action_id)
        .where((col(Action.status) == Status.OPEN) | (col(Action.ended_at) > now() - grace))
        .where(col(ContactPoint.digest).in_(digests))
        .where(col(Delivery.state).not_in(NEVER_BEGUN))
    )
    nearest: dict[bytes, dict[int, int]] = defaultdict(dict)
    for digest, action_id, metres in await session.exec(begun):
        nearest[digest][action_id] = min(metres, nearest[digest].get(action_id, metres))
    return nearest


def _within(
    grace: timedelta, actions: Sequence[tuple[OpenAction, datetime | None]], of_one: Sequence[Mapping[int, int]]
) -> list[Alerted]:
    """Of all actions those of one caller, newest first. In mid-rotation one number may have two digests."""
    ended_after = now() - grace
    return [
        Alerted(action, min(metres), over=ended_at is not None)
        for action, ended_at in actions
        if (metres := [found[action.id] for found in of_one if action.id in found])
        and (ended_at is None or ended_at > ended_after)
    ]
