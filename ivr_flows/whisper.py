"""What an operator hears before the caller: which action this is, and where the call comes from."""

from collections.abc import Mapping

from actions.matching import OpenAction
from actions.urgency import Triage
from ivr_flows.catalogue import said_in
from ivr_flows.find_action import title_in
from ivr_flows.spoken import spoken
from telephony.speech import Prompt


def said_by_caller(facts: Mapping[str, str], language: str) -> list[Prompt]:
    """What the checkpoint knows of the call: that it is a call-back, and what the caller said of it."""
    said: list[Prompt] = [said_in(language, "calls-back")] if "callback" in facts else []
    match facts.get("triage"):
        case Triage.NOW:
            return [*said, said_in(language, "sees-now")]
        case Triage.EARLIER:
            return [*said, said_in(language, "saw-earlier")]
        case Triage.QUESTION:
            return [*said, said_in(language, "has-question")]
        case _:
            return said


def whisper(action: OpenAction, language: str, room: str = "", by: str = "") -> list[Prompt]:
    """`room`: the name of the room whose caller this is, when it is another's. `by`: the operator who passes the caller
    on."""
    title, code = spoken(title_in(action, language), language), spoken(action.code, language)
    said: list[Prompt] = [
        said_in(language, "whisper-exercise" if action.exercise else "whisper", code=code, title=title)
    ]
    said += [said_in(language, "whisper-room", room=room)] if room else []
    return said + ([said_in(language, "whisper-by", by=by.replace("-", " "))] if by else [])
