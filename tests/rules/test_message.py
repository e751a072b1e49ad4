"""A message as prompts: in the hearer's language, with the recording where there is one, whatever the text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.models import MessageKind
from actions.wordings import Wording
from alerting.renditions import Notice
from ivr_flows.message import LONGEST_PROMPT, Told, said
from telephony.speech import LONGEST_TEXT, Prompt, Sound, Spoken, clean, espeak

ALERT = Notice(MessageKind.ALERT, "427", "nl", "de Golf", "Kijk uit. Hij is blauw")
OPENING, CLOSING = "Burgernet.", "Ga er niet zelf op af. De code van deze actie is 4 2 7."
OPENING_EN, CLOSING_EN = "Burgernet.", "Do not approach. The code of this action is 4 2 7."


def dutch(*texts: str) -> list[Prompt]:
    return [Spoken(text, "nl") for text in texts]


def english(*texts: str) -> list[Prompt]:
    return [Spoken(text, "en") for text in texts]


READ_ALOUD = dutch(OPENING, "de Golf.", "Kijk uit.", "Hij is blauw.", CLOSING)
IN_DUTCH = Wording("de Golf", "Kijk uit. Hij is blauw")
RECORDED = Wording("de Golf", "Kijk uit. Hij is blauw", b"wav")
IN_ENGLISH = Wording("the Golf", "Look out.")


@pytest.mark.parametrize(
    ("wordings", "language", "expected"),
    [
        ({}, "nl", READ_ALOUD),
        ({}, "en", READ_ALOUD),
        ({"nl": IN_DUTCH}, "en", READ_ALOUD),
        ({"nl": RECORDED}, "nl", [*dutch(OPENING), Sound(b"wav"), *dutch(CLOSING)]),
        ({"nl": RECORDED}, "en", [*dutch(OPENING), Sound(b"wav"), *dutch(CLOSING)]),
        ({"nl": RECORDED, "en": IN_ENGLISH}, "en", english(OPENING_EN, "the Golf.", "Look out.", CLOSING_EN)),
    ],
)
def test_a_message_is_told_in_the_language_it_has(
    wordings: dict[str, Wording], language: str, expected: list[Prompt]
) -> None:
    assert Told(ALERT, wordings).prompts(language) == expected


@given(st.text(max_size=5000), st.sampled_from(["nl", "en"]))
def test_no_prompt_of_a_text_is_longer_than_can_be_spoken(text: str, language: str) -> None:
    for prompt in said(text, language):
        assert isinstance(prompt, Spoken)
        assert len(prompt.text) <= LONGEST_PROMPT < LONGEST_TEXT
        assert clean(prompt.text)


def test_a_long_text_is_split_and_nothing_of_it_is_lost() -> None:
    words = ["Kijk", "uit", "naar", "een", "meisje", "met", "een", "rode", "jas"] * 100
    prompts = said(" ".join(words), "nl")
    assert len(prompts) > 10
    assert " ".join(prompt.text for prompt in prompts if isinstance(prompt, Spoken)).split() == words


@pytest.mark.parametrize("text", ["", "  ", "🙂🚓", "!?", "...", "\u200b\u202e", "—"])
def test_of_what_cannot_be_said_there_is_no_prompt(text: str) -> None:
    assert said(text, "nl") == []


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=60), st.sampled_from(["nl", "en"]))
async def test_the_voice_speaks_every_prompt(text: str, language: str) -> None:
    for prompt in said(text, language):
        assert isinstance(prompt, Spoken)
        assert len(await espeak(clean(prompt.text), language)) > 0


@pytest.mark.parametrize(
    "text", ["Noor 🧥 is weg!", "شوهدت سيارة زرقاء", "רכב כחול נראה כאן", "x" * 5000, "1234567890" * 500, "寻人启事"]
)
@pytest.mark.parametrize("language", ["nl", "en"])
async def test_what_people_type_is_heard(text: str, language: str) -> None:
    prompts = said(text, language)
    assert prompts
    for prompt in prompts:
        assert isinstance(prompt, Spoken)
        assert abs(await espeak(clean(prompt.text), language)).max() > 0.1
