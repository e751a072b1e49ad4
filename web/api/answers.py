"""What answers of the API look like. These models write the answers and the OpenAPI document."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from actions.models import Kind, Outcome, Status
from watch.rules import Severity


class Output(BaseModel):
    """Something answered."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


class WordsOut(Output):
    title: str
    text: str


class ActionOut(Output):
    id: int
    code: str | None = Field(description="What callers key; a draft has none")
    kind: Kind
    status: Status
    room: str
    region: str
    operator: str | None
    incident: str | None
    area: dict[str, Any] = Field(description="A circle, GeoJSON, names or the nation: as it was given")
    words: dict[str, WordsOut] = Field(description="Of the alert, by language")
    created_at: datetime
    started_at: datetime | None
    ends_at: datetime | None = Field(description="While it is open: when it ends by itself, without result")
    ended_at: datetime | None
    outcome: Outcome | None
    exercise: bool = Field(description="It is none for real: it reaches those who take part in exercises alone")


class ActionsOut(Output):
    items: list[ActionOut]
    next: int | None = Field(description="Give it as `before` for the next page; null on the last one")


class CountedOut(Output):
    """How many, by what it means."""

    total: int
    human: int = Field(description="A key was pressed")
    answered: int = Field(description="Picked up, nothing pressed")
    text: int = Field(description="A text reached the telephone")
    push: int = Field(description="A notice was shown")
    mail: int = Field(description="The mail server took it")
    machine: int = Field(description="An answering machine is suspected")
    unknown: int = Field(description="Given to the provider, nothing heard since")
    waiting: int = Field(description="Still to be sent, or under way")
    not_reached: int
    never_tried: int = Field(description="Over before it could be sent")


class RingOut(CountedOut):
    ring: int = Field(description="1 is the nearest; 0 is no part of a wave")


class MessageReachOut(CountedOut):
    """Deliveries of one message: telephones, mailboxes and browsers. People are counted apart."""

    message: int
    kind: Literal["alert", "update", "result"]
    people: CountedOut = Field(
        description="Each once, by the best that became of any of theirs; a telephone that people share counts for one"
    )
    rings: list[RingOut] = Field(description="Nearest first")
    ways: dict[str, CountedOut] = Field(description="By channel")
    channels: dict[str, dict[str, int]] = Field(description="Channel, state, deliveries")
    reasons: dict[str, int] = Field(description="Why not reached or never tried, counted")


class ReachOut(Output):
    messages: list[MessageReachOut] = Field(description="Oldest first")


class StatisticOut(Output):
    """Actions of one month, kind and region. Exercises are left out."""

    month: str
    kind: Kind
    region: str
    actions: int = Field(description="That started in this month")
    ended: int
    direct: int = Field(description="Ended thanks to those who looked out")
    indirect: int = Field(description="Ended with their help")
    direct_share: float | None = Field(description="Of those that ended")
    indirect_share: float | None
    people: int = Field(description="Alerted, each once an action")
    reached: int = Field(description="For whom that is certain: a key, an answer, a text delivered, a notice shown")
    calls: int
    tips: int
    first_alert: float | None = Field(description="Seconds from start to first alert, on average")
    first_call: float | None = Field(description="Seconds from start to first call, on average")


class GoalOut(Output):
    direct_share: float
    indirect_share: float


class StatisticsOut(Output):
    goal: GoalOut
    items: list[StatisticOut] = Field(description="By month, kind and region")


class RingPreviewOut(Output):
    ring: int = Field(description="1 is the nearest")
    metres: int = Field(description="How far its farthest address is")
    deliveries: int


class ChannelPreviewOut(Output):
    now: int = Field(description="Deliveries at once")
    later: int = Field(description="When quiet hours end")
    seconds: float = Field(description="How long those of now take")
    euros: float = Field(description="What all of them cost; 0 where no price is set")


class PreviewOut(Output):
    """What the start of an action would do at this moment. Nothing was written."""

    at: datetime
    exact: bool = Field(description="Everybody was looked at; else the numbers are reckoned from a part")
    people: int
    contact_points: int = Field(description="Telephones, mailboxes and browsers")
    channels: dict[str, ChannelPreviewOut]
    rings: list[RingPreviewOut]
    woken_by_choice: int = Field(description="In quiet hours, of those who chose to be woken by this kind")
    woken_for_reason: int = Field(description="In quiet hours, of those who did not: for `wakeReason`")
    left_asleep: int = Field(description="They wait for the end of quiet hours")
    area: dict[str, Any] = Field(description="GeoJSON, whatever way it was given")


class SightingOut(Output):
    id: str
    lat: float
    lon: float
    accuracy: int | None = Field(description="Metres")
    heading: int | None = Field(description="Degrees from north")
    seen_at: datetime
    received_at: datetime
    confirmed_at: datetime | None = Field(description="Since when an operator believes it")


class SightingsOut(Output):
    items: list[SightingOut]


