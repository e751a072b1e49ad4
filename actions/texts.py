"""What may be a message: not empty, not too long, no control characters."""

import unicodedata

LONGEST_TITLE = 80
LONGEST_BODY = 1000


def faults_in_text(title: str, body: str) -> list[str]:
    """Every reason why this cannot be sent, in words that tell what to do; empty when it can."""
    return [*_faults("the title", title, LONGEST_TITLE), *_faults("the text", body, LONGEST_BODY)]


def _faults(what: str, given: str, longest: int) -> list[str]:
    faults = []
    if not given.strip():
        faults.append(f"{what} is empty: say what to look for")
    if len(given) > longest:
        faults.append(f"{what} has {len(given)} characters; at most {longest} fit")
    if any(unicodedata.category(sign) in ("Cc", "Cs", "Co") and sign != "\n" for sign in given):
        faults.append(f"{what} holds a control character: type it again instead of pasting it")
    return faults
