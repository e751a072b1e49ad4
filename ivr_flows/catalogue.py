"""The texts of the prompts, one TOML file a language: `prompts/nl.toml`, `prompts/en.toml`. Another file is another
language: star leads from one to the next, Dutch first.

What stands under [templates] is filled in for the moment ("Voor {title}: toets {key}."); all else is recorded as it is.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from telephony.speech import Spoken

FIRST = "nl"


def _languages() -> tuple[str, ...]:
    """Those that have a file, Dutch first."""
    found = (file.name.removesuffix(".toml") for file in (files("ivr_flows") / "prompts").iterdir())
    return tuple(sorted(found, key=lambda language: (language != FIRST, language)))


LANGUAGES = _languages()


def catalogue() -> dict[str, Mapping[str, str]]:
    """Language -> prompt name -> text. Raises ValueError when the languages do not hold the same prompts."""
    texts: dict[str, dict[str, Any]] = {language: dict(_read(language)) for language in LANGUAGES}
    templates = {language: texts[language].pop("templates", {}) for language in LANGUAGES}
    for language in LANGUAGES[1:]:
        for kind in (texts, templates):
            if lacking := kind[FIRST].keys() ^ kind[language].keys():
                raise ValueError(f"prompts missing in {language} or {FIRST}: {', '.join(sorted(lacking))}")
    return {**texts}


def said_in(language: str, template: str, **parts: object) -> Spoken:
    """A template with its parts filled in, in this language."""
    return Spoken(_templates(language)[template].format(**parts), language)


def other_language(language: str) -> str:
    """The next language in turn, for the caller who asks for another."""
    return LANGUAGES[(LANGUAGES.index(language) + 1) % len(LANGUAGES)]


@cache
def _templates(language: str) -> Mapping[str, str]:
    found: Mapping[str, str] = _read(language)["templates"]
    return found


def _read(language: str) -> Mapping[str, Any]:
    return tomllib.loads((files("ivr_flows") / "prompts" / f"{language}.toml").read_text("utf-8"))
