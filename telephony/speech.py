"""From text to sound: espeak-ng speaks, soxr resamples, files are kept by content. One function is the voice."""

from __future__ import annotations

import asyncio
import hashlib
import io
import logging
import tempfile
import unicodedata
import wave
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PurePath

import numpy as np
import soxr
from numpy.typing import NDArray

log = logging.getLogger(__name__)

RATE = 8000
LONGEST_TEXT = 2000
VOICE_BOUND_S = 20.0
# Where the voice has another name than the language.
ESPEAK_VOICES = {"en": "en-gb"}
# Part of every file's name: another way of rendering makes other files.
EDITION = "1"
LOUDNESS = 0.8
SIDE_BY_SIDE = 2

Samples = NDArray[np.float64]
Voice = Callable[[str, str], Awaitable[Samples]]  # (text, language) -> samples at RATE, -1 to 1


class NoVoice(Exception):
    """A text could not be spoken; the message says why and what to do."""


@dataclass(frozen=True)
class Spoken:
    """A text made for this moment, such as a title in a menu; a plain `str` names a prompt of the catalogue.
    `language`: in which it is written, if not the one of the call."""

    text: str
    language: str | None = None


@dataclass(frozen=True)
class Sound:
    """A sound that is there already, such as somebody's own recording: a WAV file (8 kHz, 16 bit, mono)."""

    wav: bytes = field(repr=False)


Prompt = str | Spoken | Sound


class Speech:
    """`catalogue`: language -> prompt name -> text. `sounds`: where files are kept; `seen_as`: the same folder for
    Asterisk."""

    def __init__(
        self, catalogue: Mapping[str, Mapping[str, str]], sounds: Path, seen_as: PurePath, voice: Voice
    ) -> None:
        self._catalogue, self._sounds, self._seen_as, self._voice = catalogue, sounds, seen_as, voice
        self._rendering: dict[str, asyncio.Task[None]] = {}
        self._at_once = asyncio.Semaphore(SIDE_BY_SIDE)

    async def media(self, prompt: Prompt, language: str) -> str:
        """The ARI media address of a prompt, rendered first if it is new. Raises NoVoice."""
        name = await self._file(prompt, language)
        return f"sound:{self._seen_as / name}"

    async def build(self, say: Callable[[str], None]) -> int:
        """Renders the whole catalogue, the two prompts of the dialplan's fall-back and the music. Returns how many
        files there are. Raises NoVoice."""
        count = 0
        for language, prompts in self._catalogue.items():
            for name in prompts:
                await self._file(name, language)
                count += 1
            say(f"prompts in {language}: {len(prompts)} ready")
        for name in ("fallback-warning", "fallback-closing"):
            spoken = await self._file(name, "nl")
            _write(self._sounds / f"{name}.wav", (self._sounds / f"{spoken}.wav").read_bytes())
        _write(self._sounds / "music" / "waiting.wav", wav_of(waiting_music()))
        return count + 3

    def lacking(self) -> list[str]:
        """The prompts of the catalogue that are not rendered yet, as language/name."""
        return [
            f"{language}/{name}"
            for language, prompts in self._catalogue.items()
            for name in prompts
            if not (self._sounds / f"{self._name(name, language)[0]}.wav").exists()
        ]

    def path(self, media: str) -> Path:
        """The file behind an address that `media` gave."""
        return self._sounds / f"{PurePath(media.removeprefix('sound:')).relative_to(self._seen_as)}.wav"

    def _name(self, prompt: str | Spoken, language: str) -> tuple[str, str]:
        """The file of a prompt, and what it says. Raises NoVoice."""
        name, text = (
            ("said", prompt.text) if isinstance(prompt, Spoken) else (prompt, self._catalogue[language][prompt])
        )
        return _named(name, text, language)

    async def _file(self, prompt: Prompt, language: str) -> str:
        if isinstance(prompt, Sound):
            return await self._kept(prompt.wav)
        language = (isinstance(prompt, Spoken) and prompt.language) or language
        file, text = self._name(prompt, language)
        if not (self._sounds / f"{file}.wav").exists():
            await self._render_once(file, text, language)
        return file

    async def _kept(self, wav: bytes) -> str:
        file = f"own/{hashlib.sha256(wav).hexdigest()[:12]}"
        if not (self._sounds / f"{file}.wav").exists():
            await asyncio.to_thread(_write, self._sounds / f"{file}.wav", wav)
        return file

    async def _render_once(self, file: str, text: str, language: str) -> None:
        """Two callers who need the same new text wait for one rendering."""
        if file not in self._rendering:
            task = self._rendering[file] = asyncio.create_task(self._render(file, text, language))
            task.add_done_callback(lambda _: self._rendering.pop(file, None))
        await asyncio.shield(self._rendering[file])

    async def _render(self, file: str, text: str, language: str) -> None:
        async with self._at_once:
            samples = await self._voice(text, language)
        await asyncio.to_thread(_write, self._sounds / f"{file}.wav", wav_of(samples))


