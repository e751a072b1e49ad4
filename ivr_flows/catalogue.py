"""The texts of the recorded prompts, one TOML file a language: `prompts/nl.toml`, `prompts/en.toml`."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files

LANGUAGES = ("nl", "en")


def catalogue() -> dict[str, Mapping[str, str]]:
    """Language -> prompt name -> text. Raises ValueError when the languages do not hold the same prompts."""
    texts = {language: _read(language) for language in LANGUAGES}
    for language in LANGUAGES[1:]:
        if lacking := texts[LANGUAGES[0]].keys() ^ texts[language].keys():
            raise ValueError(f"prompts missing in {language} or {LANGUAGES[0]}: {', '.join(sorted(lacking))}")
    return texts


def other_language(language: str) -> str:
    """The next language in turn, for the caller who asks for another."""
    return LANGUAGES[(LANGUAGES.index(language) + 1) % len(LANGUAGES)]


def _read(language: str) -> Mapping[str, str]:
    return tomllib.loads((files("ivr_flows") / "prompts" / f"{language}.toml").read_text("utf-8"))
