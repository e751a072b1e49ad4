"""What is said in a call by Twilio, as TwiML: the same prompts as in our own exchange, by Twilio's voices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from twilio.twiml.voice_response import Gather, VoiceResponse

VOICES = {"nl": ("nl-NL", "Polly.Lotte"), "en": ("en-GB", "Polly.Amy")}
CONNECT_S = 20
TIP_S = 120
SILENCE_ENDS_S = 5


@dataclass(frozen=True)
class Words:
    """`prompts`: language -> name -> text. `spoken(text, language)`: written out for the ear. `free_number` as people
    read it: 0800-0011."""

    prompts: Mapping[str, Mapping[str, str]]
    spoken: Callable[[str, str], str]
    free_number: str

    def other_language(self, language: str) -> str:
        """The next language in turn."""
        languages = list(self.prompts)
        return languages[(languages.index(language) + 1) % len(languages)]


@dataclass(frozen=True)
class Spoken:
    """A text, in its own language."""

    text: str
    language: str


@dataclass(frozen=True)
class Sound:
    """A recording, at an address of ours."""

    url: str


Part = Spoken | Sound


class Lines:
    """One turn, written in the order in which it is heard."""

    def __init__(self, words: Words, language: str) -> None:
        self._words, self._language = words, language
        self._response = VoiceResponse()

    def __str__(self) -> str:
        return str(self._response)

    def play(self, prompt: str) -> Lines:
        """A prompt, by its name."""
        self._prompt(self._response, prompt)
        return self

    def tell(self, message: Sequence[Part]) -> Lines:
        self._tell(self._response, message)
        return self

    def ask(self, message: Sequence[Part], prompt: str, silence_s: float, action: str) -> Lines:
        """A message and a prompt, in which a key interrupts; then `action` hears the key, or that there was none."""
        gather = Gather(
            num_digits=1, finish_on_key="", timeout=int(silence_s), action_on_empty_result=True, action=action
        )
        self._tell(gather, message)
        self._prompt(gather, prompt)
        self._response.append(gather)
        return self

    def connect(self, sip: str, caller: str, longest_s: int, action: str) -> Lines:
        """Calls our exchange, which sees who calls; `action` hears how that ended."""
        dial = self._response.dial(caller_id=caller, timeout=CONNECT_S, time_limit=longest_s, action=action)
        dial.sip(sip)
        return self

    def record(self, action: str, ready: str) -> Lines:
        """Until a hash key, silence or two minutes; `action` hears how long it was, `ready` when it can be fetched."""
        self._response.record(
            action=action,
            recording_status_callback=ready,
            max_length=TIP_S,
            timeout=SILENCE_ENDS_S,
            finish_on_key="#",
            play_beep=True,
        )
        return self

    def hang_up(self) -> Lines:
        self._response.hangup()
        return self

    def _tell(self, where: VoiceResponse | Gather, message: Sequence[Part]) -> None:
        for part in message:
            if isinstance(part, Sound):
                where.play(part.url)
            else:
                _say(where, self._words.spoken(part.text, part.language), part.language)

    def _prompt(self, where: VoiceResponse | Gather, prompt: str) -> None:
        _say(where, self._words.prompts[self._language][prompt], self._language)


def _say(where: VoiceResponse | Gather, text: str, language: str) -> None:
    code, voice = VOICES[language]
    where.say(text, language=code, voice=voice)
