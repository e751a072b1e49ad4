"""A recording that somebody brings: any plain WAV becomes what the telephone plays; the rest is refused in words."""

from __future__ import annotations

import io
import struct
import wave

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.given_sound import Unfit, fit_for_telephone
from telephony.hearing import RATE, holds_tone, samples_of
from telephony.speech import LOUDNESS, Samples

HERTZ = 620


@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize(
    ("rate", "channels"), [(8000, 1), (11025, 2), (16000, 1), (44100, 2), (48000, 6), (192_000, 1)]
)
def test_any_plain_recording_becomes_what_the_telephone_plays(rate: int, channels: int, width: int) -> None:
    form, heard = _opened(fit_for_telephone(tone(rate=rate, channels=channels, width=width), 120))
    assert form == (1, 2, RATE)
    assert abs(len(heard) - RATE) <= 2
    assert holds_tone(heard, HERTZ)


@pytest.mark.parametrize("loudness", [0.01, 0.5, 1.0])
def test_a_soft_recording_is_made_as_loud_as_a_spoken_prompt(loudness: float) -> None:
    _, heard = _opened(fit_for_telephone(tone(loudness=loudness), 120))
    assert abs(heard).max() == pytest.approx(LOUDNESS * 32767, rel=0.05)


def test_a_recording_made_fit_stays_as_it_is() -> None:
    once = fit_for_telephone(tone(rate=44100, channels=2), 120)
    _, first = _opened(once)
    _, second = _opened(fit_for_telephone(once, 120))
    assert np.allclose(first, second, atol=20)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (b"", "no WAV file"),
        (b"ID3\x04 an mp3 from a telephone", "no WAV file"),
        (b"RIFF", "no WAV file"),
        (b"RIFF\xff\xff\xff\xffWAVEfmt ", "no WAV file"),
        (b"RIFF" + b"\0" * 100, "no WAV file"),
    ],
)
def test_what_is_no_wav_is_refused(given: bytes, why: str) -> None:
    with pytest.raises(Unfit, match=why):
        fit_for_telephone(given, 120)


def test_a_compressed_wav_is_refused_with_what_to_do() -> None:
    mu_law = bytearray(tone(width=1))
    mu_law[20:22] = struct.pack("<H", 7)
    with pytest.raises(Unfit, match="save it as WAV, 16 bit"):
        fit_for_telephone(bytes(mu_law), 120)


def test_the_longest_recording_fits_and_a_moment_more_does_not() -> None:
    assert fit_for_telephone(tone(seconds=2.0), 2)
    with pytest.raises(Unfit, match="it lasts 4 s; 2 s at most"):
        fit_for_telephone(tone(seconds=4.0), 2)


@pytest.mark.parametrize("given", ["silence", "nothing"])
def test_silence_is_refused(given: str) -> None:
    with pytest.raises(Unfit, match="nothing is heard in it"):
        fit_for_telephone(tone(loudness=0) if given == "silence" else tone(seconds=0), 120)


@pytest.mark.parametrize("rate", [1, 3999, 192_001, 2**31])
def test_an_absurd_rate_is_refused(rate: int) -> None:
    absurd = bytearray(tone())
    absurd[24:28] = struct.pack("<I", rate)
    with pytest.raises(Unfit, match="not known here"):
        fit_for_telephone(bytes(absurd), 120)


def test_a_recording_that_breaks_off_is_played_as_far_as_it_goes() -> None:
    whole = tone(channels=2, width=3)
    _, heard = _opened(fit_for_telephone(whole[: len(whole) // 2 + 1], 120))
    assert RATE * 0.45 < len(heard) < RATE * 0.55


@given(st.integers(0, 60), st.binary(min_size=1, max_size=8))
def test_a_damaged_header_is_refused_or_played_and_nothing_else(place: int, damage: bytes) -> None:
    damaged = bytearray(tone(seconds=0.05))
    damaged[place : place + len(damage)] = damage
    try:
        form, _ = _opened(fit_for_telephone(bytes(damaged), 1))
    except Unfit:
        return
    assert form == (1, 2, RATE)


def tone(*, seconds: float = 1.0, rate: int = 8000, channels: int = 1, width: int = 2, loudness: float = 0.5) -> bytes:
    """A WAV file."""
    moments = np.arange(int(seconds * rate)) / rate
    wave_form = loudness * np.sin(2 * np.pi * HERTZ * moments)
    whole = np.repeat((wave_form * (2**31 - 1)).astype("<i4")[:, None], channels, axis=1).reshape(-1, 1)
    parts = whole.view("u1")[:, 4 - width :]
    data = (parts ^ 0x80 if width == 1 else parts).tobytes()
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(width)
        sound.setframerate(rate)
        sound.writeframes(data)
    return out.getvalue()


def _opened(wav: bytes) -> tuple[tuple[int, int, int], Samples]:
    with wave.open(io.BytesIO(wav)) as sound:
        form = sound.getparams()[:3]
        return form, samples_of(sound.readframes(sound.getnframes()))
