"""A sound file from anywhere, made fit for the telephone."""

from __future__ import annotations

import io
import wave

import numpy as np
import soxr

from telephony.speech import LOUDNESS, RATE, Samples, wav_of

# Below and above these rates it is no recording of a voice, whatever the header says.
RATES = range(4_000, 192_001)
MOST_CHANNELS = 8
# A recording that is never louder than this holds no voice.
SILENT = 0.003


class Unfit(Exception):
    """Cannot be played on the telephone; the message says why and what to do."""


def fit_for_telephone(given: bytes, longest_s: float) -> bytes:
    """A WAV of plain samples (8 to 32 bit, any usual rate, mono or more) as 8 kHz, 16 bit, mono, as loud as a spoken
    prompt. Raises Unfit."""
    rate, samples = _read(given)
    seconds = len(samples) / rate
    if seconds > longest_s:
        raise Unfit(f"it lasts {seconds:.0f} s; {longest_s:.0f} s at most")
    loudest = float(np.abs(samples).max(initial=0.0))
    if loudest < SILENT:
        raise Unfit("nothing is heard in it: record it again")
    resampled: Samples = soxr.resample(samples * (LOUDNESS / loudest), rate, RATE)
    return wav_of(resampled[: int(longest_s * RATE)])


def _read(given: bytes) -> tuple[int, Samples]:
    """Its samples a second, and the samples (-1 to 1), all channels as one. Raises Unfit."""
    try:
        with wave.open(io.BytesIO(given)) as sound:
            channels, width, rate = sound.getparams()[:3]
            data = sound.readframes(sound.getnframes())
    except (wave.Error, EOFError, RuntimeError) as fault:  # the last one of a header whose sizes contradict each other
        raise Unfit("it is no WAV file of plain samples (PCM): save it as WAV, 16 bit") from fault
    if rate not in RATES or width not in (1, 2, 3, 4) or channels > MOST_CHANNELS:
        raise Unfit(f"{channels} channels of {8 * width} bit at {rate} Hz are not known here: save it as WAV, 16 bit")
    whole = len(data) // (width * channels) * width * channels
    return rate, _samples(data[:whole], width).reshape(-1, channels).mean(axis=1)


def _samples(data: bytes, width: int) -> Samples:
    """Little-endian samples as they lie in a WAV, of so many bytes each; those of one byte are unsigned."""
    if width == 1:
        return np.frombuffer(data, dtype="u1").astype(np.float64) / 128 - 1
    # Shorter ones become the upper bytes of four.
    upper = np.zeros((len(data) // width, 4), dtype="u1")
    upper[:, 4 - width :] = np.frombuffer(data, dtype="u1").reshape(-1, width)
    return upper.reshape(-1).view("<i4").astype(np.float64) / 2**31
