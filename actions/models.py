"""Every durable fact, as tables: the action desk, the participant register and the police data.

Three groups, in PostgreSQL three schemas: `desk` (actions, rooms, deliveries, outbox, audit), `register` (who takes
part) and `police` (calls, recordings, tips). On SQLite they share one file. A column named `sealed` holds ciphertext of
a `vault.Vault`; `key_version` beside it tells which key; `digest` is the keyed hash by which it can be found again.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Index,
    Integer,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

DESK, REGISTER, POLICE = "desk", "register", "police"


def now() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)


class UtcTime(TypeDecorator[datetime]):
    """A moment in UTC. SQLite forgets the zone; this gives it back, and refuses a moment without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment without a time zone cannot be stored: {value!r}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


BigId = BigInteger().with_variant(Integer, "sqlite")


def _moment(*, default: bool = False, index: bool = False) -> Any:
    return (
        Field(default_factory=now, sa_type=UtcTime, index=index)
        if default
        else Field(default=None, sa_type=UtcTime, index=index)
    )


def _big_id() -> Any:
    return Field(default=None, sa_column=Column(BigId, primary_key=True, autoincrement=True))


def _token() -> Any:
    return Field(default_factory=lambda: uuid.uuid4().hex, primary_key=True, max_length=32)


class Kind(StrEnum):
    LOOK_OUT = "look_out"
    MISSING_CHILD = "missing_child"
    AMBER = "amber"
    INVESTIGATION = "investigation"
    INFORMATION = "information"


class Status(StrEnum):
    DRAFT = "draft"
    OPEN = "open"
    ENDED = "ended"


class Outcome(StrEnum):
    DIRECT = "direct"
    INDIRECT = "indirect"
    NONE = "none"


class MessageKind(StrEnum):
    ALERT = "alert"
    UPDATE = "update"
    RESULT = "result"


class DeliveryState(StrEnum):
    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    ANSWERED = "answered"
    CONFIRMED = "confirmed"
    MACHINE = "machine"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    FAILED = "failed"
    CANCELLED = "cancelled"


# --- the action desk -------------------------------------------------------------------------------------------------


class Organisation(SQLModel, table=True):
    __table_args__ = {"schema": DESK}
    id: str = Field(primary_key=True, max_length=40)
    name: str = Field(max_length=120)
    kind: str = Field(max_length=20)  # police, municipality, service


class ControlRoom(SQLModel, table=True):
    """A room where calls end. `next_room_id` is where its callers go when nobody there is free."""

    __tablename__ = "control_room"
    __table_args__ = {"schema": DESK}
    id: str = Field(primary_key=True, max_length=40)
    name: str = Field(max_length=120)
    organisation_id: str = Field(foreign_key=f"{DESK}.organisation.id")
    next_room_id: str | None = Field(default=None, foreign_key=f"{DESK}.control_room.id")


class Region(SQLModel, table=True):
    """One of the ten police units. `room_id` is the room that serves it today: a room can take over a region."""

    __table_args__ = {"schema": DESK}
    id: str = Field(primary_key=True, max_length=40)
    name: str = Field(max_length=120)
    organisation_id: str = Field(foreign_key=f"{DESK}.organisation.id")
    room_id: str = Field(foreign_key=f"{DESK}.control_room.id")


class AreaCode(SQLModel, table=True):
    """A land-line area code. `also` lists the other regions it reaches into: 22 of the 141 cross a border."""

    __tablename__ = "area_code"
    __table_args__ = {"schema": DESK}
    code: str = Field(primary_key=True, max_length=4)
    place: str = Field(max_length=80)
    region_id: str = Field(foreign_key=f"{DESK}.region.id")
    also: list[str] = Field(default_factory=list, sa_type=JSON)


class Operator(SQLModel, table=True):
    """Somebody who answers in a control room. `id` is also the SIP account; on duty while `signed_on_at` is set."""

    __table_args__ = {"schema": DESK}
    id: str = Field(primary_key=True, max_length=40)
    room_id: str = Field(foreign_key=f"{DESK}.control_room.id", index=True)
    organisation_id: str = Field(foreign_key=f"{DESK}.organisation.id")
    language: str = Field(default="nl", max_length=2)
    signed_on_at: datetime | None = _moment()


