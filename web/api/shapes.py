"""What requests to the API look like. These models check requests and write the OpenAPI document."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)
from pydantic.alias_generators import to_camel

from actions.desk import LONGEST_OPEN, SHORTEST_OPEN
from actions.geography import LARGEST_RADIUS_M, MOST_NAMES, SMALLEST_RADIUS_M, Area
from actions.models import Kind, MessageKind, Outcome, Status
from actions.options import OLDEST, YOUNGEST
from actions.search import Means
from actions.texts import LONGEST_BODY, LONGEST_TITLE, Texts, faults_in_body, faults_in_title

MOST_IN_A_PAGE = 200
MINUTE = timedelta(minutes=1)


class Input(BaseModel):
    """Something asked: unknown fields are faults."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True, allow_inf_nan=False)


class Faulty(ValueError):
    """A value that breaks a rule of the domain, in several ways at once."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = list(faults)


def _free_of(faults_in: Callable[[str], list[str]]) -> AfterValidator:
    """Checks a text by a rule of the domain."""

    def check(given: str) -> str:
        if faults := faults_in(given):
            raise Faulty(faults)
        return given

    return AfterValidator(check)


def _whole(given: object) -> object:
    if isinstance(given, str) and not re.fullmatch(r"[0-9]{1,10}", given):
        raise ValueError("must be a whole number")
    return given


def _whole_and_long(given: object) -> object:
    if isinstance(given, str) and not re.fullmatch(r"[0-9]{1,18}", given):
        raise ValueError("must be a whole number")
    return given


def _day(given: object) -> object:
    """A bare number would be read as seconds since 1970."""
    if isinstance(given, str) and not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", given):
        raise ValueError("must be a date, such as 2026-11-25")
    return given


# --- parts -----------------------------------------------------------------------------------------------------------

RowId = Annotated[int, Field(ge=1, le=2**31 - 1), BeforeValidator(_whole)]
EventId = Annotated[int, Field(ge=0, le=10**18 - 1), BeforeValidator(_whole_and_long)]
Month = Annotated[str, StringConstraints(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")]
Months = Annotated[int, Field(ge=1, le=36), BeforeValidator(_whole)]
Most = Annotated[int, Field(ge=1, le=MOST_IN_A_PAGE), BeforeValidator(_whole)]
Minutes = Annotated[int, Field(ge=SHORTEST_OPEN // MINUTE, le=LONGEST_OPEN // MINUTE)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]
Why = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\u0000-\u001f\u007f-\u009f]+$")]
IncidentNumber = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9./_-]{0,35}$")]
Title = Annotated[
    str,
    _free_of(faults_in_title),
    Field(
        description="Short: 'the blue Golf in Rotterdam'",
        json_schema_extra={"minLength": 1, "maxLength": LONGEST_TITLE},
    ),
]
Body = Annotated[str, _free_of(faults_in_body), Field(json_schema_extra={"minLength": 1, "maxLength": LONGEST_BODY})]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Position = Annotated[list[float], Field(min_length=2, max_length=3, description="[longitude, latitude]")]
Ring = Annotated[list[Position], Field(min_length=4, description="Closed: the last position is the first")]
Rings = Annotated[list[Ring], Field(min_length=1)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^[^\u0000-\u001f\u007f-\u009f]+$")]
Codes = Annotated[list[Code], Field(min_length=1, max_length=MOST_NAMES)]


class Circle(Input):
    type: Literal["circle"]
    lat: Latitude
    lon: Longitude
    radius: Annotated[float, Field(ge=SMALLEST_RADIUS_M, le=LARGEST_RADIUS_M, description="Metres")]


class Polygon(Input):
    type: Literal["Polygon"]
    coordinates: Rings


class MultiPolygon(Input):
    type: Literal["MultiPolygon"]
    coordinates: Annotated[list[Rings], Field(min_length=1)]


class Municipalities(Input):
    type: Literal["municipalities"]
    codes: Annotated[Codes, Field(description="As CBS gives them, or the names", examples=[["GM0599", "Schiedam"]])]


class SafetyRegions(Input):
    type: Literal["safety-regions"]
    codes: Annotated[Codes, Field(description="As CBS gives them, or the names", examples=[["VR17"]])]


class Regions(Input):
    type: Literal["regions"]
    ids: Annotated[list[Name], Field(min_length=1, max_length=MOST_NAMES, description="Police units")]


class Nation(Input):
    type: Literal["nation"]


def _usable(area: AnyArea) -> AnyArea:
    # Whether the outlines of the others are here is known to the database alone.
    if isinstance(area, Circle | Polygon | MultiPolygon):
        Area.parse(area.model_dump())
    return area


AnyArea = Circle | Polygon | MultiPolygon | Municipalities | SafetyRegions | Regions | Nation
AreaGiven = Annotated[AnyArea, Field(discriminator="type"), AfterValidator(_usable)]


class Words(Input):
    """A message in one language. No abbreviations, no suspicion; the number and the code are added by Burgernet."""

    title: Title
    text: Body


class WordsInLanguages(Input):
    """The words of a message. Everybody without another language gets the Dutch ones."""

    nl: Words
    en: Words | None = None

    def plain(self) -> Texts:
        given = {"nl": self.nl, "en": self.en}
        return {language: (words.title, words.text) for language, words in given.items() if words}


class ChoiceGiven(Input):
    """Among the participants there; an age is what somebody becomes this year."""

    languages: Annotated[list[Literal["nl", "en"]] | None, Field(min_length=1, max_length=2)] = None
    min_age: Annotated[int | None, Field(ge=YOUNGEST, le=OLDEST)] = None
    max_age: Annotated[int | None, Field(ge=YOUNGEST, le=OLDEST)] = None


Heading = Annotated[int, Field(ge=0, le=359, description="Degrees from north, clockwise")]
Moment = Annotated[AwareDatetime, Field(strict=False)]


class SeenGiven(Input):
    lat: Latitude
    lon: Longitude
    seen_at: Moment
    heading: Heading | None = None


class LastSeenGiven(SeenGiven):
    """Where somebody was last seen: the area grows from there with time."""

    means: Means


EXAMPLE_CIRCLE = {"type": "circle", "lat": 51.9225, "lon": 4.4792, "radius": 2000}
EXAMPLE_WORDS = {"nl": {"title": "de blauwe Golf in Rotterdam", "text": "Kijk uit naar een blauwe Volkswagen Golf."}}


def _example(**fields: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [fields]})


# --- requests --------------------------------------------------------------------------------------------------------


class ActionPath(Input):
    id: Annotated[RowId, Field(examples=[1])]


class RoomPath(Input):
    id: Annotated[Name, Field(examples=["rotterdam"])]


class RegionPath(Input):
    id: Annotated[Name, Field(examples=["rotterdam"])]


class OperatorPath(Input):
    id: Annotated[Name, Field(examples=["rotterdam-1"])]


class CallPath(Input):
    id: Annotated[
        str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,40}$"), Field(examples=["burgernet-one-1795567386.0"])
    ]


class PhotoPath(Input):
    id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$"), Field(examples=["0" * 32])]


class LinkBody(Input):
    model_config = _example(purpose="photo")

    purpose: Literal["photo", "place"]
    number: Annotated[
        str | None,
        StringConstraints(pattern=r"^[+0-9][0-9 ()-]{5,20}$"),
        Field(description="A mobile number; left out: the caller's own"),
    ] = None
    language: Annotated[Literal["nl", "en"] | None, Field(description="Left out: that of the call")] = None
    why: Why | None = None


class ActionsQuery(Input):
    room: Annotated[Name | None, Field(description="Only of this control room")] = None
    status: Status | None = None
    limit: Most = 50
    before: Annotated[RowId | None, Field(description="Only older than this action: `next` of the last page")] = None


class CallsQuery(Input):
    limit: Most = 50
    after: Annotated[
        str | None,
        StringConstraints(pattern=r"^[0-9]{1,16}_[A-Za-z0-9._-]{1,40}$"),
        Field(description="`next` of the last page"),
    ] = None


class EventsQuery(Input):
    after: Annotated[
        EventId | None, Field(description="Begin after this event. The header `Last-Event-ID` goes before it")
    ] = None
    action: Annotated[RowId | None, Field(description="Only what is about this action")] = None


class StatisticsQuery(Input):
    month: Annotated[Month | None, Field(description="The last month, such as 2026-11; else this one")] = None
    months: Annotated[Months, Field(description="How many months, up to that one")] = 1


class RoomCallsQuery(CallsQuery):
    room: Annotated[Name | None, Field(description="Only of this control room")] = None


class SpendingQuery(Input):
    day: Annotated[date | None, Field(description="Local date; without it: today"), BeforeValidator(_day)] = None


class ActionBody(Input):
    """An action, with an area, or where somebody was last seen."""

    model_config = _example(kind="look_out", region="rotterdam", area=EXAMPLE_CIRCLE, words=EXAMPLE_WORDS)

    kind: Kind
    region: Annotated[Name, Field(description="The police unit, such as rotterdam")]
    room: Annotated[Name | None, Field(description="The control room; else the one that serves the region")] = None
    operator: Annotated[Name | None, Field(description="Who starts it: rings first for its callers")] = None
    area: Annotated[AreaGiven | None, Field(description="Where; or else `lastSeen`")] = None
    last_seen: LastSeenGiven | None = None
    words: WordsInLanguages
    wake_reason: Annotated[Why | None, Field(description="Why it may wake who did not ask to be woken")] = None
    choice: ChoiceGiven | None = None
    exercise: Annotated[bool, Field(description="Reaches those who take part in exercises alone")] = False
    ends_after: Annotated[
        Minutes | None, Field(description="Minutes after which it ends by itself; else as its kind is set")
    ] = None

    @model_validator(mode="after")
    def _somewhere(self) -> ActionBody:
        if (self.area is None) == (self.last_seen is None):
            raise Faulty(["say where, once: `area` or `lastSeen`"])
        return self


class NewActionBody(ActionBody):
    """An action as a draft, or with `start` at once."""

    start: bool = False
    incident: Annotated[
        IncidentNumber | None,
        Field(description="Number in the room's own system: the same one twice makes one action"),
    ] = None
    why: Why | None = None


class IncidentBody(Input):
    """A report from a control room's own incident system. It becomes a draft that an operator starts, or not."""

    model_config = _example(
        number="2026-0815",
        kind="missing_child",
        region="rotterdam",
        place=EXAMPLE_CIRCLE,
        title="een meisje van zes in Rotterdam",
        text="Kijk uit naar een meisje van zes met een rode jas.",
    )

    number: Annotated[IncidentNumber, Field(description="The same number twice gives the same draft")]
    kind: Kind
    region: Annotated[Name, Field(description="The police unit, such as rotterdam")]
    room: Annotated[Name | None, Field(description="The control room; else the token's, else the region's")] = None
    place: Annotated[AreaGiven, Field(description="Where to look")]
    title: Annotated[Title, Field(description="In Dutch, short")]
    text: Annotated[Body, Field(description="In Dutch: what to look for")]
    why: Why | None = None


