"""The words of our answers, and when there are none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.inbound.guard import MOST, WITHIN, may_answer
from alerting.inbound.wording import Answer, words
from alerting.renditions import GSM_7, segments

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
LANGUAGES = ("nl", "en")
ABOUT_SEEING = (Answer.TIP, Answer.WHICH, Answer.SAY_WHAT, Answer.NOTHING_OPEN, Answer.UNCLEAR)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("answer", Answer)
def test_every_answer_is_short_says_who_speaks_and_needs_no_dear_alphabet(answer: Answer, language: str) -> None:
    said = words(answer, language, "427", "0800-0011")
    assert said.startswith("Burgernet: ")
    assert set(said) <= GSM_7
    assert segments(said) <= (2 if answer is Answer.UNCLEAR else 1)
    assert "{" not in said


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("answer", ABOUT_SEEING)
def test_who_reports_something_reads_to_call_112_when_life_is_in_danger(answer: Answer, language: str) -> None:
    assert "112" in words(answer, language, "427", "0800-0011")


def test_an_unknown_language_reads_dutch() -> None:
    assert words("stopped", "fr", "", "") == words("stopped", "nl", "", "")


@pytest.mark.parametrize(
    ("answer", "earlier", "may"),
    [
        ("tip", [], True),
        ("tip", [("tip", 59)], False),
        ("tip", [("tip", 61)], True),
        ("tip", [("which", 1)], True),
        ("tip", [("which", 1), ("unclear", 2)], True),
        ("tip", [("which", 1), ("unclear", 2), ("stopped", 599)], False),
        ("tip", [("which", 1), ("unclear", 2), ("stopped", 601)], True),
        ("stopped", [("tip", 1), ("tip", 100), ("which", 200)], False),
    ],
)
def test_three_answers_in_ten_minutes_and_never_the_same_within_one(
    answer: str, earlier: list[tuple[str, int]], may: bool
) -> None:
    assert may_answer(answer, [(given, NOW - timedelta(seconds=ago)) for given, ago in earlier], NOW) == may


@given(st.lists(st.tuples(st.sampled_from(Answer), st.integers(0, 120)), max_size=40))
def test_however_a_robot_texts_it_never_gets_more(texts: list[tuple[Answer, int]]) -> None:
    moment, given = NOW, list[tuple[str, datetime]]()
    for answer, pause in texts:
        moment += timedelta(seconds=pause)
        if may_answer(answer, given, moment):
            given.append((answer, moment))
    for _, at in given:
        assert sum(at - WITHIN < other <= at for _, other in given) <= MOST
