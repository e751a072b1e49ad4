"""The story of the demonstration, step by step. Each step checks what really happened and raises when it did not."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Self

from sqlmodel import col, func, select

from actions.desk import NewAction
from actions.geography import Area, to_rd
from actions.matching import OpenAction
from actions.models import ContactPoint, Delivery
from actions.numbers import CallerKind
from actions.participant_file import BATCH, made_up
from actions.register import Entry
from burgernet.demo.stage import DIRECTOR, Stage
from burgernet.demo.steps import must, until
from telephony.handset import Handset

ROTTERDAM, AMSTERDAM, GRONINGEN = (51.9225, 4.4792), (52.3731, 4.8926), (53.2194, 6.5665)
PEOPLE = 2000
RADIUS_M = 2000
# Whose phone -> its public number.
LINES = {
    "participant": "+31612340001",
    "traveller": "+31612340002",
    "withheld": "+31612340003",
    "outsider": "+31612340004",
}
# Region -> where its action looks, the title and the text.
LOOKED_FOR = {
    "rotterdam": (ROTTERDAM, "de blauwe Golf", "Blauwe Volkswagen Golf, laatst gezien op de Coolsingel."),
    "amsterdam": (AMSTERDAM, "de rode fiets", "Jongen van 12 op een rode fiets, laatst gezien op de Dam."),
}
TONES = {"rotterdam": 440, "amsterdam": 620}


@dataclass
class Cast:
    """Everybody in the story. `entries`: all participants; `a`, `b`: the actions in Rotterdam and Amsterdam."""

    stage: Stage
    operators: dict[str, Handset]
    callers: dict[str, Handset]
    entries: list[Entry] = field(default_factory=list)
    actions: dict[str, OpenAction] = field(default_factory=dict)
    areas: dict[str, Area] = field(default_factory=dict)

    @classmethod
    async def gather(cls, stage: Stage) -> Self:
        operators = {room: await stage.operator(f"{room}-1", tone) for room, tone in TONES.items()}
        callers = {
            name: await stage.subscriber(name, number, 800 + 90 * place)
            for place, (name, number) in enumerate(LINES.items())
        }
        return cls(stage, operators, callers)


async def two_rooms_sign_on(cast: Cast) -> None:
    """The operators of two control rooms sign on from their phones with *11"""
    for phone in cast.operators.values():
        await phone.dials("*11")
        await phone.hears(await cast.stage.sound("signed-on"))
        await phone.is_hung_up()
    on_duty = {duty.operator_id for duty in await cast.stage.base.desk.operators() if duty.since}
    must(on_duty == {phone.name for phone in cast.operators.values()}, f"on duty: {sorted(on_duty)}")


async def people_take_part(cast: Cast) -> str:
    """2,000 participants are in the register, their numbers sealed"""
    centres = [to_rd(*ROTTERDAM), to_rd(*AMSTERDAM)]
    cast.entries = [
        _entry("participant", ROTTERDAM),
        _entry("traveller", ROTTERDAM),
        _entry("traveller", AMSTERDAM),
        _entry("outsider", GRONINGEN),
        *made_up(PEOPLE - 4, 1, centres),
    ]
    for start in range(0, len(cast.entries), BATCH):
        await cast.stage.base.register.add(cast.entries[start : start + BATCH], DIRECTOR)
    async with cast.stage.base.store.reading() as session:
        known = (await session.exec(select(func.count()).select_from(ContactPoint))).one()
    must(known == len({entry.e164 for entry in cast.entries}), f"{known} telephones in the register")
    return f"{known} telephones"


async def two_actions_start(cast: Cast) -> str:
    """Two actions start, in two regions"""
    for region, (centre, title, text) in LOOKED_FOR.items():
        area = {"type": "circle", "lat": centre[0], "lon": centre[1], "radius": RADIUS_M}
        new = NewAction("look_out", region, area, {"nl": (title, text)}, started_by=f"{region}-1")
        cast.areas[region] = Area.parse(area)
        cast.actions[region] = await cast.stage.base.desk.start_action(new, DIRECTOR)
        await cast.stage.wake_all()
    return ", ".join(f"{region}: code {action.code}" for region, action in cast.actions.items())


async def texts_reach_who_is_near(cast: Cast) -> str:
    """A text of each action reaches exactly the participants in its area; an outsider has no row"""
    counts = []
    for region, action in cast.actions.items():
        near = [entry for entry in cast.entries if cast.areas[region].holds(entry.x, entry.y)]
        wanted = {entry.e164 for entry in near if entry.e164}
        await _texted(cast, action.titles["nl"], wanted)
        counts.append(f"{region}: {len(wanted)}")
    must(await _deliveries_to(cast, LINES["outsider"]) == 0, "the outsider has a delivery")
    return ", ".join(counts)


async def participant_reaches_own_room(cast: Cast) -> str:
    """A participant calls 0800-0011, hears the welcome and is bridged with Rotterdam; each hears the other's tone,
    Amsterdam stays silent"""
    caller = cast.callers["participant"]
    began = time.monotonic()
    await caller.dials("08000011")
    await caller.is_answered()
    await caller.hears(await cast.stage.sound("welcome"))
    await _talks(cast, caller, "rotterdam")
    return f"in conversation after {time.monotonic() - began:.1f} s"


async def withheld_caller_keys_code(cast: Cast) -> None:
    """A caller with a withheld number keys the code of the action in Amsterdam and reaches Amsterdam"""
    caller = cast.callers["withheld"]
    await caller.dials("*31*08000011")
    await caller.hears(await cast.stage.sound("ask-code"), bound_s=20)
    await caller.presses(cast.actions["amsterdam"].code)
    await _talks(cast, caller, "amsterdam")


async def caller_of_both_chooses(cast: Cast) -> None:
    """A caller whom both actions alerted gets the menu and chooses Amsterdam"""
    caller = cast.callers["traveller"]
    alerted = await cast.stage.base.book.alerted_in(LINES["traveller"])
    newest = sorted(alerted, key=lambda known: (known.distance // 500, -known.action.started_at.timestamp()))
    key = [known.action.code for known in newest].index(cast.actions["amsterdam"].code) + 1
    await caller.dials("08000011")
    await caller.hears(await cast.stage.sound("choose-action"), bound_s=20)
    await caller.presses(str(key))
    await _talks(cast, caller, "amsterdam")


async def results_reach_everybody(cast: Cast) -> str:
    """Both actions end; everybody who was alerted gets the result by text"""
    told = 0
    for region, outcome in (("rotterdam", "direct"), ("amsterdam", "indirect")):
        action = cast.actions[region]
        alerted = _texted_with(cast, action.titles["nl"])
        words = {"nl": (action.titles["nl"], "Gevonden, dank u wel.")}
        await cast.stage.base.desk.end_action(action.code, outcome, words, DIRECTOR)
        await cast.stage.wake_all()
        await _texted(cast, f"actie {action.code} is voorbij", alerted)
        told += len(alerted)
    return f"{told} results"


async def caller_without_action_hears_so(cast: Cast) -> None:
    """Somebody calls when nothing is open, and hears so"""
    caller = cast.callers["outsider"]
    await caller.dials("08000011")
    await caller.hears(await cast.stage.sound("nothing-open"), bound_s=20)
    await caller.is_hung_up(bound_s=30)


async def nothing_is_left(cast: Cast) -> None:
    """After the calls Asterisk holds no channel and no bridge"""

    async def empty() -> bool:
        channels = await cast.stage.console("core show channels count")
        bridges = (await cast.stage.console("bridge show all")).splitlines()[1:]
        return channels.startswith("0 active channels") and not bridges

    await until(empty, 10, "a channel or bridge is left")


STORY = (
    two_rooms_sign_on,
    people_take_part,
    two_actions_start,
    texts_reach_who_is_near,
    participant_reaches_own_room,
    withheld_caller_keys_code,
    caller_of_both_chooses,
    results_reach_everybody,
    caller_without_action_hears_so,
)


def _texted_with(cast: Cast, words: str) -> set[str]:
    """Who got a text with these words."""
    return {message["to"] for message in cast.stage.twilio.messages if words in message["body"]}


async def _texted(cast: Cast, words: str, wanted: set[str]) -> None:
    """A text with these words reaches everybody in `wanted`, and nobody else."""

    async def complete() -> bool:
        return _texted_with(cast, words) >= wanted

    await until(complete, 60, f"texts with {words!r} are missing")
    must(_texted_with(cast, words) == wanted, f"too many texts with {words!r}")


async def _talks(cast: Cast, caller: Handset, room: str) -> None:
    """The room's operator answers; both hear each other; the other room's phone never rang; the caller hangs up."""
    operator = cast.operators[room]
    others = [phone for place, phone in cast.operators.items() if place != room]
    await operator.answers(bound_s=30)
    await operator.hears_tone(caller.tone, bound_s=15)
    await caller.hears_tone(operator.tone, bound_s=15)
    must(not any(phone.rang for phone in others), "the other room's phone rang")
    await caller.hangs_up()
    await operator.is_hung_up()


async def _deliveries_to(cast: Cast, e164: str) -> int:
    digests = cast.stage.base.register.digests(e164)
    query = (
        select(func.count())
        .select_from(Delivery)
        .join(ContactPoint, col(ContactPoint.id) == Delivery.contact_point_id)
        .where(col(ContactPoint.digest).in_(digests))
    )
    async with cast.stage.base.store.reading() as session:
        return (await session.exec(query)).one()


def _entry(account: str, place: tuple[float, float]) -> Entry:
    x, y = to_rd(*place)
    return Entry("nl", "1000", x, y, LINES[account], CallerKind.MOBILE, frozenset({"sms"}))
