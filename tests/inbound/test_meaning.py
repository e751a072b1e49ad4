"""The rules of what a text means."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.matching import Alerted, AskCode, Choose, NothingOpen, OpenAction, Sure
from actions.numbers import read_number
from actions.tips import LONGEST, readable
from alerting.inbound.meaning import KEYWORDS, Keyword, Meaning, about, keyword, only_code, says_something

NOISE = st.text(st.sampled_from([*" .,!?-_*'\"\n\t\u00a0\u200b\u202e\ufe0f🙏👍🏽❤🇳🇱"]), max_size=8)
ANYBODY = read_number("+31612345678")


@pytest.mark.parametrize(
    ("said", "meaning", "language"),
    [
        ("STOP", Meaning.STOP, None),
        ("stop", Meaning.STOP, None),
        ("  Stop.  ", Meaning.STOP, None),
        ("S T O P", Meaning.STOP, None),
        ("STOP!!! 🛑", Meaning.STOP, None),
        ("stóp", Meaning.STOP, None),
        ("\uff33\uff34\uff2f\uff30", Meaning.STOP, None),
        ("\u202eSTOP\u202c", Meaning.STOP, None),
        ("'stop'", Meaning.STOP, None),
        ("Stop aub", Meaning.STOP, None),
        ("please stop", Meaning.STOP, None),
        ("STOP BURGERNET", Meaning.STOP, None),
        ("STOP 427", Meaning.STOP, None),
        ("opt-out", Meaning.STOP, None),
        ("STOP STOP stop!!!", Meaning.STOP, None),
        ("Stop" + "\n" * 4000 + "🛑" * 900, Meaning.STOP, None),
        ("STOPALL", Meaning.STOP, "en"),
        ("Stop all", Meaning.STOP, "en"),
        ("stop alles", Meaning.STOP, "nl"),
        ("Afmelden", Meaning.STOP, "nl"),
        ("UITSCHRIJVEN", Meaning.STOP, "nl"),
        ("Unsubscribe", Meaning.STOP, "en"),
        ("cancel", Meaning.STOP, "en"),
        ("End", Meaning.STOP, "en"),
        ("QUIT", Meaning.STOP, "en"),
        ("revoke", Meaning.STOP, "en"),
        ("START", Meaning.START, None),
        ("Aanmelden a.u.b.", Meaning.START, "nl"),
        ("unstop", Meaning.START, "en"),
    ],
)
def test_a_keyword_alone_counts_however_it_is_written(said: str, meaning: Meaning, language: str | None) -> None:
    assert keyword(said) == Keyword(meaning, language)


@pytest.mark.parametrize(("said", "language"), [("JA", "nl"), ("ja!", "nl"), ("Yes", "en")])
def test_yes_is_a_weak_keyword(said: str, language: str) -> None:
    assert keyword(said) == Keyword(Meaning.START, language, weak=True)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "   ",
        "Stop hem, hij rent weg",
        "Hij stopte bij het stoplicht",
        "non-stop",
        "STOPT",
        "the end of the street",
        "ja hij staat hier",
        "JA 427",
        "START 427",
        "427",
        "Niet stoppen",
        "🛑",
        "С" + "ТОП",
        "stop! hem! stop!",
    ],
)
def test_a_word_among_others_is_no_keyword(said: str) -> None:
    assert keyword(said) is None


@given(st.sampled_from(sorted(KEYWORDS)), NOISE, NOISE, st.booleans())
def test_signs_around_a_keyword_change_nothing(word: str, before: str, after: str, small: bool) -> None:
    assert keyword(f"{before}{word.lower() if small else word}{after}") == KEYWORDS[word]


@given(st.text(max_size=300))
def test_no_text_makes_the_rules_fail(said: str) -> None:
    keyword(said)
    only_code(said)
    about(said, ANYBODY, [], [_action(1, "427")])
    if says_something(readable(said)):
        assert readable(said)


@given(st.text(st.characters(), max_size=LONGEST + 100))
def test_what_is_kept_can_be_written_and_is_kept_the_same_again(said: str) -> None:
    kept = readable(said)
    kept.encode()
    assert len(kept) <= LONGEST
    assert readable(kept) == kept


@pytest.mark.parametrize(
    ("said", "something"),
    [
        ("Ik zie hem", True),
        ("رأيته", True),
        ("我看见他了", True),
        ("x", True),
        ("06 12345678", True),
        ("", False),
        ("👍", False),
        ("427", False),
        ("?!", False),
        ("\u200b", False),
    ],
)
def test_a_letter_or_a_number_says_something(said: str, something: bool) -> None:
    assert says_something(said) == something


@pytest.mark.parametrize("said", ["427", " 427! ", "code 427", "Code: 427.", "ACTIE 427", "(427)", "#427", "0427"])
def test_a_code_alone_is_only_a_code(said: str) -> None:
    assert only_code(said)


@pytest.mark.parametrize("said", ["427 blauwe auto", "42", "42700", "code", "", "427-AB"])
def test_more_or_less_than_a_code_is_not_only_a_code(said: str) -> None:
    assert not only_code(said)


@pytest.mark.parametrize(
    "said",
    [
        "427",
        "427: rode fiets",
        "code 427 rode fiets",
        "Gezien! Actie 427",
        "gezien (code: 427)",
        "Action 427, red bike",
    ],
)
def test_a_code_said_as_one_goes_before_where_the_sender_was_alerted(said: str) -> None:
    one, other = _action(1, "427"), _action(2, "512")
    finding = about(said, ANYBODY, [Alerted(other, 10)], [one, other])
    assert isinstance(finding, Sure)
    assert (finding.match.action, finding.match.how, finding.match.confidence) == (one, "code", 1.0)


@pytest.mark.parametrize(
    "said", ["Coolsingel 427", "427 meter verderop", "427.5 km", "hij woont op nummer 427", "kenteken 427-AB-1"]
)
def test_a_number_in_passing_does_not_outweigh_where_the_sender_was_alerted(said: str) -> None:
    one, other = _action(1, "427"), _action(2, "512")
    finding = about(said, ANYBODY, [Alerted(other, 10)], [one, other])
    assert isinstance(finding, Sure)
    assert (finding.match.action, finding.match.how) == (other, "number")


def test_a_number_in_passing_decides_between_actions_less_surely_for_a_stranger() -> None:
    one, other = _action(1, "427"), _action(2, "512")
    said, both = "Gezien, het gaat om 427", [Alerted(one, 10), Alerted(other, 20)]
    sure = [about(said, ANYBODY, alerted, [one, other]) for alerted in (both, [])]
    assert [(finding.match.action, finding.match.confidence) for finding in sure if isinstance(finding, Sure)] == [
        (one, 0.9),
        (one, 0.7),
    ]


@pytest.mark.parametrize("said", ["code 427 of code 512", "gezien: 427 en 512", "bel 0427", "+427", "1427 AB", "4275"])
def test_between_codes_or_with_none_it_asks(said: str) -> None:
    one, other = _action(1, "427"), _action(2, "512")
    assert isinstance(about(said, ANYBODY, [Alerted(one, 10), Alerted(other, 20)], [one, other]), Choose)
    assert isinstance(about(said, ANYBODY, [], [one, other]), AskCode)


def test_112_in_a_text_names_no_action() -> None:
    one, other = _action(1, "112"), _action(2, "512")
    assert isinstance(about("Ik heb 112 gebeld", ANYBODY, [], [one, other]), AskCode)


def test_with_nothing_open_no_code_counts() -> None:
    assert about("427", ANYBODY, [], []) == NothingOpen()


def test_a_code_that_two_actions_had_means_the_open_one() -> None:
    still_open, ended = _action(1, "427"), _action(2, "427")
    finding = about("427", ANYBODY, [], [still_open, ended])
    assert isinstance(finding, Sure)
    assert finding.match.action == still_open


def _action(action_id: int, code: str) -> OpenAction:
    started = datetime(2026, 5, 1, 12, action_id, tzinfo=UTC)
    return OpenAction(action_id, code, "look_out", "rotterdam", "rotterdam", None, started, {}, {}, 0.0, 0.0)
