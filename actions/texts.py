"""What may be a message: not empty, not too long, no control characters."""

import unicodedata
from collections.abc import Mapping

LANGUAGES = ("nl", "en")
LONGEST_TITLE = 80
LONGEST_BODY = 1000
UNSENDABLE = ("Cc", "Cs", "Co")
# These turn the reading direction: a plate or a number could be read back to front.
TURNS = {*"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"}

Texts = Mapping[str, tuple[str, str]]  # language -> (title, body)


def faults_in_text(title: str, body: str) -> list[str]:
    """Every reason why this cannot be sent, in words that tell what to do; empty when it can."""
    return [*faults_in_title(title), *faults_in_body(body)]


def faults_in_title(title: str) -> list[str]:
    return _faults("the title", title, LONGEST_TITLE)


def faults_in_body(body: str) -> list[str]:
    return _faults("the text", body, LONGEST_BODY)


def faults_in_texts(texts: Texts) -> list[str]:
    """Every fault in the texts of a message; Dutch must be there."""
    faults = [
        f"{language}: {fault}" for language, (title, body) in texts.items() for fault in faults_in_text(title, body)
    ]
    faults += [
        f"language {language!r} is not known: use {' or '.join(LANGUAGES)}"
        for language in texts
        if language not in LANGUAGES
    ]
    return (
        faults if "nl" in texts else [*faults, "the Dutch text is missing: everybody without another language gets it"]
    )


def _faults(what: str, given: str, longest: int) -> list[str]:
    faults = []
    if not any(unicodedata.category(sign)[0] in "LNPS" for sign in given):
        faults.append(f"{what} is empty: say what to look for")
    if len(given) > longest:
        faults.append(f"{what} has {len(given)} characters; at most {longest} fit")
    if any((unicodedata.category(sign) in UNSENDABLE and sign != "\n") or sign in TURNS for sign in given):
        faults.append(f"{what} holds a control character: type it again instead of pasting it")
    return faults
