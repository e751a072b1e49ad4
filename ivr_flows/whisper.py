"""What an operator hears before the caller: which action this is, and where the call comes from."""

from actions.matching import OpenAction
from ivr_flows.catalogue import said_in
from ivr_flows.find_action import title_in
from ivr_flows.spoken import spoken
from telephony.speech import Prompt


def whisper(action: OpenAction, language: str, room: str = "", by: str = "") -> list[Prompt]:
    """`room`: the name of the room whose caller this is, when it is another's. `by`: the operator who passes the caller
    on."""
    title, code = spoken(title_in(action, language), language), spoken(action.code, language)
    said: list[Prompt] = [said_in(language, "whisper", code=code, title=title)]
    said += [said_in(language, "whisper-room", room=room)] if room else []
    return said + ([said_in(language, "whisper-by", by=by.replace("-", " "))] if by else [])
