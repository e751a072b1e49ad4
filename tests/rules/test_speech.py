"""What the voice gets to say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.speech import LONGEST_TEXT, RATE, NoVoice, clean, waiting_music


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Burgernet.", "Burgernet."),
        ("  twee\n\n woorden\t", "twee woorden"),
        ("met\0bel\x07en\x1b[31m rood", "met bel en [31m rood"),
        ("a\u2028b\u00a0c", "a b c"),
        ("\u202ergenrub\u202c", "rgenrub"),
        ("vermist: Zoë 🧥", "vermist: Zoë 🧥"),
        ("\ud800x\ue000", "x"),
        ("شوهدت", "شوهدت"),
    ],
)
def test_only_what_can_be_spoken_is_left(text: str, expected: str) -> None:
    assert clean(text) == expected


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\0\x07", "\u200b\ufeff", "\ud800"])
def test_nothing_to_say_is_refused(text: str) -> None:
    with pytest.raises(NoVoice, match="nothing to say"):
        clean(text)


def test_an_over_long_text_is_refused_with_its_length() -> None:
    assert clean("x" * LONGEST_TEXT) == "x" * LONGEST_TEXT
    with pytest.raises(NoVoice, match="at most 2000 characters; this has 2001"):
        clean("x" * (LONGEST_TEXT + 1))


@given(st.text(max_size=300))
def test_what_is_left_can_be_handed_to_the_voice_and_stays_the_same(text: str) -> None:
    try:
        said = clean(text)
    except NoVoice:
        return
    assert said.encode()
    assert clean(said) == said


def test_the_music_is_as_long_as_asked_soft_and_without_a_click_where_it_begins_again() -> None:
    music = waiting_music(9)
    assert len(music) == 9 * RATE
    assert 0.05 < abs(music).max() < 0.5
    assert abs(music[[0, -1]]).max() < 0.001
