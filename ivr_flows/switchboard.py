"""What the conversations need at hand: the book of calls, the open actions, the rooms and the waiting line."""

import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from actions.books import Actor
from actions.call_backs import CallBacks
from actions.call_book import CallBook
from actions.desk import Desk, Refused
from actions.duty import Room
from actions.live import OpenActions
from actions.matching import Postcodes, regions_of
from actions.rooms import Rooms
from actions.short_numbers import ShortNumbers
from actions.store import Away
from actions.withdrawals import Withdrawals
from actions.wordings import Wordings
from alerting.inbound.link_texts import LinkTexts
from telephony.place import Place, Staff
from telephony.quality import Quality
from telephony.waiting_line import LineAway, WaitingLine

log = logging.getLogger(__name__)


# These answers mean that nobody sits at the phone: the operator goes off duty. A busy one keeps the duty.
GONE = {
    "no_answer": "the phone was not answered",
    "unreachable": "the phone is not registered",
    "not_in_use": "the phone is not registered",
}


@dataclass(frozen=True)
class Patience:
    """How long, in seconds, each wait of a caller may last."""

    starter_rings: float = 10
    operator_rings: float = 20
    in_one_room: float = 60
    in_line: float = 900
    first_told: float = 8
    told_again: float = 45
    match: float = 0.3
    key: float = 5
    tip: float = 120


@dataclass(frozen=True)
class TalkRules:
    """What operators may do in a talk. `recorded_kinds`: of action, whose talks may be recorded. `patrols`: room -> key
    -> E.164 number. `trunks`: by which numbers outside are called, showing `caller_id`; those of exercises by
    `exercise_trunks` alone."""

    recorded_kinds: frozenset[str] = frozenset()
    patrols: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    trunks: tuple[str, ...] = ()
    exercise_trunks: tuple[str, ...] = ()
    caller_id: str = ""

    def ways(self, *, exercise: bool) -> tuple[str, ...]:
        """The trunks by which a number outside may be called."""
        return self.exercise_trunks if exercise else self.trunks


@dataclass(frozen=True)
class Switchboard:
    book: CallBook
    desk: Desk
    short_numbers: ShortNumbers
    withdrawals: Withdrawals
    wordings: Wordings
    actions: OpenActions
    rooms: Mapping[str, Room]
    area_codes: Mapping[str, Sequence[str]]
    operator_languages: Mapping[str, str]
    line: WaitingLine
    duties: Rooms
    look_at: Callable[[str], Awaitable[None]]  # an operator's duty changed: into the line, or out of it
    quality: Quality
    national_room: str
    free_number: str  # as people read it: 0800-0011
    call_backs: CallBacks
    may_call: Callable[[str], bool] = lambda _: False  # whether a number can be called back
    link_texts: LinkTexts | None = None  # None: no texts leave from here
    postcodes: Sequence[Postcodes] = ()
    grace: timedelta = timedelta(0)  # so long after its end an action is still spoken about
    patience: Patience = Patience()
    talks: TalkRules = TalkRules()

    def regions_of(self, area_code: str | None) -> Sequence[str]:
        """The regions a land-line area code reaches into, its own first; none when it is unknown."""
        return self.area_codes.get(area_code, ()) if area_code else ()

    def regions_of_postcode(self, postcode: str) -> Sequence[str]:
        """The regions a four-digit postcode may lie in; none when there is no such postcode."""
        return regions_of(postcode, self.postcodes)

    def operator_language(self, operator: str) -> str:
        return self.operator_languages.get(operator, "nl")

    def rooms_from(self, room_id: str) -> Iterator[str]:
        """The room itself, those that help it out in the order it set, the national room; no room twice."""
        room = self.rooms.get(room_id)
        yield from dict.fromkeys((room_id, *(room.overflow if room else ()), self.national_room))

    def overflow_after_s(self, room_id: str) -> float:
        """How long callers of this room wait before they stand in one more room's line."""
        room = self.rooms.get(room_id)
        after = room.overflow_after_s if room else None
        return self.patience.in_one_room if after is None else after

    def room_name(self, room_id: str) -> str:
        room = self.rooms.get(room_id)
        return room.name if room else room_id

    async def stands_where_staffed(self, place: Place) -> bool:
        """Whether anybody is on duty for this place; when nobody is in its own lines, it stands in all others at once.
        When nobody there speaks its language any more, any operator will do. Raises LineAway."""
        staff = await self.line.staff(place.rooms, place.language)
        if staff is Staff.OTHERS:
            await place.wants("")
        if staff is not Staff.NOBODY:
            return True
        for room in self.rooms_from(place.rooms[0]):
            if await self.line.staffed(room):
                await place.also_in(room)
        return await self.line.staff(place.rooms, "") is not Staff.NOBODY

    async def language_among(self, rooms: Iterable[str], language: str) -> str:
        """The language, when anybody on duty in these rooms speaks it; else "": any operator will do.
        Raises LineAway."""
        return language if await self.line.staff(rooms, language) is Staff.SPEAKS else ""

    async def not_reached(self, operator: str, how: str) -> None:
        """Takes off duty an operator at whose phone nobody sits (`how`: as NotReached has it), in SQL first. Never
        fails: the next restore of the line repairs what could not be written."""
        if not (why := GONE.get(how)):
            return
        try:
            await self.desk.sign_off(operator, Actor("telephony", "waiting-line", why))
            await self.look_at(operator)
        except (Refused, LineAway, *Away) as fault:
            log.warning("operator %s could not be taken off duty: %s", operator, fault)
