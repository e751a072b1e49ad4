"""What the product wrote of the calls of a bench: one row each, the expected room, both sides hung up."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import asyncpg

from actions.call_book import CALLER
from actions.vault import Vault, read_keys
from bench.ground import PROMPT_S, Ground
from bench.results import Figure, Goal
from bench.sipp import Load
from telephony.calls import OPENS_S


async def figures(bench: str, on: Ground) -> list[Figure]:
    """Over all calls of the run that ended in a talk, or should have."""
    connection = await _connected(on)
    try:
        rows = await connection.fetch("SELECT digest, action_id, room_id, operator_id, ended_how FROM police.call")
    finally:
        await connection.close()
    rooms, expected = {action.id: action.room_id for action in on.country.actions}, _rooms_of_digests(on)
    wrong = [row for row in rows if row["operator_id"] and not _right(row, rooms, expected)]
    unended = [row for row in rows if not row["ended_how"]]
    return [
        Figure(bench, "calls in the book", len(rows), "rows"),
        Figure(bench, "calls in the wrong room", len(wrong), "calls", goal=Goal(at_most=0)),
        Figure(bench, "rows of calls without an end", len(unended), "rows", goal=Goal(at_most=0)),
    ]


async def rows(on: Ground) -> int:
    connection = await _connected(on)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM police.call WHERE ended_how IS NOT NULL"))
    finally:
        await connection.close()


async def ring_delays_ms(on: Ground, load: Load, rings: Sequence[tuple[float, str]]) -> list[float]:
    """From the caller's INVITE to the operator's, of callers known by number; less the one prompt in between and the
    pause before it, in which the way of the sound opens."""
    vault = Vault(read_keys(on.settings.police_keys.get_secret_value()))
    invited = {vault.digest(number, CALLER): at for number, at in load.invited.items() if on.country.room_of(number)}
    connection = await _connected(on)
    try:
        connected = await connection.fetch(
            "SELECT digest, operator_id, connected_at FROM police.call "
            "WHERE connected_at IS NOT NULL AND digest IS NOT NULL"
        )
    finally:
        await connection.close()
    rang: dict[str, list[float]] = defaultdict(list)
    for at, account in rings:
        rang[account].append(at)
    found = [
        _ring_before(rang[row["operator_id"]], row["connected_at"]) - invited[row["digest"]] - OPENS_S - PROMPT_S
        for row in connected
        if row["digest"] in invited and row["connected_at"].timestamp() > invited[row["digest"]]
    ]
    return [delay * 1000 for delay in found]


def _ring_before(rings: Sequence[float], connected_at: datetime) -> float:
    """The ring that led to this talk. nan when SIPp did not log it."""
    place = bisect_right(rings, connected_at.timestamp())
    return rings[place - 1] if place else float("nan")


def _rooms_of_digests(on: Ground) -> dict[bytes, str]:
    vault = Vault(read_keys(on.settings.police_keys.get_secret_value()))
    numbers = on.country.known_numbers()
    return {vault.digest(number, CALLER): room for number in numbers if (room := on.country.room_of(number))}


def _right(row: asyncpg.Record, rooms: dict[int, str], expected: dict[bytes, str]) -> bool:
    room = rooms.get(row["action_id"])
    by_number = expected.get(row["digest"], room)
    return bool(row["room_id"] == room == by_number and row["operator_id"].startswith(f"{room}-"))


async def _connected(on: Ground) -> asyncpg.Connection:
    return await asyncpg.connect(on.settings.database_url.replace("+asyncpg", ""))
