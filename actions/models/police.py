"""Police data: calls, recordings, tips, texts that came in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Index
from sqlmodel import Field, SQLModel

from actions.models.columns import POLICE, UtcTime, moment, token
from actions.models.words import DeliveryState


class Call(SQLModel, table=True):
    """One telephone conversation: who (sealed), which action and how we knew, and the time of every stage."""

    __table_args__ = {"schema": POLICE}
    id: str = Field(primary_key=True, max_length=40)
    direction: str = Field(default="in", max_length=3)
    dialled: str = Field(max_length=20)
    caller_kind: str = Field(max_length=12)  # numbers.CallerKind
    sealed: bytes | None = None
    digest: bytes | None = Field(default=None, index=True)
    key_version: int | None = None
    language: str = Field(default="nl", max_length=2)
    action_id: int | None = Field(default=None, index=True)
    match_how: str | None = Field(default=None, max_length=20)
    match_confidence: float | None = None
    match_reasons: list[str] = Field(default_factory=list, sa_type=JSON)
    triage: str | None = Field(default=None, max_length=10)  # urgency.Triage: what the caller said of the call
    room_id: str | None = Field(default=None, max_length=40)
    operator_id: str | None = Field(default=None, max_length=40)
    attempt_id: str | None = Field(default=None, max_length=32, index=True)  # of the alert that this call is
    callback_of: str | None = Field(default=None, max_length=40)  # the call whose place in line this one keeps
    arrived_at: datetime = moment(default=True, index=True)
    answered_at: datetime | None = moment()
    matched_at: datetime | None = moment()
    waiting_at: datetime | None = moment()
    connected_at: datetime | None = moment()
    ended_at: datetime | None = moment()
    ended_how: str | None = Field(default=None, max_length=30)
    # By side (caller, operator): the worst jitter_ms, loss and round_trip_ms that RTCP told of.
    quality: dict[str, dict[str, float | None]] | None = Field(default=None, sa_type=JSON(none_as_null=True))


class CallBack(SQLModel, table=True):
    """A caller who keeps the place in line and is called back. `id` is that of the caller's call; open until `ended_at`
    is set. `reason`: asked, node lost. Whoever stands in line for the caller holds the row until
    `claimed_until`."""

    __tablename__ = "call_back"
    __table_args__ = (Index("call_back_open", "ended_at", "due_at"), {"schema": POLICE})
    id: str = Field(primary_key=True, max_length=40)
    sealed: bytes
    digest: bytes = Field(index=True)
    key_version: int = Field(index=True)
    action_id: int
    match_how: str = Field(max_length=20)
    triage: str | None = Field(default=None, max_length=10)
    language: str = Field(max_length=2)
    arrived_at: datetime = Field(sa_type=UtcTime)
    reason: str = Field(max_length=20)
    tries: int = 0
    due_at: datetime = moment(default=True)
    claimed_by: str | None = Field(default=None, max_length=40)
    claimed_until: datetime | None = moment()
    created_at: datetime = moment(default=True)
    ended_at: datetime | None = moment()
    ended_how: str | None = Field(default=None, max_length=30)


class Recording(SQLModel, table=True):
    """Sound of a call, sealed: its tip, a piece of its talk, or an operator's note (`kind`: tip, talk, note). The plain
    file never stays behind."""

    __table_args__ = {"schema": POLICE}
    id: str = token()
    call_id: str = Field(max_length=40, index=True)
    kind: str = Field(default="tip", max_length=10, sa_column_kwargs={"server_default": "tip"})
    sealed: bytes
    key_version: int = Field(index=True)
    seconds: float
    created_at: datetime = moment(default=True)


class Tip(SQLModel, table=True):
    """What a citizen reports about an action. `sealed` holds text; `recording_id` sound; one of the two is set."""

    __table_args__ = {"schema": POLICE}
    id: str = token()
    action_id: int | None = Field(default=None, index=True)
    room_id: str | None = Field(default=None, max_length=40)
    call_id: str | None = Field(default=None, max_length=40, index=True)
    recording_id: str | None = Field(default=None, max_length=32)
    source: str = Field(max_length=10)  # call, text, key, note
    sealed: bytes | None = None
    key_version: int | None = Field(default=None, index=True)
    confidence: float | None = None
    match_how: str | None = Field(default=None, max_length=20)
    operator_id: str | None = Field(default=None, max_length=40)
    received_at: datetime = moment(default=True)


class Photo(SQLModel, table=True):
    """A picture of a tip, sealed; without what the camera wrote into it."""

    __table_args__ = {"schema": POLICE}
    id: str = token()
    tip_id: str = Field(max_length=32, index=True)
    sealed: bytes
    key_version: int = Field(index=True)
    created_at: datetime = moment(default=True)


class Sighting(SQLModel, table=True):
    """Where and when a tip says that somebody was seen: RD metres, `heading` in degrees from north. An operator who
    believes it sets `confirmed_at`."""

    __table_args__ = {"schema": POLICE}
    id: str = token()
    tip_id: str | None = Field(default=None, max_length=32, index=True)
    action_id: int = Field(index=True)
    x: float
    y: float
    accuracy: int | None = None  # metres
    heading: int | None = None
    seen_at: datetime = Field(sa_type=UtcTime)
    received_at: datetime = moment(default=True)
    confirmed_at: datetime | None = moment()
    confirmed_by: str | None = Field(default=None, max_length=80)


class OneTimeLink(SQLModel, table=True):
    """A link by which somebody may send one photo or place, once, until `expires_at`. Only the hash of its secret is
    kept. `purpose`: photo, place."""

    __tablename__ = "one_time_link"
    __table_args__ = {"schema": POLICE}
    id: str = token()
    digest: bytes = Field(unique=True)
    purpose: str = Field(max_length=10)
    action_id: int | None = None
    call_id: str | None = Field(default=None, max_length=40)
    room_id: str | None = Field(default=None, max_length=40)
    language: str = Field(default="nl", max_length=2)
    created_at: datetime = moment(default=True)
    expires_at: datetime = Field(sa_type=UtcTime)
    used_at: datetime | None = moment()


class InboundText(SQLModel, table=True):
    """A text that came in, and our one answer to it. `id` is the provider's: a repeated callback finds its row.

    `sealed` holds the sender's number; what the text said is kept only as a tip. `answer` names the words to send back
    (None: no answer); the answer's columns are its queue."""

    __tablename__ = "inbound_text"
    __table_args__ = (Index("inbound_text_answers", "answer_state", "answer_due_at"), {"schema": POLICE})
    id: str = Field(primary_key=True, max_length=64)
    sealed: bytes
    digest: bytes = Field(index=True)
    key_version: int = Field(index=True)
    meaning: str = Field(max_length=10)  # stop, start, tip, unclear
    action_id: int | None = None
    language: str = Field(default="nl", max_length=2)
    received_at: datetime = moment(default=True)
    answer: str | None = Field(default=None, max_length=20)
    answer_state: str = Field(default=DeliveryState.PENDING, max_length=12)
    answer_tries: int = 0
    answer_due_at: datetime = moment(default=True)
    answer_provider_id: str | None = Field(default=None, max_length=64)