class Action(SQLModel, table=True):
    """One look-out. `area` is GeoJSON or a circle in WGS84 (see geography.Area); `x`, `y` its centre in RD metres."""

    __table_args__ = (
        Index(
            "action_open_code",
            "code",
            unique=True,
            sqlite_where=text("status = 'open'"),
            postgresql_where=text("status = 'open'"),
        ),
        Index("action_incident", "incident", unique=True),
        CheckConstraint("status in ('draft', 'open', 'ended')", name="action_status"),
        {"schema": DESK},
    )
    id: int | None = Field(default=None, primary_key=True)
    code: str = Field(max_length=4)
    kind: str = Field(max_length=20)
    status: str = Field(default=Status.DRAFT, max_length=10, index=True)
    organisation_id: str = Field(foreign_key=f"{DESK}.organisation.id")
    room_id: str = Field(foreign_key=f"{DESK}.control_room.id", index=True)
    region_id: str = Field(foreign_key=f"{DESK}.region.id")
    started_by: str | None = Field(default=None, foreign_key=f"{DESK}.operator.id")
    area: dict[str, Any] = Field(sa_type=JSON)
    x: float
    y: float
    created_at: datetime = _moment(default=True)
    started_at: datetime | None = _moment()
    ended_at: datetime | None = _moment()
    outcome: str | None = Field(default=None, max_length=10)
    # A draft has no message yet: its texts wait here, language -> [title, body]. `incident` is the number under which
    # a control room's own system reported it.
    draft_texts: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    incident: str | None = Field(default=None, max_length=80)


class Message(SQLModel, table=True):
    """One message of an action. `stopped_at` is the stop flag: set, nothing more of it is sent."""

    __table_args__ = {"schema": DESK}
    id: int | None = Field(default=None, primary_key=True)
    action_id: int = Field(foreign_key=f"{DESK}.action.id", index=True)
    kind: str = Field(max_length=10)
    created_at: datetime = _moment(default=True)
    deadline: datetime = Field(sa_type=UtcTime)
    audience_written_at: datetime | None = _moment()
    stopped_at: datetime | None = _moment()


class MessageText(SQLModel, table=True):
    """The words of a message in one language. `title` is short, for a spoken menu ("the blue Golf in Rotterdam")."""

    __tablename__ = "message_text"
    __table_args__ = {"schema": DESK}
    message_id: int = Field(foreign_key=f"{DESK}.message.id", primary_key=True)
    language: str = Field(primary_key=True, max_length=2)
    title: str = Field(max_length=80)
    body: str = Field(max_length=1000)


class MessageSound(SQLModel, table=True):
    """An operator's own recording of a message in one language, WAV (8 kHz, 16 bit, mono); else the text is spoken."""

    __tablename__ = "message_sound"
    __table_args__ = {"schema": DESK}
    message_id: int = Field(foreign_key=f"{DESK}.message.id", primary_key=True)
    language: str = Field(primary_key=True, max_length=2)
    wav: bytes


class Withdrawal(SQLModel, table=True):
    """A contact point that wants to hear no more of one action: key 9 in its alert."""

    __table_args__ = {"schema": DESK}
    action_id: int = Field(foreign_key=f"{DESK}.action.id", primary_key=True)
    contact_point_id: int = Field(sa_column=Column(BigId, primary_key=True, autoincrement=False))
    at: datetime = _moment(default=True)


class Token(SQLModel, table=True):
    """A key to the API. Only its hash is kept. It speaks for one `actor`, in one room or (`room_id` None) in all."""

    __table_args__ = {"schema": DESK}
    id: str = _token()
    digest: bytes = Field(unique=True)
    actor: str = Field(max_length=80)
    room_id: str | None = Field(default=None, foreign_key=f"{DESK}.control_room.id")
    scopes: list[str] = Field(default_factory=list, sa_type=JSON)
    created_at: datetime = _moment(default=True)
    expires_at: datetime = Field(sa_type=UtcTime)
    revoked_at: datetime | None = _moment()


class Delivery(SQLModel, table=True):
    """One message to one contact point by one channel, and what became of it. This table is the queue.

    `distance` (metres from the action's centre) orders the wave, nearest first. `due_at` is when it may next be tried.
    `claimed_until` bounds how long one worker holds it.
    """

    __table_args__ = (
        UniqueConstraint("message_id", "contact_point_id", "channel", name="delivery_once"),
        Index("delivery_queue", "message_id", "channel", "state", "distance"),
        {"schema": DESK},
    )
    id: int | None = _big_id()
    message_id: int = Field(foreign_key=f"{DESK}.message.id")
    contact_point_id: int = Field(sa_column=Column(BigId, nullable=False, index=True))
    channel: str = Field(max_length=10)
    language: str = Field(max_length=2)
    distance: int = 0
    state: str = Field(default=DeliveryState.PENDING, max_length=12)
    reason: str | None = Field(default=None, max_length=200)
    due_at: datetime = _moment(default=True)
    claimed_until: datetime | None = _moment()
    created_at: datetime = _moment(default=True)
    changed_at: datetime = _moment(default=True)