class SightingBody(SeenGiven):
    """A sighting that the operator believes: a search moves there."""

    model_config = _example(lat=51.93, lon=4.5, seenAt="2026-11-28T14:05:00Z", heading=90)

    why: Why | None = None


class ConfirmationBody(Input):
    """Believes a sighting that a citizen sent."""

    model_config = _example(sighting="0" * 32)

    sighting: Annotated[str, StringConstraints(pattern=r"^[a-f0-9]{32}$")]
    why: Why | None = None


class AlertBody(Input):
    """Starts a draft: its alert goes out."""

    operator: Annotated[Name | None, Field(description="Who starts it: rings first for its callers")] = None
    ends_after: Annotated[
        Minutes | None, Field(description="Minutes after which it ends by itself; else as its kind is set")
    ] = None
    why: Why | None = None


class UpdateBody(Input):
    model_config = _example(words=EXAMPLE_WORDS)

    words: WordsInLanguages
    why: Why | None = None


class ResultBody(Input):
    model_config = _example(outcome="direct", words=EXAMPLE_WORDS)

    outcome: Outcome
    words: WordsInLanguages
    why: Why | None = None


class MessageCheckBody(Input):
    model_config = _example(words=EXAMPLE_WORDS)

    words: WordsInLanguages
    kind: Annotated[Kind, Field(description="Of the action it is for")] = Kind.LOOK_OUT
    message: MessageKind = MessageKind.ALERT
    exercise: bool = False


