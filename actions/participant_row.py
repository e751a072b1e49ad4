"""One row of a list of participants, as words: checked, and made into an entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from actions.contacts import CHANNELS as OF_KIND
from actions.contacts import ContactKind, read_mail
from actions.entry import Entry
from actions.geography import in_the_netherlands, to_rd
from actions.models import now
from actions.numbers import CallerKind, Number, read_number
from actions.places.addresses import Key, address_key
from actions.wishes import NIGHT, Wishes, read_kinds, read_quiet

LANGUAGES = ("nl", "en")
# A browser tells its subscription itself: no list has it.
CHANNELS = frozenset().union(*(channels for kind, channels in OF_KIND.items() if kind != ContactKind.BROWSER))
YOUNGEST, OLDEST = 16, 120
LONGEST_REFERENCE = 80
YES_OR_NO = {"": False, "no": False, "yes": True}


@dataclass(frozen=True)
class ParticipantRow:
    """`address`: where the place of the entry is to be looked up; None when it is known."""

    entry: Entry
    address: Key | None = None

    def at(self, place: tuple[float, float]) -> Entry:
        """The entry at a place in RD metres."""
        return replace(self.entry, x=place[0], y=place[1])


def read_row(row: Mapping[str, str]) -> ParticipantRow:
    """A row by its column names; those that are optional may be absent or empty. Raises ValueError with every fault."""
    reading = _Reading({name: value.strip() for name, value in row.items()})
    place, address = reading.place()
    number, mail, channels = reading.number(), reading.mail(), reading.channels()
    if not reading.faults:
        reading.faults += _mismatches(number, mail, channels)
    language, postcode, wishes = reading.one_of("language", LANGUAGES), reading.postcode(), reading.wishes()
    birth_year, exercise, follows = reading.birth_year(), reading.yes_or_no("exercise"), reading.yes_or_no("follows")
    if reading.faults:
        raise ValueError("; ".join(reading.faults))
    entry = Entry(
        language,
        postcode,
        place[0],
        place[1],
        number.e164,
        number.kind,
        channels,
        mail=mail,
        wishes=wishes,
        birth_year=birth_year,
        exercise=exercise,
        follows=follows,
        participant=row.get("participant", "").strip()[:LONGEST_REFERENCE] or None,
    )
    return ParticipantRow(entry, address)


def read_birth_year(given: str) -> int:
    """A year of birth of somebody who is 16 or older, or becomes it this year. Raises ValueError."""
    this_year = now().year
    if not (given.isascii() and given.isdigit() and this_year - OLDEST <= int(given[:5]) <= this_year - YOUNGEST):
        raise ValueError(f"the year of somebody of {YOUNGEST} or older, such as {this_year - 40}")
    return int(given)


class _Reading:
    """Reads one value after the other; each fault is kept and reading goes on."""

    def __init__(self, row: Mapping[str, str]) -> None:
        self._row, self.faults = row, list[str]()

    def one_of(self, name: str, choices: tuple[str, ...]) -> str:
        if self._row[name] not in choices:
            self.faults.append(f"{name} must be {' or '.join(choices)}")
        return self._row[name]

    def postcode(self) -> str:
        digits = self._row["postcode"][:4]
        if not (len(digits) == 4 and digits.isascii() and digits.isdigit() and digits[0] != "0"):
            self.faults.append("postcode must begin with four digits")
        return digits

    def place(self) -> tuple[tuple[float, float], Key | None]:
        """Degrees go before an address."""
        lat, lon, house = (self._row.get(name, "") for name in ("lat", "lon", "number"))
        if house and not (lat or lon):
            try:
                return (0.0, 0.0), address_key(self._row["postcode"], house)
            except ValueError as fault:
                self.faults.append(str(fault))
                return (0.0, 0.0), None
        x, y = _place(lat, lon)
        if not in_the_netherlands(x, y):
            self.faults.append("lat and lon must be degrees of a place in the Netherlands")
        return (x, y), None

    def number(self) -> Number:
        given = self._row.get("mobile", "")
        number = read_number(given)
        if given and number.kind not in (CallerKind.MOBILE, CallerKind.LANDLINE):
            self.faults.append("mobile must be a Dutch telephone number")
        return number

    def mail(self) -> str | None:
        given = self._row.get("mail", "")
        address = read_mail(given)
        if given and address is None:
            self.faults.append("mail must be a mail address")
        return address

    def channels(self) -> frozenset[str]:
        channels = frozenset(self._row["channels"].split())
        if not channels or not channels <= CHANNELS:
            self.faults.append(f"channels must be one or more of {' '.join(sorted(CHANNELS))}")
        return channels

    def wishes(self) -> Wishes:
        """Whoever came in by a list never said that he may be woken: the night is quiet unless the list says so."""
        wishes = Wishes(quiet_from=NIGHT[0], quiet_until=NIGHT[1])
        for name, read in (("kinds", _kinds), ("wakes", _wakes), ("quiet", _quiet)):
            if given := self._row.get(name, ""):
                try:
                    wishes = replace(wishes, **read(given))
                except ValueError as fault:
                    self.faults.append(f"{name} must be {fault}")
        return wishes

    def birth_year(self) -> int | None:
        given = self._row.get("birth_year", "")
        try:
            return read_birth_year(given) if given else None
        except ValueError as fault:
            self.faults.append(f"birth_year must be {fault}")
            return None

    def yes_or_no(self, name: str) -> bool:
        given = self._row.get(name, "").lower()
        if given not in YES_OR_NO:
            self.faults.append(f"{name} must be yes or no")
        return YES_OR_NO.get(given, False)


def _kinds(given: str) -> dict[str, int]:
    return {"kinds": read_kinds(given)}


def _wakes(given: str) -> dict[str, int]:
    return {"wakes": read_kinds(given, none=True)}


def _quiet(given: str) -> dict[str, int]:
    start, end = read_quiet(given)
    return {"quiet_from": start, "quiet_until": end}


def _mismatches(number: Number, mail: str | None, channels: frozenset[str]) -> list[str]:
    """Channels for which the row has nothing to use."""
    faults = []
    if "sms" in channels and number.kind is CallerKind.LANDLINE:
        faults.append("a land line takes no texts: leave sms out")
    if number.e164 is None and channels & {"sms", "voice"}:
        faults.append("mobile must be a Dutch telephone number")
    if mail is None and "email" in channels:
        faults.append("mail must be a mail address")
    return faults


def _place(lat: str, lon: str) -> tuple[float, float]:
    try:
        return to_rd(float(lat), float(lon))
    except ValueError:
        return (0.0, 0.0)
