"""A country at its busiest: 2 million participants, 30 open actions that alerted 2,000 of them each, rooms full of
operators. Written by plain SQL, kept from run to run."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import asyncpg

from actions.books import Actor
from actions.desk import Desk, NewAction
from actions.matching import OpenAction
from actions.register import PURPOSE
from actions.seed import NATIONAL_ROOM, seed
from actions.store import Store, upgrade
from actions.vault import Vault
from bench.sipp import Caller

PARTICIPANTS, ACTIONS, ALERTED = 2_000_000, 30, 2_000
OPERATORS_A_ROOM = 120
ME = Actor("bench", "bench", "to measure")
ROTTERDAM = {"type": "circle", "lat": 51.92, "lon": 4.48, "radius": 2000}


@dataclass(frozen=True)
class Country:
    """`actions` in the order in which they alerted their 2,000 participants each."""

    actions: Sequence[OpenAction]

    def callers(self, count: int, first: int = 0) -> list[Caller]:
        """Of ten callers seven are known by number, two key the code from an unknown number, one is withheld and keys
        the code. From `first` on, so that two lists hold other people."""
        return [self._caller(place) for place in range(first, first + count)]

    def room_of(self, number: str) -> str | None:
        """The room that a participant's call must reach; None for a number that was not alerted."""
        place = int(number) - int(number_of(0))
        return self.actions[place // ALERTED].room_id if 0 <= place < ACTIONS * ALERTED else None

    @staticmethod
    def known_numbers() -> Iterator[str]:
        """The numbers of everybody alerted."""
        return (number_of(participant) for participant in range(ACTIONS * ALERTED))

    def _caller(self, place: int) -> Caller:
        action = place % ACTIONS
        match place % 10:
            case 0 | 1:
                return Caller(f"+3162{place:07d}", keys=self.actions[action].code)
            case 2:
                return Caller(f"+3163{place:07d}", withheld=True, keys=self.actions[action].code)
            case _:
                return Caller(number_of(action * ALERTED + place // ACTIONS % ALERTED))


def number_of(participant: int) -> str:
    return f"+3161{participant:07d}"


async def write(url: str, register: Vault) -> Country:
    """Brings the database up to date and into the state of the start. `url`: of a PostgreSQL kept for benches."""
    await asyncio.to_thread(upgrade, url)
    store = Store.open(url)
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        await seed(store, ME, OPERATORS_A_ROOM)
        await _participants(connection, register)
        await connection.execute("TRUNCATE police.call, desk.attempt, desk.delivery, desk.outbox")
        await connection.execute("UPDATE desk.action SET status = 'ended', ended_at = now() WHERE status = 'open'")
        await connection.execute("UPDATE desk.operator SET signed_on_at = now() WHERE room_id <> $1", NATIONAL_ROOM)
        # Nobody here has a breath between two callers; a room's operators are the fewer for it.
        await connection.execute("UPDATE desk.control_room SET wrap_up_s = 0")
        actions = await _actions(Desk(store))
        await _deliveries(connection, actions)
        for table in ("register.contact_point", "desk.delivery", "desk.action", "desk.message"):
            await connection.execute(f"VACUUM ANALYZE {table}")
    finally:
        await connection.close()
        await store.close()
    return Country(actions)


async def _participants(connection: asyncpg.Connection, register: Vault) -> None:
    if await connection.fetchval("SELECT count(*) FROM register.participant") >= PARTICIPANTS:
        return
    print(f"writing {PARTICIPANTS:,} participants (once; about two minutes)", flush=True)
    await connection.execute(
        "INSERT INTO register.participant (language, consent_at, created_at) "
        f"SELECT 'nl', now(), now() FROM generate_series(1, {PARTICIPANTS})"
    )
    await connection.execute(
        "INSERT INTO register.address (participant_id, postcode, x, y, cell) "
        "SELECT id, '3011', 92000 + id % 9000, 437000 + id % 7000, id % 4000 FROM register.participant"
    )
    await connection.copy_records_to_table(
        "contact_point",
        schema_name="register",
        columns=["kind", "sealed", "digest", "key_version"],
        records=_contact_points(register),
    )


def _contact_points(register: Vault) -> Iterator[tuple[str, bytes, bytes, int]]:
    sealed = register.seal(number_of(0).encode(), PURPOSE)
    for participant in range(PARTICIPANTS):
        yield "mobile", sealed.blob, register.digest(number_of(participant), PURPOSE), sealed.version


async def _actions(desk: Desk) -> list[OpenAction]:
    regions = await desk.regions()
    actions = []
    for number, region in zip(range(ACTIONS), itertools.cycle(sorted(regions)), strict=False):
        texts = {"nl": (f"actie {number}", "Kijk uit naar een blauwe auto.")}
        actions.append(await desk.start_action(NewAction("look_out", region, ROTTERDAM, texts), ME))
    return actions


async def _deliveries(connection: asyncpg.Connection, actions: Sequence[OpenAction]) -> None:
    first = await connection.fetchval("SELECT min(id) FROM register.contact_point")
    for place, action in enumerate(actions):
        await connection.execute(
            "INSERT INTO desk.delivery (message_id, contact_point_id, channel, language, distance, state, due_at, "
            "created_at, changed_at) SELECT m.id, c, 'sms', 'nl', 0, 'delivered', now(), now(), now() "
            "FROM desk.message m, generate_series($2::bigint, $3::bigint) c WHERE m.action_id = $1",
            action.id,
            first + place * ALERTED,
            first + (place + 1) * ALERTED - 1,
        )
        await connection.execute("UPDATE desk.message SET audience_written_at = now() WHERE action_id = $1", action.id)