class Attempt(SQLModel, table=True):
    """One try at a delivery, written before the provider is called. Its id is in the provider's callback address."""

    __table_args__ = (UniqueConstraint("delivery_id", "number", name="attempt_number"), {"schema": DESK})
    id: str = _token()
    delivery_id: int = Field(sa_column=Column(BigId, nullable=False, index=True))
    number: int
    provider: str = Field(max_length=20)
    state: str = Field(default=DeliveryState.SENDING, max_length=12, index=True)
    started_at: datetime = _moment(default=True)
    deadline: datetime = Field(sa_type=UtcTime)
    provider_id: str | None = Field(default=None, max_length=64)
    provider_status: str | None = Field(default=None, max_length=20)
    error: str | None = Field(default=None, max_length=200)
    ended_at: datetime | None = _moment()


class Outbox(SQLModel, table=True):
    """What happened, for live pages and feeds, written in the transaction of the fact. `id` is the Last-Event-ID."""

    __table_args__ = {"schema": DESK}
    id: int | None = _big_id()
    at: datetime = _moment(default=True)
    kind: str = Field(max_length=60)
    subject: str = Field(max_length=80)
    data: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class Audit(SQLModel, table=True):
    """Who did what to which object, when, from where and why. Rows are only added: the database refuses the rest."""

    __table_args__ = (Index("audit_object", "object_kind", "object_id"), {"schema": DESK})
    id: int | None = _big_id()
    at: datetime = _moment(default=True)
    actor: str = Field(max_length=80)
    origin: str = Field(max_length=80)
    verb: str = Field(max_length=40)
    object_kind: str = Field(max_length=40)
    object_id: str = Field(max_length=80)
    reason: str = Field(max_length=200)


# --- the participant register ----------------------------------------------------------------------------------------


class Participant(SQLModel, table=True):
    """Somebody of 16 or older who takes part. No name, no house number: they are not needed to be alerted."""

    __table_args__ = {"schema": REGISTER}
    id: int | None = _big_id()
    language: str = Field(default="nl", max_length=2)
    consent_at: datetime = _moment(default=True)
    signed_off_at: datetime | None = _moment()
    created_at: datetime = _moment(default=True)


class Address(SQLModel, table=True):
    """A place about which a participant wants to hear: postcode (4 digits), RD metres, cell (geography.cell_of)."""

    __table_args__ = {"schema": REGISTER}
    id: int | None = _big_id()
    participant_id: int = Field(sa_column=Column(BigId, nullable=False, index=True))
    postcode: str = Field(max_length=4)
    x: float
    y: float
    cell: int = Field(index=True)


class ContactPoint(SQLModel, table=True):
    """One phone or mailbox. A household's shared phone is one row with several subscriptions: it rings once."""

    __tablename__ = "contact_point"
    __table_args__ = {"schema": REGISTER}
    id: int | None = _big_id()
    kind: str = Field(max_length=10)  # mobile, landline, mail
    sealed: bytes
    digest: bytes = Field(unique=True)
    key_version: int = Field(index=True)
    opted_out_at: datetime | None = _moment()


class Subscription(SQLModel, table=True):
    """By which channel a participant wants to hear about one address."""

    __table_args__ = (
        UniqueConstraint("address_id", "contact_point_id", "channel", name="subscription_once"),
        {"schema": REGISTER},
    )
    id: int | None = _big_id()
    address_id: int = Field(sa_column=Column(BigId, nullable=False, index=True))
    contact_point_id: int = Field(sa_column=Column(BigId, nullable=False, index=True))
    channel: str = Field(max_length=10)


# --- police data -----------------------------------------------------------------------------------------------------


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
    room_id: str | None = Field(default=None, max_length=40)
    operator_id: str | None = Field(default=None, max_length=40)
    attempt_id: str | None = Field(default=None, max_length=32, index=True)  # of the alert that this call is
    arrived_at: datetime = _moment(default=True, index=True)
    answered_at: datetime | None = _moment()
    matched_at: datetime | None = _moment()
    waiting_at: datetime | None = _moment()
    connected_at: datetime | None = _moment()
    ended_at: datetime | None = _moment()
    ended_how: str | None = Field(default=None, max_length=30)


class Recording(SQLModel, table=True):
    """Sound of a call, sealed. The plain file never stays behind."""

    __table_args__ = {"schema": POLICE}
    id: str = _token()
    call_id: str = Field(max_length=40, unique=True)
    sealed: bytes
    key_version: int = Field(index=True)
    seconds: float
    created_at: datetime = _moment(default=True)


class Tip(SQLModel, table=True):
    """What a citizen reports about an action. `sealed` holds text; `recording_id` sound; one of the two is set."""

    __table_args__ = {"schema": POLICE}
    id: str = _token()
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
    received_at: datetime = _moment(default=True)


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
    received_at: datetime = _moment(default=True)
    answer: str | None = Field(default=None, max_length=20)
    answer_state: str = Field(default=DeliveryState.PENDING, max_length=12)
    answer_tries: int = 0
    answer_due_at: datetime = _moment(default=True)
    answer_provider_id: str | None = Field(default=None, max_length=64)
