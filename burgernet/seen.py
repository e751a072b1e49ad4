"""What a process sees of itself and of what it works with, as facts for the alarms."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from functools import cache, partial
from pathlib import Path

from actions.endings import Endings
from actions.models import now
from actions.store import Away
from alerting.purse import day_of, spent_on
from burgernet import node
from burgernet.asterisk import NoAsterisk
from burgernet.base import Base
from burgernet.roster import Roster
from telephony.ari import Ari, AriAway, AriError
from telephony.contacts import Contacts
from watch.rules import Facts
from watch.watchman import Look
from web.health import Health

PARTS = {"database": "the database", "redis": "Redis"}
MOST_SOURCES = 5
# Fewer reports say nothing about the network.
FEWEST_REPORTS = 20


def by_every_process(base: Base, process: str) -> Look:
    health = Health(base.store, base.redis)

    async def look() -> Facts:
        away = await health.away()
        return {
            **{("answers", words): float(part not in away) for part, words in PARTS.items()},
            ("loop_lag_s", process): base.metrics.worst_lag(),
            ("exercise_strays", ""): float(base.strays.lately()),
            **await _disk("what is kept while the database is away", base.settings.spool_file.parent),
        }

    return look


def by_alerting(base: Base) -> Look:
    endings = Endings(base.store)

    async def look() -> Facts:
        try:
            found = await endings.long_open(base.settings.reminders)
        except Away:
            return {}  # another alarm tells that
        return {("open_long", room): float(count) for room, count in Counter(one.room_id for one in found).items()}

    return look


def by_telephony(base: Base, ari: Ari, contacts: Contacts, roster: Roster) -> Look:
    recordings = cache(partial(_recordings, base))

    async def look() -> Facts:
        return {
            ("answers", f"Asterisk ({base.settings.app})"): float(ari.connected.is_set()),
            ("observes", f"Asterisk's manager port ({base.settings.app})"): float(contacts.listed.is_set()),
            **(_phones(roster, contacts) if contacts.listed.is_set() else {}),
            **(await _trunk(base, ari, contacts) if contacts.listed.is_set() else {}),
            **{("refused_a_minute", source): n for source, n in base.refusals.by_source(MOST_SOURCES).items()},
            ("often_a_minute", ""): float(base.often.a_minute()),
            **_quality(base),
            **await _disk("recordings", await asyncio.to_thread(recordings)),
        }

    return look


def by_spending(base: Base) -> Look:
    """Of each budget how much of it is spent today."""
    tariffs = base.settings.tariffs
    bounded = any(bounds.budget for bounds in tariffs.values())

    async def look() -> Facts:
        lines = await spent_on(base.store, day_of(now()), tariffs) if bounded else []
        return {("budget_used", line.name): line.share for line in lines if line.share is not None}

    return look


def _phones(roster: Roster, contacts: Contacts) -> Facts:
    """Of each room with somebody on duty; a phone on another node answers there."""
    rooms, there = roster.by_the_books, contacts.reachable | roster.elsewhere.keys()
    return {
        ("room_phones", room): float(sum(home == room and account in there for account, home in rooms.items()))
        for room in set(rooms.values())
    }


async def _trunk(base: Base, ari: Ari, contacts: Contacts) -> Facts:
    settings = base.settings
    ways = node.ways_out(settings)
    if not ways:
        return {}  # it only calls us: nobody asks whether it is there
    there = sum(way in contacts.reachable for way in ways)
    facts = {("trunk_reachable", node.CARRIER): there / len(ways)}
    if settings.trunk_channels:
        try:
            used = sum([len((await ari.endpoint(f"PJSIP/{way}"))["channel_ids"]) for way in ways])
        except (AriAway, AriError):
            return facts
        facts["trunk_used", node.CARRIER] = used / settings.trunk_channels
    return facts


def _quality(base: Base) -> Facts:
    reports, bad = base.quality.lately()
    return {("badly_heard", ""): bad / reports} if reports >= FEWEST_REPORTS else {}


def _recordings(base: Base) -> Path | None:
    """Of the Asterisk on this machine; another one's disk is not seen from here."""
    try:
        return node.instance(base.settings).folder / "spool/recording"
    except NoAsterisk:
        return None


async def _disk(subject: str, folder: Path | None) -> Facts:
    if folder is None:
        return {}
    try:
        usage = await asyncio.to_thread(shutil.disk_usage, folder)
    except OSError:
        return {}  # not there yet, or not here
    return {("disk_free", subject): usage.free / usage.total}
