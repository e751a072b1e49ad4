"""Who takes calls now: on duty by the books, and with a phone that answers as far as Asterisk's observer knows.

Of several Asterisk nodes each knows the phones registered with it: `burgernet:phone` (account -> node) tells which
node that is, and only a controller of that node takes an operator out of the line because of the phone, as long as
there is one. A phone that is registered with several belongs to where it registered last."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from redis.asyncio import Redis
from redis.exceptions import RedisError

from actions import live
from actions.desk import Desk
from actions.duty import Duty, Room
from actions.store import Away
from actions.together import Together
from asterisk_conf.render import exchange_trunk
from burgernet.node import exchange_of
from telephony.contacts import Contacts
from telephony.line_redis import asked
from telephony.nodes import Nodes
from telephony.place import Post, Roll, endpoint_at
from telephony.waiting_line import LineAway, WaitingLine

log = logging.getLogger(__name__)

CHANNEL = live.DUTY
PHONES = "burgernet:phone"
LOOK_AGAIN_S = 10.0
LOOKS_APART_S, MOST_PHONES = 0.1, 2_000
ANSWER_S = 5.0


class Roster:
    """Feeds the waiting line with operators and seats. `contacts` and `line` are set once both exist. `rooms` and
    `languages` (of operators) are as last read, and stay these very objects."""

    def __init__(self, desk: Desk, redis: Redis, nodes: Nodes) -> None:
        self._desk, self._redis, self._nodes, self._node = desk, redis, nodes, nodes.own
        self._looks = Together(self._look_at_each, MOST_PHONES, LOOKS_APART_S)
        self._contacts: Contacts | None = None
        self._line: WaitingLine | None = None
        self._duties: list[Duty] = []
        self._moved_in: set[str] = set()  # accounts that registered here since the last look
        self.elsewhere: Mapping[str, str] = {}  # accounts of phones on another node -> its name, as last known
        self.rooms: dict[str, Room] = {}
        self.languages: dict[str, str] = {}

    def watch(self, contacts: Contacts, line: WaitingLine) -> None:
        self._contacts, self._line = contacts, line

    @property
    def by_the_books(self) -> Mapping[str, str]:
        """Operator, or trunk to a room's own exchange -> room, of everybody on duty, as last known."""
        trunks = {exchange_trunk(room.id): room.id for room in self.rooms.values() if _has_seats(room)}
        return {duty.operator_id: duty.serves for duty in self._duties if _serving(duty)} | trunks

    async def on_duty(self) -> Roll:
        """Those who can be rung; with the database away, as it was last known. Raises LineAway."""
        await self.read_books()
        posts = posts_of(self._duties, self.rooms)
        owners = await asked(self._redis.hgetall(PHONES))
        lives = await self._nodes.living(owners.values())
        here = await self._here(owners, lives)
        self.elsewhere = {account: node for account, node in owners.items() if node in lives and account not in here}
        return Roll(
            {
                operator: self._rung_here(operator, post)
                for operator, post in posts.items()
                if _account(operator) in here
            },
            frozenset(operator for operator in posts if _account(operator) in self.elsewhere),
        )

    def endpoint(self, operator: str) -> str:
        """What our Asterisk rings to reach this operator's phone, as last known."""
        node = self.elsewhere.get(operator)
        return endpoint_at(operator, node) if node else f"PJSIP/{operator}"

    def _rung_here(self, operator: str, post: Post) -> Post:
        """With several nodes the post tells through which of them its phone is rung."""
        if post.endpoint or not self._nodes.others:
            return post
        return replace(post, endpoint=endpoint_at(operator, self._node))

    async def look_at(self, operator: str) -> None:
        """Something changed for this operator: comes into the line, or leaves it. Raises LineAway."""
        await self._place(operator, await self.on_duty())

    async def _place(self, operator: str, roll: Roll) -> None:
        assert self._line is not None
        if post := roll.posts.get(operator):
            await self._line.offer(operator, post)
        elif operator not in roll.elsewhere:
            await self._line.away(operator)

    async def phone_changed(self, account: str, reachable: bool) -> None:
        """A phone came or went: its operator comes back into the line, or leaves it, and stays on duty by the books.
        The trunk to a room's own exchange brings or takes all its seats."""
        seats = [seat for room in self.rooms.values() if exchange_trunk(room.id) == account for seat in seats_of(room)]
        log.debug("phone of %s there: %s", account, reachable)
        (self._moved_in.add if reachable else self._moved_in.discard)(account)
        for operator in seats or [account]:
            self._looks.hand_in(operator)

    async def _look_at_each(self, operators: Sequence[str]) -> Sequence[None]:
        """A thousand phones that come back at once are one look into the books, not a thousand."""
        try:
            roll = await self.on_duty()
            for operator in dict.fromkeys(operators):
                await self._place(operator, roll)
        except LineAway as fault:
            log.warning("phones that came or went: %s; the next look repairs it", fault)
        return [None] * len(operators)

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

    async def read_books(self) -> None:
        """Rooms and operators as they are now; kept when the database does not answer."""
        try:
            async with asyncio.timeout(ANSWER_S):
                rooms, self._duties = await self._desk.rooms(), await self._desk.operators()
        except Away as fault:
            log.warning("the roster is as it was last known: %s", type(fault).__name__)
            return
        self.rooms |= rooms
        self.languages |= {duty.operator_id: duty.language for duty in self._duties}

    async def _here(self, owners: Mapping[str, str], lives: Collection[str]) -> frozenset[str]:
        """The accounts that are rung through this node."""
        accounts = frozenset(duty.operator_id for duty in self._duties) | {exchange_trunk(room) for room in self.rooms}
        if self._nodes.others and not self._nodes.answers:
            return frozenset()  # the other nodes take our operators for away: so do we
        if self._contacts is not None and self._contacts.booted.is_set():
            return await self._claim(accounts & self._contacts.reachable, owners, lives)
        if self._nodes.others:
            return frozenset(account for account in accounts if owners.get(account) == self._node)
        return accounts  # nothing is known of phones

    async def _claim(self, there: frozenset[str], owners: Mapping[str, str], lives: Collection[str]) -> frozenset[str]:
        """Writes down which phones are ours: those that registered here last, or that no living node has."""
        moved, self._moved_in = self._moved_in, set()
        ours = frozenset(account for account in there if account in moved or owners.get(account) not in lives)
        if new := [account for account in ours if owners.get(account) != self._node]:
            await asked(self._redis.hset(PHONES, mapping=dict.fromkeys(new, self._node)))
        if gone := [account for account, node in owners.items() if node == self._node and account not in ours]:
            await asked(self._redis.hdel(PHONES, *gone))
        return ours


