"""The message of a voice alert as prompts: the operator's own recording of it, or else its text read aloud."""

from __future__ import annotations

import asyncio
import logging
import textwrap
from collections.abc import Mapping
from dataclasses import replace

from actions.store import Away
from actions.wordings import Wording
from alerting.channels import Sending
from alerting.renditions import Notice, voice
from ivr_flows.spoken import spoken
from ivr_flows.switchboard import Switchboard
from telephony.speech import Prompt, Sound, Spoken

log = logging.getLogger(__name__)

# A longer text is told in several prompts, so that each is soon rendered and is over within the bound of one.
LONGEST_PROMPT = 400


class Told:
    """A message in all its languages. `notice`: as it came with the alert."""

    def __init__(self, notice: Notice, wordings: Mapping[str, Wording]) -> None:
        self._notice = notice
        self._wordings = wordings or {notice.language: Wording(notice.title, notice.body)}

    def prompts(self, language: str) -> list[Prompt]:
        """The message in this language, or in its own when it has no text in that. A key interrupts between two
        prompts at the latest."""
        if language not in self._wordings:
            language = self._notice.language
        wording = self._wordings[language]
        notice = replace(self._notice, language=language, title=wording.title, body=wording.body)
        opening, *message, closing = voice(notice)
        if wording.wav:
            return [*said(opening, language), Sound(wording.wav), *said(closing, language)]
        return [prompt for sentence in (opening, *message, closing) for prompt in said(sentence, language)]


async def told(board: Switchboard, alert: Sending) -> Told:
    """Looks up the languages and the recording of a message; with the database away its text alone is told."""
    try:
        async with asyncio.timeout(board.patience.match):
            return Told(alert.notice, await board.wordings.of_attempt(alert.attempt_id))
    except Away as fault:
        log.warning("attempt %s: told without its recording (%s)", alert.attempt_id, type(fault).__name__)
        return Told(alert.notice, {})


def said(text: str, language: str) -> list[Prompt]:
    """A text as prompts, whatever its length and signs; none when nothing of it can be said."""
    pieces = textwrap.wrap(spoken(text, language), LONGEST_PROMPT)
    return [Spoken(piece, language) for piece in pieces if any(sign.isalnum() for sign in piece)]