async def espeak(text: str, language: str) -> Samples:
    """The voice of espeak-ng. The text goes in on stdin: on the command line everybody on the machine could read it.
    Raises NoVoice."""
    try:
        process = await asyncio.create_subprocess_exec(
            "espeak-ng",
            *("-v", ESPEAK_VOICES.get(language, language), "-s", "150", "-z", "--stdin", "--stdout"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except FileNotFoundError:
        raise NoVoice("espeak-ng is missing: apt-get install espeak-ng") from None
    try:
        async with asyncio.timeout(VOICE_BOUND_S):
            said, _ = await process.communicate(text.encode())
    except TimeoutError:
        process.kill()
        await process.wait()
        raise NoVoice(f"espeak-ng did not finish within {VOICE_BOUND_S:.0f} s") from None
    if process.returncode or len(said) < 100:
        raise NoVoice(f"espeak-ng gave no sound (exit status {process.returncode})")
    return await asyncio.to_thread(_resampled, said)


@lru_cache(1_000)
def _named(name: str, text: str, language: str) -> tuple[str, str]:
    text = clean(text)
    key = hashlib.sha256(f"{EDITION}\0{language}\0{text}".encode()).hexdigest()[:12]
    return f"{language}/{name}-{key}", text


def clean(text: str) -> str:
    """The text without signs that cannot be spoken, single-spaced. Raises NoVoice when nothing or too much is left."""
    spoken = "".join(sign if unicodedata.category(sign)[0] in "LNPZSM" else " " for sign in text)
    spoken = " ".join(spoken.split())
    if not spoken:
        raise NoVoice("there is nothing to say")
    if len(spoken) > LONGEST_TEXT:
        raise NoVoice(f"a spoken text has at most {LONGEST_TEXT} characters; this has {len(spoken)}")
    return spoken


def waiting_music(seconds: int = 24) -> Samples:
    """Soft, slow chords, made here: no recording, no rights."""
    moment = np.arange(RATE * 3) / RATE
    swell = np.sin(np.pi * moment / 3) ** 2
    chords = [(220.0, 277.2, 329.6), (196.0, 246.9, 293.7), (174.6, 220.0, 261.6), (196.0, 246.9, 293.7)]
    bars = [swell * sum(np.sin(2 * np.pi * hz * moment) for hz in chord) / 12 for chord in chords]
    return np.concatenate([bars[bar % len(bars)] for bar in range(seconds // 3)])


def _resampled(wav: bytes) -> Samples:
    # espeak-ng streams: the sizes in its header are placeholders, so what follows the header is read as it comes.
    with wave.open(io.BytesIO(wav)) as sound:
        rate = sound.getframerate()
        samples = np.frombuffer(sound.readframes(len(wav) // 2), dtype="<i2").astype(np.float64)
    resampled: Samples = soxr.resample(samples / 32768, rate, RATE)
    return resampled * (LOUDNESS / max(float(np.abs(resampled).max()), 1e-6))


def wav_of(samples: Samples) -> bytes:
    """Samples at RATE (-1 to 1) as a WAV file, 16 bit, mono."""
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return out.getvalue()


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, readable for Asterisk's own account."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as partial:
        partial.write(content)
    Path(partial.name).chmod(0o644)
    Path(partial.name).replace(path)
