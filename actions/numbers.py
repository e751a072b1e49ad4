"""Telephone numbers: what a caller ID or a typed number is. The only file that knows the phonenumbers library."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType

HOME = "NL"
LONGEST = 40
# Real numbers that the library calls invalid or does not know.
SERVICES = {"112": "emergency", "144": "animals", "116000": "missing children", "116111": "child line"}
WITHHELD = {"anonymous", "restricted", "unavailable", "unknown", "withheld"}
_DIALLABLE = re.compile(r"[+(]?[0-9][0-9 ()./-]*")


class CallerKind(StrEnum):
    MOBILE = "mobile"
    LANDLINE = "landline"
    FOREIGN = "foreign"
    SERVICE = "service"
    TOLL_FREE = "toll_free"
    OTHER = "other"
    WITHHELD = "withheld"
    ANONYMOUS = "anonymous"  # by own wish, key 0
    MALFORMED = "malformed"


@dataclass(frozen=True)
class Number:
    """`e164` is set for every kind that can be called back; `area_code` ("010", "0172") for Dutch land lines."""

    kind: CallerKind
    e164: str | None = None
    area_code: str | None = None


# The same caller ID is read several times in one call.
@lru_cache(1_000)
def read_number(raw: str | None) -> Number:
    """What a stranger's caller ID is. Never raises, whatever it holds."""
    given = (raw or "").strip()
    if not given or given.lower() in WITHHELD:
        return Number(CallerKind.WITHHELD)
    if given in SERVICES:
        return Number(CallerKind.SERVICE)
    if len(given) > LONGEST or not given.isascii() or not _DIALLABLE.fullmatch(given):
        return Number(CallerKind.MALFORMED)
    try:
        parsed = phonenumbers.parse(given, HOME)
    except NumberParseException:
        return Number(CallerKind.MALFORMED)
    if not phonenumbers.is_valid_number(parsed):
        return Number(CallerKind.MALFORMED)
    return _known(parsed)


def allowed(e164: str, prefixes: Iterable[str], refused: Iterable[str]) -> bool:
    """Whether we may call or text this number: inside an allowed range and outside every refused one."""
    return e164.startswith(tuple(prefixes)) and not e164.startswith(tuple(refused))


def _known(parsed: phonenumbers.PhoneNumber) -> Number:
    e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    if phonenumbers.region_code_for_number(parsed) != HOME:
        return Number(CallerKind.FOREIGN, e164)
    match phonenumbers.number_type(parsed):
        case PhoneNumberType.MOBILE:
            return Number(CallerKind.MOBILE, e164)
        case PhoneNumberType.FIXED_LINE:
            return Number(CallerKind.LANDLINE, e164, _area_code(parsed))
        case PhoneNumberType.TOLL_FREE:
            return Number(CallerKind.TOLL_FREE, e164)
        case _:
            return Number(CallerKind.OTHER, e164)


def _area_code(parsed: phonenumbers.PhoneNumber) -> str:
    national = phonenumbers.national_significant_number(parsed)
    return "0" + national[: phonenumbers.length_of_geographical_area_code(parsed)]
