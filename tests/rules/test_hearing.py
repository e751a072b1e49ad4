"""What was heard on a telephone: tones and prompts."""

import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony.hearing import RATE, Samples, holds_tone, place_of, samples_in, samples_of


def tone(hertz: float, seconds: float = 1.0, loudness: float = 8000) -> Samples:
    sound: Samples = loudness * np.sin(2 * np.pi * hertz * np.arange(int(RATE * seconds)) / RATE)
    return sound


def noise(seconds: float, loudness: float, seed: int = 1) -> Samples:
    return np.random.default_rng(seed).normal(0, loudness, int(RATE * seconds))


def silence(seconds: float) -> Samples:
    return np.zeros(int(RATE * seconds))


def speech(seconds: float, seed: int) -> Samples:
    """Something like a voice: noise whose loudness rises and falls."""
    rough = noise(seconds, 4000, seed)
    return rough * (0.2 + np.abs(np.sin(2 * np.pi * 3 * np.arange(len(rough)) / RATE)))


def on_the_line(sound: Samples) -> Samples:
    """As µ-law leaves it: about eight bits of each sample."""
    scaled = np.sign(sound) * np.log1p(255 * np.abs(sound) / 32768) / np.log(256)
    heard: Samples = np.sign(scaled) * (np.expm1(np.abs(np.round(scaled * 127) / 127) * np.log(256)) / 255) * 32768
    return heard


def test_a_tone_is_told_from_every_other_pitch() -> None:
    heard = on_the_line(tone(700))
    assert [hertz for hertz in (440, 550, 700, 850, 1000, 1400) if holds_tone(heard, hertz)] == [700]


@settings(max_examples=50)
@given(st.integers(300, 3000), st.floats(0.5, 2))
def test_a_tone_is_heard_somewhere_in_the_sound_through_some_noise(hertz: int, before: float) -> None:
    sound = np.concatenate([silence(before), tone(hertz, 0.75), silence(0.3)])
    assert holds_tone(sound + noise(len(sound) / RATE + 1, 300)[: len(sound)], hertz)


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(silence(2), id="silence"),
        pytest.param(tone(700, loudness=50), id="too soft"),
        pytest.param(tone(700, seconds=0.1), id="too short"),
        pytest.param(noise(2, 4000), id="noise"),
        pytest.param(speech(2, seed=3), id="a voice"),
        pytest.param(silence(0), id="nothing"),
        pytest.param(tone(700, loudness=2000) + tone(1100, loudness=8000), id="drowned by another"),
    ],
)
def test_no_tone_is_heard_where_none_is(sound: Samples) -> None:
    assert not holds_tone(sound, 700)


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 3), st.floats(0.5, 4))
def test_a_prompt_is_found_where_it_was_played(before: float, length: float) -> None:
    prompt = speech(length, seed=7)
    heard = on_the_line(np.concatenate([noise(before, 200), prompt * 0.7, noise(1, 200)]))
    end = place_of(prompt, heard)
    assert end == pytest.approx(int(before * RATE) + min(len(prompt), 2 * RATE), abs=2)


def test_only_the_first_two_seconds_need_to_be_heard() -> None:
    prompt = speech(5, seed=7)
    assert place_of(prompt, np.concatenate([silence(0.5), prompt[: 3 * RATE]])) == int(2.5 * RATE)


def test_a_prompt_played_twice_is_found_at_its_first_time() -> None:
    prompt = speech(1, seed=7)
    assert place_of(prompt, np.concatenate([silence(0.5), prompt, silence(0.5), prompt])) == int(1.5 * RATE)


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(silence(5), id="silence"),
        pytest.param(noise(5, 4000), id="noise"),
        pytest.param(speech(5, seed=8), id="another prompt"),
        pytest.param(tone(700, 5), id="a tone"),
        pytest.param(speech(2, seed=7)[:RATE], id="half of it"),
        pytest.param(silence(0), id="nothing"),
    ],
)
def test_a_prompt_that_was_not_played_is_not_found(sound: Samples) -> None:
    assert place_of(speech(2, seed=7), sound) is None


def test_half_a_sample_at_the_end_is_left_out() -> None:
    assert samples_of(b"\x01\x00\xff\xff\x07").tolist() == [1.0, -1.0]


def test_a_wav_file_is_read_as_samples(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "a.wav"), "wb") as sound:
        sound.setparams((1, 2, RATE, 0, "NONE", ""))
        sound.writeframes(np.array([0, 100, -100], "<i2").tobytes())
    assert samples_in(tmp_path / "a.wav").tolist() == [0.0, 100.0, -100.0]
