"""Finding out which action a caller is calling about: by number, by code, or by asking. Never a silent guess."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from actions.matching import Alerted, AskCode, Choose, Match, NothingOpen, OpenAction, Sure, by_code, find
from actions.numbers import Number
from actions.store import Away
from ivr_flows.catalogue import LANGUAGES, other_language
from ivr_flows.spoken import spoken
from ivr_flows.switchboard import Switchboard
from telephony.calls import Call
from telephony.speech import Prompt, Spoken

log = logging.getLogger(__name__)

CODE_DIGITS = 3
TRIES = 2
OPTIONS = 8
NONE_OF_THESE = "9"
SWITCH_LANGUAGE = "*"


async def find_action(call: Call, board: Switchboard, number: Number) -> Match | None:
    """The action this call is about, or None after the caller has heard that there is none."""
    alerted = await _alerted_in(call, board, number)
    match find(number, alerted, board.actions.now(), board.regions_of(number.area_code)):
        case Sure(match):
            return match
        case NothingOpen():
            await call.play("nothing-open")
            return None
        case Choose(options, why):
            found = await _choose(call, board, options, "choose-action" if why == "alerted" else "confirm-area")
            found = found or await _ask_code(call, board)
        case AskCode(options):
            found = await _ask_code(call, board) or await _choose(call, board, options, "choose-action")
    if found is None:
        await call.play("no-action")
    return found


async def _alerted_in(call: Call, board: Switchboard, number: Number) -> Sequence[Alerted]:
    """The open actions this number was alerted in; none when the database does not answer in time: then we ask."""
    if number.e164 is None:
        return ()
    try:
        async with asyncio.timeout(board.patience.match):
            return await board.book.alerted_in(number.e164)
    except Away as fault:
        log.warning("call %s: matching by number was not possible (%s); asking instead", call.id, type(fault).__name__)
        return ()


async def _ask_code(call: Call, board: Switchboard) -> Match | None:
    """Asks for the code, twice at most. A hash key or silence means: I do not know it."""
    for _ in range(TRIES):
        keyed = await ask(call, lambda language: ["ask-code"], digits=CODE_DIGITS, silence=board.patience.key)
        if not keyed:
            return None
        if action := by_code(keyed, board.actions.now()):
            return Match(action, "code", 1.0, ("the caller keyed the code",))
        await call.play("code-unknown")
    return None


async def _choose(call: Call, board: Switchboard, options: Sequence[OpenAction], intro: str) -> Match | None:
    """Lets the caller choose between actions, nearest and newest first; None when it is none of these."""
    offered = options[:OPTIONS]
    for _ in range(TRIES):
        key = await ask(
            call,
            lambda language: [intro, *_menu(offered, language), "none-of-these"],
            silence=board.patience.key,
        )
        if key == NONE_OF_THESE:
            return None
        if key.isdigit() and 1 <= int(key) <= len(offered):
            return Match(offered[int(key) - 1], "menu", 0.9, ("the caller chose it from the menu",))
        if key:
            await call.play("wrong-key")
    return None


def _menu(options: Sequence[OpenAction], language: str) -> list[Prompt]:
    return [Spoken(_option(action, key, language)) for key, action in enumerate(options, start=1)]


def _option(action: OpenAction, key: int, language: str) -> str:
    title = spoken(title_in(action, language), language)
    return f"Voor {title}: toets {key}." if language == "nl" else f"For {title}: press {key}."


def title_in(action: OpenAction, language: str) -> str:
    """The action's title in this language, else in Dutch, else in any."""
    return action.titles.get(language) or action.titles.get("nl") or next(iter(action.titles.values()))


async def ask(call: Call, wording: Callable[[str], Sequence[Prompt]], *, silence: float, digits: int = 1) -> str:
    """Asks for keys with the prompts of the caller's language; star changes the language and asks again."""
    for _ in range(TRIES * len(LANGUAGES)):
        keyed = await call.ask(*wording(call.language), digits=digits, silence=silence)
        if SWITCH_LANGUAGE not in keyed:
            return keyed
        call.language = other_language(call.language)
    return ""
