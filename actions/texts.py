"""What may be a message: not empty, not too long, no control characters."""

import unicodedata

LONGEST_TITLE = 80
LONGEST_BODY = 1000
UNSENDABLE = ("Cc", "Cs", "Co")
# These turn the reading direction: a plate or a number could be read back to front.
TURNS = {*"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"}


def faults_in_text(title: str, body: str) -> list[str]:
    """Every reason why this cannot be sent, in words that tell what to do; empty when it can."""
    return [*_faults("the title", title, LONGEST_TITLE), *_faults("the text", body, LONGEST_BODY)]


def _faults(what: str, given: str, longest: int) -> list[str]:
    faults = []
    if not any(unicodedata.category(sign)[0] in "LNPS" for sign in given):
        faults.append(f"{what} is empty: say what to look for")
    if len(given) > longest:
        faults.append(f"{what} has {len(given)} characters; at most {longest} fit")
    if any((unicodedata.category(sign) in UNSENDABLE and sign != "\n") or sign in TURNS for sign in given):
        faults.append(f"{what} holds a control character: type it again instead of pasting it")
    return faults
