"""Who takes calls now: on duty by the books, and with a phone that answers as far as Asterisk's observer knows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from redis.asyncio import Redis
from redis.exceptions import RedisError

from actions.desk import Desk
from actions.store import Away
from telephony.contacts import Contacts
from telephony.place import Post
from telephony.waiting_line import LineAway, WaitingLine

log = logging.getLogger(__name__)

CHANNEL = "burgernet:duty"
LOOK_AGAIN_S = 10.0
ANSWER_S = 5.0


class Roster:
    """Feeds the waiting line with operators. `contacts` and `line` are set once both exist."""

    def __init__(self, desk: Desk, redis: Redis) -> None:
        self._desk, self._redis = desk, redis
        self._contacts: Contacts | None = None
        self._line: WaitingLine | None = None
        self._last: Mapping[str, Post] = {}

    def watch(self, contacts: Contacts, line: WaitingLine) -> None:
        self._contacts, self._line = contacts, line

    @property
    def by_the_books(self) -> Mapping[str, str]:
        """Operator -> room, of everybody on duty, as last known."""
        return {operator: post.room for operator, post in self._last.items()}

    async def on_duty(self) -> Mapping[str, Post]:
        """Operator -> post, of those who can be rung; with the database away, as it was last known."""
        try:
            async with asyncio.timeout(ANSWER_S):
                self._last = {
                    duty.operator_id: Post(duty.room_id) for duty in await self._desk.operators() if duty.since
                }
        except Away as fault:
            log.warning("the roster is as it was last known: %s", type(fault).__name__)
        if self._contacts is None or not self._contacts.booted.is_set():
            return self._last
        return {operator: post for operator, post in self._last.items() if operator in self._contacts.reachable}

    async def phone_changed(self, operator: str, reachable: bool) -> None:
        """A phone came or went: its operator comes back into the line, or leaves it, and stays on duty by the books."""
        assert self._line is not None
        try:
            post = (await self.on_duty()).get(operator)
            if reachable and post:
                await self._line.offer(operator, post)
            elif not reachable:
                await self._line.away(operator)
        except LineAway as fault:
            log.warning("phone of %s: %s; the next look repairs it", operator, fault)

    async def run(self) -> None:
        """Looks again whenever somebody signed on or off elsewhere, and every 10 s, until cancelled."""
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as news:
                    async with asyncio.timeout(ANSWER_S):  # wait_for can lose a cancellation
                        await news.subscribe(CHANNEL)
                    while True:
                        await news.get_message(timeout=LOOK_AGAIN_S)
                        await self._look_again()
            except (RedisError, OSError, TimeoutError, LineAway) as fault:
                log.info("roster: Redis does not answer (%s)", type(fault).__name__)
                await asyncio.sleep(LOOK_AGAIN_S / 2)

    async def _look_again(self) -> None:
        assert self._line is not None
        await self._line.restore()