def posts_of(duties: list[Duty], rooms: Mapping[str, Room]) -> dict[str, Post]:
    """Where everybody on duty serves, operators and the seats of rooms with an exchange of their own; none in a closed
    room."""
    posts = {
        duty.operator_id: Post(duty.serves, duty.languages, duty.skills, wrap_up_s=rooms[duty.serves].wrap_up_s)
        for duty in duties
        if _serving(duty) and duty.serves in rooms
    }
    for room in rooms.values():
        posts |= {seat: Post(room.id, endpoint=endpoint_of(room), wrap_up_s=0) for seat in seats_of(room)}
    return {operator: post for operator, post in posts.items() if rooms[post.room].closed_at is None}


def seats_of(room: Room) -> list[str]:
    """The names under which the seats of a room with an exchange of its own stand in the line."""
    return [f"{room.id}-seat-{number}" for number in range(1, room.seats + 1)] if room.switchboard else []


def endpoint_of(room: Room) -> str:
    """What Asterisk rings to reach a seat: the number in the room's SIP address, through the room's trunk."""
    exchange = exchange_of(room)
    return f"PJSIP/{exchange.number}@{exchange.trunk}"


def _account(operator: str) -> str:
    """The account whose contact tells whether this operator or seat can be rung."""
    room, seat, number = operator.rpartition("-seat-")
    return exchange_trunk(room) if seat and number.isdigit() else operator


def _serving(duty: Duty) -> bool:
    return duty.since is not None and not duty.paused


def _has_seats(room: Room) -> bool:
    return bool(room.switchboard and room.seats)
