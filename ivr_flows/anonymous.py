"""Calling without a trace of who calls: no number is kept and nothing is recorded, and the caller hears so."""

from actions.numbers import CallerKind, Number, read_number
from ivr_flows.switchboard import Switchboard
from telephony.calls import Call

ANONYMOUS = "0"


def is_anonymous(call: Call) -> bool:
    return "anonymous" in call.facts


def number_of(call: Call) -> Number:
    """The number to match by: none for an anonymous caller, whatever the caller ID holds."""
    return Number(CallerKind.ANONYMOUS) if is_anonymous(call) else read_number(call.caller.number)


async def become_anonymous(call: Call, board: Switchboard) -> None:
    """From now on; what was kept of the number is erased. A takeover knows it too."""
    await call.note(call.facts.get("stage", "finding"), anonymous="yes")
    await board.book.forget_caller(call.id)


async def may_be_recorded(call: Call, board: Switchboard) -> bool:
    """Whether this caller may be recorded; an anonymous one is asked, and is not anonymous any more after a yes. The
    number stays erased."""
    if not is_anonymous(call):
        return True
    if await call.ask("anonymous-tip", silence=board.patience.key) != "1":
        return False
    del call.facts["anonymous"]
    await call.note(call.facts["stage"])
    return True
