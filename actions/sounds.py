"""An operator's own recording of a message: what may be one. It is heard instead of the text being read aloud."""

from __future__ import annotations

import io
import wave
from collections.abc import Mapping
from types import MappingProxyType

from actions.texts import Texts

FORMAT = (1, 2, 8000)  # channels, bytes a sample, samples a second
LONGEST_S = 120

Sounds = Mapping[str, bytes]  # language -> WAV (8 kHz, 16 bit, mono)
NOTHING_RECORDED: Sounds = MappingProxyType({})


def faults_in_sounds(sounds: Sounds, texts: Texts) -> list[str]:
    """Every reason why these cannot go with a message of these texts, in words that tell what to do."""
    faults = [
        f"{language}: a recording needs its text too: that goes out on every other channel"
        for language in sounds
        if language not in texts
    ]
    return faults + [f"{language}: {fault}" for language, wav in sounds.items() if (fault := _fault(wav))]


def _fault(wav: bytes) -> str | None:
    try:
        with wave.open(io.BytesIO(wav)) as sound:
            form, frames = sound.getparams()[:3], len(sound.readframes(sound.getnframes())) // 2
    except (wave.Error, EOFError, RuntimeError):
        return "the recording is no WAV file"
    if form != FORMAT:
        return "the recording is not 8 kHz, 16 bit, mono"
    if not 0 < frames <= LONGEST_S * form[2]:
        return f"the recording lasts {frames / form[2]:.0f} s; it must sound, and {LONGEST_S} s at most"
    return None
