"""What becomes due by the clock alone: actions end by themselves, and rooms are reminded of those still open."""

from __future__ import annotations

import logging

from redis.asyncio import Redis

from actions.endings import Endings, Reminders
from alerting.bell import action_changed

log = logging.getLogger(__name__)

MOST = 100


async def end_overdue(endings: Endings, redis: Redis) -> bool:
    """Ends actions whose time is over; whether there may be more. Any number of processes may do so at once. Raises
    what the database raises."""
    found = await endings.overdue(MOST)
    for action_id in found:
        if await endings.end_itself(action_id):
            log.warning("action %d ended by itself, without result: nobody had ended it in its time", action_id)
            await action_changed(redis)
    return len(found) == MOST


async def remind(endings: Endings, reminders: Reminders) -> bool:
    """Reminds rooms of actions that are open for long. Raises what the database raises."""
    for one in await endings.remind(reminders):
        log.warning(
            "action %s of room %s is open since %s UTC and ends by itself at %s UTC: end it, or extend it",
            one.code,
            one.room_id,
            f"{one.started_at:%H:%M}",
            f"{one.ends_at:%H:%M}",
        )
    return False
