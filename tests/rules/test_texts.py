"""What may be a message."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.texts import LONGEST_BODY, LONGEST_TITLE, faults_in_text

TITLE, BODY = "de blauwe Golf in Rotterdam", "Kijk uit naar een blauwe Volkswagen Golf.\nBel 0800-0011, code 427."


@pytest.mark.parametrize(
    ("title", "body"),
    [
        (TITLE, BODY),
        ("x" * LONGEST_TITLE, "y" * LONGEST_BODY),
        ("Vermist: Zoë, 8 jaar", "Draagt een paarse jas 🧥, gezien bij café ’t Hoekje."),
        ("الفتاة المفقودة", "شوهدت آخر مرة في روتردام"),
        ("נעדרה", "נראתה לאחרונה ברוטרדם"),
        ("de familie 👨‍👩‍👧", "Gezien om 14:30 uur."),
    ],
)
def test_an_ordinary_text_in_any_script_is_good(title: str, body: str) -> None:
    assert faults_in_text(title, body) == []


@pytest.mark.parametrize("nothing", ["", " ", "\n\n", "\u00a0\u2003", "\u200b", "\u200d\ufeff", "\u2028"])
def test_a_text_in_which_nothing_can_be_read_is_empty(nothing: str) -> None:
    assert faults_in_text(nothing, nothing) == [
        "the title is empty: say what to look for",
        "the text is empty: say what to look for",
    ]


def test_an_over_long_text_is_refused_with_its_length() -> None:
    assert faults_in_text("x" * (LONGEST_TITLE + 1), "y" * 1_000_000) == [
        "the title has 81 characters; at most 80 fit",
        "the text has 1000000 characters; at most 1000 fit",
    ]


@pytest.mark.parametrize("sign", ["\0", "\x07", "\x1b", "\t", "\r", "\x7f", "\x85", "\ud800", "\ue000"])
def test_a_control_character_is_refused(sign: str) -> None:
    assert faults_in_text(TITLE, BODY + sign) == [
        "the text holds a control character: type it again instead of pasting it"
    ]


@pytest.mark.parametrize("sign", ["\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2066", "\u2067", "\u2069"])
def test_a_sign_that_turns_the_reading_direction_is_refused_because_it_can_turn_a_plate_round(sign: str) -> None:
    assert faults_in_text(f"de auto {sign}AB-123-C", BODY) == [
        "the title holds a control character: type it again instead of pasting it"
    ]


def test_every_fault_is_named_at_once() -> None:
    assert len(faults_in_text("", "\0" * (LONGEST_BODY + 1))) == 4


@given(st.text(), st.text())
def test_what_passes_fits_the_columns_and_can_be_written_as_utf_8(title: str, body: str) -> None:
    if not faults_in_text(title, body):
        assert 0 < len(title) <= LONGEST_TITLE
        assert 0 < len(body) <= LONGEST_BODY
        assert not any(unicodedata.category(sign) == "Cc" for sign in (title + body).replace("\n", ""))
        (title + body).encode()
