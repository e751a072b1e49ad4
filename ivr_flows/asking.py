"""Asking a caller for keys, in the caller's language. Star changes the language, 0 makes the call anonymous."""

from collections.abc import Callable, Sequence

from ivr_flows.anonymous import ANONYMOUS, become_anonymous
from ivr_flows.catalogue import LANGUAGES, other_language
from ivr_flows.switchboard import Switchboard
from telephony.calls import Call
from telephony.speech import Prompt

TRIES = 2
SWITCH_LANGUAGE = "*"


async def ask(
    call: Call,
    board: Switchboard,
    wording: Callable[[str], Sequence[Prompt]],
    *,
    silence: float | None = None,
    digits: int = 1,
) -> str:
    """The keys pressed, as `Call.ask` has them; the question is put again after star and 0. `silence`: seconds without
    any key, else the switchboard's patience."""
    silence = board.patience.key if silence is None else silence
    for _ in range(TRIES * len(LANGUAGES) + 1):
        keyed = await call.ask(*wording(call.language), digits=digits, silence=silence, alone=ANONYMOUS)
        if keyed == ANONYMOUS:
            await become_anonymous(call, board)
            await call.play("anonymous")
        elif SWITCH_LANGUAGE in keyed:
            call.language = other_language(call.language)
        else:
            return keyed
    return ""