class ExtensionBody(Input):
    model_config = _example(minutes=60)

    minutes: Annotated[Minutes, Field(description="So long from now it stays open")]
    why: Why | None = None


class NoteBody(Input):
    model_config = _example(text="De beller klonk zeker.")

    text: Annotated[str, StringConstraints(min_length=1, max_length=5000)]
    operator: Annotated[Name | None, Field(description="Whose note it is")] = None
    why: Why | None = None


class RoomBody(Input):
    """Changes to a control room; what is left out stays."""

    model_config = _example(open=False)

    open: Annotated[bool | None, Field(description="False closes it: its callers go elsewhere at once")] = None
    overflow: Annotated[list[Name] | None, Field(max_length=20, description="Who helps it out, in this order")] = None
    overflow_after: Annotated[float | None, Field(ge=0, le=3600, description="Seconds; goes with `overflow`")] = None
    wrap_up: Annotated[int | None, Field(ge=0, le=3600, description="Seconds")] = None
    why: Why | None = None


class HandOverBody(Input):
    model_config = _example(room="den-haag")

    room: Annotated[Name, Field(description="The control room that takes it")]
    why: Why | None = None


class OperatorBody(Input):
    """Changes to an operator; what is left out stays."""

    model_config = _example(serves="den-haag")

    serves: Annotated[Name | None, Field(description="The room whose callers come; the own one ends a loan")] = None
    languages: Annotated[list[Literal["nl", "en"]] | None, Field(min_length=1, max_length=2)] = None
    skills: Annotated[list[Name] | None, Field(max_length=20)] = None
    why: Why | None = None
