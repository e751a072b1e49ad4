"""The areas of searches grow while their actions are open: those newly covered are alerted, nobody else twice."""

from __future__ import annotations

import logging

from redis.asyncio import Redis

from actions.growing import due, grow
from actions.live import wake
from actions.models import now
from actions.store import Store
from alerting.bell import DELIVERIES

log = logging.getLogger(__name__)


async def widen(store: Store, redis: Redis) -> bool:
    """Lets each area grow that is due; False: the next look is at the bell or the poll. Raises what the database
    raises; a second time, or in two processes at once, changes nothing more."""
    for action_id in await due(store, now()):
        if await grow(store, action_id, now()):
            log.info("action %d: the area of its search has grown", action_id)
            await wake(redis, DELIVERIES)
    return False
