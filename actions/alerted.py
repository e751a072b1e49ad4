"""In which actions a caller was alerted: looked up for many callers at once."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from actions.desk import as_open, told
from actions.matching import Alerted, OpenAction
from actions.models import Action, ContactPoint, Delivery, DeliveryState, Message, Status, now
from actions.register import PURPOSE
from actions.store import Store
from actions.vault import Vault

# As old as the open actions in memory may be (live.REFRESH_S).
FRESH_S = 2.0
NEVER_BEGUN = (DeliveryState.PENDING, DeliveryState.CANCELLED)


@dataclass(frozen=True)
class Found:
    """`metres`: digest -> action -> metres to the nearest address that was told of it. `ended_at`: of each action."""

    metres: Mapping[bytes, Mapping[int, int]]
    ended_at: Mapping[int, datetime | None]


class Lookup:
    """`register`: the vault of the participants' numbers. What an action is about is read again after FRESH_S; whether
    it is over is asked every time."""

    def __init__(self, store: Store, register: Vault) -> None:
        self._store, self._register = store, register
        self._read: dict[int, tuple[OpenAction, float]] = {}

    async def alerted_in_each(self, callers: Sequence[tuple[str, timedelta]]) -> Sequence[list[Alerted]]:
        """For each caller (number, grace): the actions, open or ended less than the grace ago, for which an attempt to
        reach the number began, newest first. Raises what the database raises."""
        digests = [self._register.digests(e164, PURPOSE) for e164, _ in callers]
        longest = max(grace for _, grace in callers)
        async with self._store.reading() as session:
            found = await _found(session, [digest for of_one in digests for digest in of_one], longest)
            actions = await self._known(session, found.ended_at)
        return [
            _within(grace, actions, found, [found.metres[digest] for digest in of_one if digest in found.metres])
            for of_one, (_, grace) in zip(digests, callers, strict=True)
        ]

    async def _known(self, session: AsyncSession, ids: Collection[int]) -> list[OpenAction]:
        clock = time.monotonic()
        self._read = {key: known for key, known in self._read.items() if known[1] > clock - FRESH_S}
        if unknown := [action_id for action_id in ids if action_id not in self._read]:
            for action, texts in await told(session, col(Action.id).in_(unknown)):
                known = as_open(action, texts)
                self._read[known.id] = known, clock
        found = [self._read[action_id][0] for action_id in ids if action_id in self._read]
        return sorted(found, key=lambda action: (action.started_at, action.id), reverse=True)


# Put into words once: it is asked for every caller.
BEGUN = (
    select(ContactPoint.digest, Action.id, Action.ended_at, Delivery.distance)
    .join(Delivery, col(Delivery.contact_point_id) == ContactPoint.id)
    .join(Message, col(Message.id) == Delivery.message_id)
    .join(Action, col(Action.id) == Message.action_id)
    .where((col(Action.status) == Status.OPEN) | (col(Action.ended_at) > bindparam("ended_after")))
    .where(col(ContactPoint.digest).in_(bindparam("digests", expanding=True)))
    .where(col(Delivery.state).not_in(NEVER_BEGUN))
)


async def _found(session: AsyncSession, digests: Sequence[bytes], grace: timedelta) -> Found:
    begun = await session.exec(BEGUN, params={"digests": digests, "ended_after": now() - grace})
    nearest: dict[bytes, dict[int, int]] = defaultdict(dict)
    ended_at: dict[int, datetime | None] = {}
    for digest, action_id, ended, metres in begun:
        assert action_id is not None
        ended_at[action_id] = ended
        nearest[digest][action_id] = min(metres, nearest[digest].get(action_id, metres))
    return Found(nearest, ended_at)


def _within(
    grace: timedelta, actions: Sequence[OpenAction], found: Found, of_one: Sequence[Mapping[int, int]]
) -> list[Alerted]:
    """Of all actions those of one caller. In mid-rotation one number may have two digests."""
    ended_after = now() - grace
    return [
        Alerted(action, min(metres), over=ended_at is not None)
        for action in actions
        if (metres := [told_of[action.id] for told_of in of_one if action.id in told_of])
        and ((ended_at := found.ended_at[action.id]) is None or ended_at > ended_after)
    ]