class OperatorOut(Output):
    id: str = Field(description="An operator, or a seat of the room's own exchange")
    state: str = Field(description="idle, ringing, talking or wrap_up")
    since: datetime


class LineOut(Output):
    on_duty: list[str] = Field(description="Operators who can get callers, or have one")
    busy: list[str] = Field(description="Those of them who are rung or talk")
    operators: list[OperatorOut] = Field(description="What each of them does now")
    waiting: int = Field(description="Callers whose room this is")


class RoomOut(Output):
    id: str
    name: str
    closed_since: datetime | None = Field(description="Set while it takes no callers")
    overflow: list[str] = Field(description="The rooms that help it out, in this order")
    overflow_after: float | None = Field(
        description="A caller joins one more room's line every so many seconds; null: as the deployment is set"
    )
    wrap_up: int = Field(description="Seconds after a talk in which no caller comes to the operator")
    seats: int = Field(description="Calls that its own exchange takes at once; 0: its phones are signed on here")
    next_room: str | None = Field(description="The first of `overflow`")
    line: LineOut | None = Field(description="Null while the waiting lines cannot be read")


class RoomBrief(Output):
    id: str
    name: str


class DutyOut(Output):
    id: str
    room: str = Field(description="The own room")
    serves: str = Field(description="The room whose callers come")
    languages: list[str]
    skills: list[str]
    on_duty_since: datetime | None


class RoomsOut(Output):
    items: list[RoomOut]


class AlarmOut(Output):
    name: str
    subject: str = Field(description="The room, trunk, source or process that it is about")
    severity: Severity
    since: datetime
    words: str = Field(description="What is wrong and what to do about it")


class SpentOut(Output):
    """What one provider was given on one channel, on one local day. `provider` empty: all of the channel together."""

    channel: str
    provider: str
    sent: int = Field(description="Texts, calls, mails or push messages")
    parts: int = Field(description="Parts of texts, minutes of calls")
    euros: float
    budget_euros: float | None = Field(description="null: no budget")
    used: float | None = Field(description="Share of the budget: 0.8 is 80 %")


class SpendingOut(Output):
    day: date
    items: list[SpentOut]


class AlarmsOut(Output):
    items: list[AlarmOut] = Field(description="The worst first")


class CallOut(Output):
    """A call, without the number of the caller."""

    id: str
    direction: Literal["in", "out"]
    caller_kind: str
    language: str
    action: int | None
    match_how: str | None
    match_confidence: float | None
    room: str | None
    operator: str | None
    arrived_at: datetime
    answered_at: datetime | None
    matched_at: datetime | None
    waiting_at: datetime | None
    connected_at: datetime | None
    ended_at: datetime | None
    ended_how: str | None
    exercise: bool = Field(description="About an exercise")


class CallsOut(Output):
    items: list[CallOut]
    next: str | None = Field(description="Give it as `after` for the next page; null on the last one")


class TipOut(Output):
    id: str
    source: str
    received_at: datetime
    room: str | None
    match_how: str | None
    match_confidence: float | None
    operator: str | None
    said: str = Field(description="Its words, or what stands for them")
    has_sound: bool
    exercise: bool = Field(description="About an exercise")
    photos: list[str] = Field(description="Ids for /photos/{id}")


class TipsOut(Output):
    items: list[TipOut]


class LinkOut(Output):
    """A link on its way to a telephone. Neither it nor the number is told."""

    purpose: Literal["photo", "place"]
    expires_at: datetime


class NoteOut(Output):
    id: str
    call: str


class FaultOut(Output):
    where: Literal["path", "query", "header", "body"] = Field(alias="in")
    pointer: str | None = Field(description="Where in it, as a JSON pointer")
    detail: str


class ProblemOut(Output):
    """What went wrong (RFC 9457), with all faults at once."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FaultOut]


class AdviceOut(Output):
    rule: str
    severity: Literal["advice", "blocks"] = Field(description="blocks: it cannot be sent like this")
    language: str
    field: str | None = Field(description="title or text; null when it is about something that is not there")
    start: int | None = Field(description="The first sign of the piece, counted in Unicode code points from 0")
    end: int | None = Field(description="The first sign after it")
    words: str
    suggestion: str


class FindingsOut(Output):
    can_be_sent: bool
    segments: dict[str, int] = Field(description="Text messages for each telephone, by language")
    advice: list[AdviceOut]


class RenditionOut(Output):
    way: str = Field(description="voice, text, push, mail, x, mastodon, board")
    language: str
    text: str
    length: int
    unit: str
    most: int | None = Field(description="So much fits; null: there is no bound")
    remarks: list[str]


class MessageRenditionsOut(Output):
    message: int | None = Field(description="Null for a draft's")
    kind: Literal["alert", "update", "result"]
    renditions: list[RenditionOut]


class RenditionsOut(Output):
    messages: list[MessageRenditionsOut] = Field(description="Oldest first")
