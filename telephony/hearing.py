"""Telling what was heard on a telephone: a tone of a known pitch, or a prompt that was played."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE = 8000
LISTEN = RATE // 4
# Sides of one pure tone in telephone sound leave far more than this share of the energy at its pitch.
PURE = 0.5
LOUD = 200.0
# A prompt that was really played correlates above 0.9 after µ-law; anything else stays below 0.3.
ALIKE = 0.7

Samples = NDArray[np.float64]


def samples_of(pcm: bytes) -> Samples:
    """Sound as 16 bit samples in machine order, from bytes."""
    return np.frombuffer(pcm[: len(pcm) // 2 * 2], dtype="<i2").astype(np.float64)


def samples_in(file: Path) -> Samples:
    """The samples of an 8 kHz mono WAV file."""
    with wave.open(str(file)) as sound:
        return samples_of(sound.readframes(sound.getnframes()))


def holds_tone(sound: Samples, hertz: int) -> bool:
    """Whether some quarter second of the sound is, for the greater part, a tone of this pitch."""
    turn = np.exp(-2j * np.pi * hertz * np.arange(LISTEN) / RATE)
    for start in range(0, len(sound) - LISTEN + 1, LISTEN // 2):
        piece = sound[start : start + LISTEN]
        energy = float(np.sum(piece**2))
        at_pitch = 2 * abs(np.dot(piece, turn)) ** 2 / LISTEN
        if energy / LISTEN > LOUD**2 and at_pitch / energy > PURE:
            return True
    return False


def likeness(prompt: Samples, sound: Samples) -> float:
    """How much of a prompt is in the sound at its best place, 0 to 1: all of the prompt, not only its beginning."""
    end = place_of(prompt, sound)
    if end is None:
        return 0.0
    start = end - min(len(prompt), RATE * 2)
    heard = sound[start : start + len(prompt)]
    wanted = prompt[: len(heard)]
    loud = float(np.sqrt(np.sum(heard**2) * np.sum(prompt**2)))
    return float(np.dot(wanted, heard)) / max(loud, 1.0)


def place_of(prompt: Samples, sound: Samples) -> int | None:
    """Where in the sound the prompt ends (a sample's number), or None when it was not played.

    Only its first two seconds are looked for: a key may have interrupted the rest."""
    wanted = prompt[: RATE * 2]
    if len(sound) < len(wanted):
        return None
    size = 1 << (len(sound) + len(wanted)).bit_length()
    product = np.fft.irfft(np.fft.rfft(sound, size) * np.conj(np.fft.rfft(wanted, size)), size)
    reach = len(sound) - len(wanted) + 1
    power = np.concatenate([[0.0], np.cumsum(sound**2)])
    energy = power[len(wanted) :][:reach] - power[:reach]
    alike = product[:reach] / np.sqrt(np.maximum(energy, 1.0) * float(np.sum(wanted**2)))
    hits = np.flatnonzero(alike > ALIKE)
    if not len(hits):
        return None
    near = hits[hits < hits[0] + RATE // 10]
    return int(near[np.argmax(alike[near])]) + len(wanted)
