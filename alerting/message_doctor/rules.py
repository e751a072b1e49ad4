"""The rules for one field of a message, each by itself: where it is broken, and what to write instead."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator

from alerting.message_doctor.advice import Advice, Where
from alerting.message_doctor.lexicon import (
    ABBREVIATIONS,
    APPROACH,
    KNOWN_CAPITALS,
    NOT_OF_A_PERSON,
    OFFENCES,
    ORIGINS,
)
from alerting.renditions import GSM_7, GSM_7_TWO_PLACES

LONGEST_SENTENCE = 15
# What looks like one sign and could be written with another that every telephone has.
PLAIN = {
    "‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "–": "-", "—": "-", "…": "...", "\u00a0": " ",
    "`": "'", "´": "'", "\t": " ", "ĳ": "ij", "Ĳ": "IJ",
}  # fmt: skip
HELP = {"112", "0800-0011", "08000011", "0900-8844", "09008844", "0800-7000", "08007000"}

_DOTTED = re.compile(r"(?<!\w)(?:[A-Za-z]{1,3}\.){2,}")
_CAPITALS = re.compile(r"(?<![\w-])[A-Z]{2,5}(?![\w-])")
_SENTENCE = re.compile(r"[^.!?\n]+(?:[.!?](?=\S)[^.!?\n]*)*[.!?]*")
_PHONE = re.compile(r"(?<![\w-])(?:\+31|00|0)[\d](?:[ -]?\d){6,9}(?![\w-])")
_CODE = re.compile(r"\b(?:code|actiecode)\W{0,3}\d{3,4}\b", re.IGNORECASE)
Rule = Callable[[str, str, str], Iterator[Advice]]  # language, field, text


def abbreviations(language: str, field: str, text: str) -> Iterator[Advice]:
    told = []
    for found in _KNOWN[language].finditer(text):
        told.append(found.span())
        full = _FULL[language][found[0].lower().replace(".", "")]
        yield _advice("abbreviation", language, field, found, f"{found[0]!r} is an abbreviation", f"write {full!r}")
    for pattern in (_DOTTED, _CAPITALS):
        for found in pattern.finditer(text):
            if found[0] not in KNOWN_CAPITALS and not any(a < found.end() and found.start() < b for a, b in told):
                yield _advice(
                    "abbreviation", language, field, found, f"{found[0]!r} looks like an abbreviation", "write it out"
                )


def long_sentences(language: str, field: str, text: str) -> Iterator[Advice]:
    for found in _SENTENCE.finditer(text):
        if (words := len(found[0].split())) > LONGEST_SENTENCE:
            said = f"this sentence has {words} words; people read {LONGEST_SENTENCE} easily"
            yield _advice("long-sentence", language, field, found, said, "make two sentences of it")


def offences(language: str, field: str, text: str) -> Iterator[Advice]:
    for found in _OFFENCE[language].finditer(text):
        said = f"{found[0]!r} tells of an offence or a suspicion; nobody is guilty yet"
        yield _advice("offence", language, field, found, said, "say only whom or what to look for, and how to know it")


def origins(language: str, field: str, text: str) -> Iterator[Advice]:
    for found in _ORIGIN[language].finditer(text):
        said = f"{found[0].strip()!r} tells of origin or belief, which nobody can see"
        yield _advice("origin", language, field, found, said, "say what can be seen: clothes, hair, height, build")


def own_numbers(language: str, field: str, text: str) -> Iterator[Advice]:
    for found in _PHONE.finditer(text):
        if found[0] not in HELP:
            said = "there is one number to call, and it is added by itself"
            yield _advice("number", language, field, found, said, "leave this number out")
    for found in _CODE.finditer(text):
        said = "the code is given at the start and added by itself"
        yield _advice("code", language, field, found, said, "leave it out")


def approaching(language: str, field: str, text: str) -> Iterator[Advice]:
    for found in _APPROACH[language].finditer(text):
        said = f"{found[0]!r} sends people towards somebody; everywhere else we tell them not to go"
        yield _advice("approach", language, field, found, said, "ask them to call, and nothing else")


def wide_signs(language: str, field: str, text: str) -> Iterator[Advice]:
    """Signs that no ordinary text message can hold: with one of them all of it takes more than twice the room."""
    for place, sign in enumerate(text):
        if sign not in GSM_7 and sign not in GSM_7_TWO_PLACES:
            instead = PLAIN.get(sign) or unicodedata.normalize("NFKD", sign)[0]
            usable = instead[0] in GSM_7 and instead != sign
            yield Advice(
                "wide-sign",
                language,
                f"{sign!r} makes the text message more than twice as long",
                f"write {instead!r}" if usable else "leave it out",
                Where(field, place, place + 1),
            )


RULES: tuple[Rule, ...] = (
    abbreviations,
    long_sentences,
    offences,
    origins,
    own_numbers,
    approaching,
    wide_signs,
)


def _advice(rule: str, language: str, field: str, found: re.Match[str], words: str, suggestion: str) -> Advice:
    return Advice(rule, language, words, suggestion, Where(field, found.start(), found.end()))


def _known(language: str) -> re.Pattern[str]:
    """Each abbreviation with its dots or without; one that is a word of its own only with them."""
    forms = []
    for short in sorted(ABBREVIATIONS[language], key=len, reverse=True):
        bare = short.rstrip(".")
        dots = r"\." if short.endswith(".") and bare in _ALSO_WORDS else r"\.?" if short.endswith(".") else ""
        forms.append(re.escape(bare).replace(r"\.", r"\.?") + dots)
    return re.compile(rf"(?<![\w.-])(?:{'|'.join(forms)})(?![\w-])", re.IGNORECASE)


_ALSO_WORDS = {
    "st",
    "min",
    "max",
    "no",
    "c",
    "gem",
    "nabij",
    "ri",
    "pol",
    "reg",
    "dir",
    "sign",
    "str",
    "jr",
    "alg",
    "kl",
}
_KNOWN = {language: _known(language) for language in ABBREVIATIONS}
_FULL = {
    language: {short.replace(".", ""): full for short, full in known.items()}
    for language, known in ABBREVIATIONS.items()
}
_OFFENCE = {
    language: re.compile(rf"(?<![\w-])(?:{'|'.join(stems)})\w*", re.IGNORECASE) for language, stems in OFFENCES.items()
}
_ORIGIN = {
    language: re.compile(
        rf"(?<![\w-])(?:{'|'.join(stems)})\w*\b(?! ?{NOT_OF_A_PERSON[language]})",
        re.IGNORECASE,
    )
    for language, stems in ORIGINS.items()
}
_APPROACH = {language: re.compile(said, re.IGNORECASE) for language, said in APPROACH.items()}
