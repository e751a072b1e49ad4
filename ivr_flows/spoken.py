"""Writing texts out for the ear: what a voice would read wrong is spelled as people say it."""

import re

ABBREVIATIONS = {
    "nl": {
        "a.u.b.": "alstublieft",
        "ca.": "ongeveer",
        "cm": "centimeter",
        "e.o.": "en omgeving",
        "i.v.m.": "in verband met",
        "nr.": "nummer",
        "o.a.": "onder andere",
        "t.h.v.": "ter hoogte van",
    },
    "en": {
        "approx.": "about",
        "cm": "centimetres",
        "incl.": "including",
    },
}
TIME = {"nl": "{hour} uur {minute}"}

_POSTCODE = re.compile(r"\b([1-9]\d{3}) ?([A-Z]{2})\b")
# A Dutch plate: three groups of letters and digits, at least one of each.
_PLATE = re.compile(r"\b(?=[A-Z0-9-]*\d)(?=[A-Z0-9-]*[A-Z])[A-Z0-9]{1,3}-[A-Z0-9]{2,3}-[A-Z0-9]{1,2}\b")
_UNIT = r" ?(?:%|€|euro|[ck]?m\b|kg\b|kilo|(?:centi)?met(?:er|re))"
# A length ("1.55 m"), a price or a date holds the same signs as a time.
_TIME = re.compile(r"(?<![\d.:,])([01]?\d|2[0-3])[:.]([0-5]\d)\b(?![.:]\d|" + _UNIT + ")")
_NUMBER_WITH_DASH = re.compile(r"\b\d{2,4}-\d{4,8}\b")
# A code, what begins with a nought, and what is too long for a quantity. "1.427", "1,75" and "180 cm" are quantities.
_LONG_NUMBER = re.compile(r"(?<!\d)(?<!\d[.,])(?:\d{3}|0\d+|\d{5,})(?!\d|[.,]\d|" + _UNIT + ")")


def spoken(text: str, language: str) -> str:
    """The text as it should be read aloud: codes, telephone numbers, postcodes and plates sign by sign, times and
    abbreviations in words."""
    text = _POSTCODE.sub(lambda found: _apart(found[1] + found[2]), text)
    text = _PLATE.sub(lambda found: _apart(found[0].replace("-", "")), text)
    text = _NUMBER_WITH_DASH.sub(lambda found: _apart(found[0].replace("-", "")), text)
    text = _TIME.sub(lambda found: _time(found[1], found[2], language), text)
    text = _LONG_NUMBER.sub(lambda found: _apart(found[0]), text)
    return " ".join(_word(word, language) for word in text.split())


def _apart(signs: str) -> str:
    return " ".join(signs)


def _time(hour: str, minute: str, language: str) -> str:
    spelled = "" if minute == "00" else str(int(minute)) if minute[0] != "0" else minute.replace("0", "0 ", 1)
    return TIME.get(language, "{hour} {minute}").format(hour=int(hour), minute=spelled).strip()


def _word(word: str, language: str) -> str:
    """A word in full; the sign after it stays ("180 cm.")."""
    known = ABBREVIATIONS.get(language, {})
    if found := known.get(word.lower()):
        return found
    bare = word.rstrip(".,;:!?)")
    return known.get(bare.lower(), bare) + word[len(bare) :]
