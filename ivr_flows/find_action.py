"""Finding out which action a caller is calling about: by number, code, place, or by asking. Never a silent guess."""

import asyncio
import logging
from collections.abc import Sequence

from actions.matching import (
    Alerted,
    AskCode,
    Choose,
    Finding,
    Match,
    NothingOpen,
    OpenAction,
    Over,
    Sure,
    by_code,
    find,
    in_regions,
    in_sight,
    what_to_ask,
)
from actions.numbers import Number
from actions.store import Away
from ivr_flows.anonymous import number_of
from ivr_flows.asking import TRIES, ask
from ivr_flows.catalogue import said_in
from ivr_flows.spoken import spoken
from ivr_flows.switchboard import Switchboard
from telephony.calls import Call
from telephony.controller import EXERCISE
from telephony.speech import Prompt

log = logging.getLogger(__name__)

CODE_DIGITS = 3
POSTCODE_DIGITS = 4
# As many actions are offered without asking where it was.
FEW = 3
OPTIONS = 8
NONE_OF_THESE = "9"
TAKES_PART = "1"


async def alerted_in(call: Call, board: Switchboard) -> Sequence[Alerted]:
    """The actions this caller's number was alerted in. Has no bound of its own; raises what the database raises."""
    number = number_of(call).e164
    return await board.book.alerted_in(number, board.grace) if number else ()


async def find_action(
    call: Call, board: Switchboard, number: Number, looked_up: asyncio.Future[Sequence[Alerted]]
) -> Match | None:
    """The action this call is about, or None after the caller has heard that there is none. `looked_up`: `alerted_in`
    of this call, begun while the caller heard something else."""
    alerted = await _in_time(call, board, looked_up) if number.e164 else ()
    regions = board.regions_of(number.area_code)
    finding: Finding = find(number, alerted, offered_to(call, board), regions)
    if isinstance(finding, Sure):
        return finding.match
    await call.note("finding")
    if isinstance(finding, Over):
        if found := await _all_the_same(call, board, finding.action):
            return found
        finding = what_to_ask(offered_to(call, board), regions)
    return await _asked(call, board, finding)


async def _asked(call: Call, board: Switchboard, finding: Choose | AskCode | NothingOpen) -> Match | None:
    match finding:
        case Choose(options, why):
            found = await _choose(call, board, options, "choose-action" if why == "alerted" else "confirm-area")
            found = found or await _by_asking(call, board, _others(call, board, options))
        case AskCode(options):
            found = await _by_asking(call, board, options)
        case NothingOpen():
            await call.play("nothing-open")
            return None
    if found is None:
        await call.play("no-action")
    return found


async def _all_the_same(call: Call, board: Switchboard, action: OpenAction) -> Match | None:
    """The action that alerted this caller is over: does the caller want its room all the same?"""
    asked = await ask(
        call, board, lambda language: [_over(action, language), "over-or-room"], silence=board.patience.key
    )
    if asked != "1":
        return None
    return Match(action, "number", 0.9, ("this number was alerted in an action that ended a short while ago",))


async def _by_asking(call: Call, board: Switchboard, options: Sequence[OpenAction]) -> Match | None:
    """The code; else of many actions those where the caller says that it was; else all that are left."""
    if (found := await _ask_code(call, board)) or not options:
        return found
    if len(options) <= FEW:
        return await _choose(call, board, options, "choose-action")
    postcode = await _ask_postcode(call, board)
    nearby = in_regions(options, board.regions_of_postcode(postcode))
    if postcode and not nearby:
        await call.play("not-there")
    found = await _choose(call, board, nearby, "confirm-area") if nearby else None
    left = [action for action in options if action not in nearby]
    return found or (await _choose(call, board, left, "choose-action") if left else None)


def practises(call: Call) -> bool:
    """Whether the call came in by the trunk of exercises."""
    return call.caller.origin == EXERCISE


def offered_to(call: Call, board: Switchboard) -> Sequence[OpenAction]:
    """The open actions that this caller may be asked about: exercises only by their own trunk, and there nothing
    else."""
    return in_sight(board.actions.now(), practising=practises(call))


async def match_by_code(call: Call, board: Switchboard, keyed: str, how_known: str) -> Match | None:
    """The open action with this code; None after the caller heard that there is none, or that it is an exercise and
    did not want that."""
    action = by_code(keyed, offered_to(call, board) if practises(call) else board.actions.now())
    if action is None:
        await call.play("code-unknown")
        return None
    if action.exercise and not practises(call) and await _takes_part(call, board) != TAKES_PART:
        return None
    return Match(action, "code", 1.0, (how_known,))


async def _takes_part(call: Call, board: Switchboard) -> str:
    return await ask(call, board, lambda language: ["exercise-code"])


def _others(call: Call, board: Switchboard, options: Sequence[OpenAction]) -> Sequence[OpenAction]:
    return [action for action in offered_to(call, board) if action not in options]


async def _in_time(call: Call, board: Switchboard, looked_up: asyncio.Future[Sequence[Alerted]]) -> Sequence[Alerted]:
    """What was looked up; nothing when the database does not answer in time: then we ask."""
    try:
        async with asyncio.timeout(board.patience.match):
            alerted = await asyncio.shield(looked_up)
            return [known for known in alerted if known.action.exercise or not practises(call)]
    except Away as fault:
        log.warning("call %s: matching by number was not possible (%s); asking instead", call.id, type(fault).__name__)
        return ()


async def _ask_code(call: Call, board: Switchboard) -> Match | None:
    """Asks for the code, twice at most. A hash key or silence means: I do not know it."""
    for _ in range(TRIES):
        keyed = await ask(call, board, lambda language: ["ask-code"], digits=CODE_DIGITS)
        if not keyed:
            return None
        if found := await match_by_code(call, board, keyed, "the caller keyed the code"):
            return found
    return None


async def _ask_postcode(call: Call, board: Switchboard) -> str:
    """The four digits keyed; "" for a hash, silence or too few."""
    keyed = await ask(
        call, board, lambda language: ["ask-postcode"], digits=POSTCODE_DIGITS, silence=board.patience.key
    )
    return keyed if len(keyed) == POSTCODE_DIGITS else ""


async def _choose(call: Call, board: Switchboard, options: Sequence[OpenAction], intro: str) -> Match | None:
    """Lets the caller choose between actions, nearest and newest first; None when it is none of these."""
    offered = options[:OPTIONS]
    for _ in range(TRIES):
        key = await ask(
            call,
            board,
            lambda language: [intro, *_menu(offered, language), "none-of-these"],
        )
        if key == NONE_OF_THESE:
            return None
        if key.isdigit() and 1 <= int(key) <= len(offered):
            return Match(offered[int(key) - 1], "menu", 0.9, ("the caller chose it from the menu",))
        if key:
            await call.play("wrong-key")
    return None


def _menu(options: Sequence[OpenAction], language: str) -> list[Prompt]:
    return [
        said_in(
            language,
            "option-exercise" if action.exercise else "option",
            title=spoken(title_in(action, language), language),
            key=key,
        )
        for key, action in enumerate(options, start=1)
    ]


def _over(action: OpenAction, language: str) -> Prompt:
    return said_in(language, "over", title=spoken(title_in(action, language), language))


def title_in(action: OpenAction, language: str) -> str:
    """The action's title in this language, else in Dutch, else in any."""
    return action.titles.get(language) or action.titles.get("nl") or next(iter(action.titles.values()))
