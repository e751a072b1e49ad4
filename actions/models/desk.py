"""The action desk: actions, rooms, messages, deliveries, outbox, audit."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Column, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from actions.models.columns import DESK, BigId, UtcTime, big_id, moment, token
from actions.models.words import DeliveryState, Status


class Organisation(SQLModel, table=True):
    __table_args__ = {"schema": DESK}
    id: str = Field(primary_key=True, max_length=40)
    name: str = Field(max_length=120)
    kind: str = Field(max_length=20)  # police, municipality, service


class ControlRoom(SQLModel, table=True):
    """A room where calls end.

    `overflow`: the rooms that help it out, in this order; its callers join the next one's line after `overflow_after_s`
    (None: BURGERNET_ROOM_PATIENCE_S), at once while it is closed or nobody is on duty. `wrap_up_s`: no caller comes to
    an operator so long after a talk. A room with an exchange of its own has its SIP address in `switchboard` and takes
    `seats` calls at once. `next_room_id` is the first of `overflow`, for processes of the version before."""

    __tablename__ = "control_room"
    __table_args__ = {"schema": DESK}
    id: str = Field(primary_key=True, max_length=40)
    name: str = Field(max_length=120)
    organisation_id: str = Field(foreign_key=f"{DESK}.organisation.id")
    next_room_id: str | None = Field(default=None, foreign_key=f"{DESK}.control_room.id")
    overflow: list[str] = Field(default_factory=list, sa_type=JSON)
    overflow_after_s: float | None = None
    closed_at: datetime | None = moment()
    wrap_up_s: int = 10
    switchboard: str = Field(default="", max_length=120)
    seats: int = 0
    number: str | None = Field(default=None, max_length=6, index=True, unique=True)  # short_numbers.ShortNumbers


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


class PostcodeRange(SQLModel, table=True):
    """Four-digit postcodes, `first` to `last`, and the region they lie in. `also`: other regions that may be meant.
    `approximate`: drawn by hand along a border, until exact data is imported."""

    __tablename__ = "postcode_range"
    __table_args__ = {"schema": DESK}
    first: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    last: int
    region_id: str = Field(foreign_key=f"{DESK}.region.id")
    also: list[str] = Field(default_factory=list, sa_type=JSON)
    approximate: bool = False


class Operator(SQLModel, table=True):
    """Somebody who answers in a control room. `id` is also the SIP account; on duty while `signed_on_at` is set, and
    rung unless `paused_at` is. Hears the system in `language`; talks with callers in `languages`. Serves the room
    `lent_to` while that is set."""

    __table_args__ = {"schema": DESK}
    id: str = Field(primary_key=True, max_length=40)
    room_id: str = Field(foreign_key=f"{DESK}.control_room.id", index=True)
    organisation_id: str = Field(foreign_key=f"{DESK}.organisation.id")
    language: str = Field(default="nl", max_length=2)
    languages: list[str] = Field(default_factory=lambda: ["nl", "en"], sa_type=JSON)
    skills: list[str] = Field(default_factory=list, sa_type=JSON)
    lent_to: str | None = Field(default=None, max_length=40)
    signed_on_at: datetime | None = moment()
    paused_at: datetime | None = moment()
    number: str | None = Field(default=None, max_length=6, index=True, unique=True)  # short_numbers.ShortNumbers


class Action(SQLModel, table=True):
    """One look-out. `area` is GeoJSON, a circle in WGS84, the nation, or names with their outline (geography.Area,
    areas.placed); `x`, `y` its centre in RD metres.

    `exercise`: reaches participants of exercises alone. `quiet_reason`: why it may wake people who did not ask to be
    woken. `audience`: a choice among the people there, {"languages": [...], "min_age": 16, "max_age": 99}, each
    optional. `search`: where somebody was last seen, from which the area grows. `ends_at`: then it ends by itself,
    without result; its operator was reminded at `reminded_at`."""

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
    created_at: datetime = moment(default=True)
    started_at: datetime | None = moment()
    ended_at: datetime | None = moment()
    outcome: str | None = Field(default=None, max_length=10)
    # A draft has no message yet: its texts wait here, language -> [title, body]. `incident` is the number under which
    # a control room's own system reported it.
    draft_texts: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    incident: str | None = Field(default=None, max_length=80)
    exercise: bool = False
    quiet_reason: str | None = Field(default=None, max_length=200)
    audience: dict[str, Any] | None = Field(default=None, sa_type=JSON(none_as_null=True))
    search: dict[str, Any] | None = Field(default=None, sa_type=JSON(none_as_null=True))
    ends_at: datetime | None = moment()
    reminded_at: datetime | None = moment()


class Message(SQLModel, table=True):
    """One message of an action. `stopped_at` is the stop flag: set, nothing more of it is sent.

    `rings`: into how many rings its audience was divided so far, nearest first. `followers`: goes only to those alerted
    before who want to follow."""

    __table_args__ = {"schema": DESK}
    id: int | None = Field(default=None, primary_key=True)
    action_id: int = Field(foreign_key=f"{DESK}.action.id", index=True)
    kind: str = Field(max_length=10)
    created_at: datetime = moment(default=True)
    deadline: datetime = Field(sa_type=UtcTime)
    audience_written_at: datetime | None = moment()
    stopped_at: datetime | None = moment()
    rings: int = 0
    followers: bool = False


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


class MessagePicture(SQLModel, table=True):
    """A picture that goes with a message. `key`, which nobody can guess, is its public address; it is served only while
    its action is open."""

    __tablename__ = "message_picture"
    __table_args__ = {"schema": DESK}
    message_id: int = Field(foreign_key=f"{DESK}.message.id", primary_key=True)
    key: str = Field(max_length=32, unique=True)
    media_type: str = Field(max_length=20)
    picture: bytes


class Withdrawal(SQLModel, table=True):
    """A contact point that wants to hear no more of one action: key 9 in its alert."""

    __table_args__ = {"schema": DESK}
    action_id: int = Field(foreign_key=f"{DESK}.action.id", primary_key=True)
    contact_point_id: int = Field(sa_column=Column(BigId, primary_key=True, autoincrement=False))
    at: datetime = moment(default=True)


class Token(SQLModel, table=True):
    """A key to the API. Only its hash is kept. It speaks for one `actor`, in one room or (`room_id` None) in all."""

    __table_args__ = {"schema": DESK}
    id: str = token()
    digest: bytes = Field(unique=True)
    actor: str = Field(max_length=80)
    room_id: str | None = Field(default=None, foreign_key=f"{DESK}.control_room.id")
    scopes: list[str] = Field(default_factory=list, sa_type=JSON)
    created_at: datetime = moment(default=True)
    expires_at: datetime = Field(sa_type=UtcTime)
    revoked_at: datetime | None = moment()


class Delivery(SQLModel, table=True):
    """One message to one contact point by one channel, and what became of it. This table is the queue.

    `distance` (metres from the action's centre) orders the wave, nearest first; `ring` is where it stands in the wave
    (1 is the nearest; 0: it is no part of one). `due_at` is when it may next be tried.
    `claimed_until` bounds how long one worker holds it.
    """

    __table_args__ = (
        UniqueConstraint("message_id", "contact_point_id", "channel", name="delivery_once"),
        Index("delivery_queue", "message_id", "channel", "state", "distance"),
        {"schema": DESK},
    )
    id: int | None = big_id()
    message_id: int = Field(foreign_key=f"{DESK}.message.id")
    contact_point_id: int = Field(sa_column=Column(BigId, nullable=False, index=True))
    channel: str = Field(max_length=10)
    language: str = Field(max_length=2)
    distance: int = 0
    ring: int = 0
    state: str = Field(default=DeliveryState.PENDING, max_length=12)
    reason: str | None = Field(default=None, max_length=200)
    due_at: datetime = moment(default=True)
    claimed_until: datetime | None = moment()
    created_at: datetime = moment(default=True)
    changed_at: datetime = moment(default=True)


class Attempt(SQLModel, table=True):
    """One try at a delivery, written before the provider is called. Its id is in the provider's callback address."""

    __table_args__ = (UniqueConstraint("delivery_id", "number", name="attempt_number"), {"schema": DESK})
    id: str = token()
    delivery_id: int = Field(sa_column=Column(BigId, nullable=False, index=True))
    number: int
    provider: str = Field(max_length=20)
    state: str = Field(default=DeliveryState.SENDING, max_length=12, index=True)
    started_at: datetime = moment(default=True)
    deadline: datetime = Field(sa_type=UtcTime)
    provider_id: str | None = Field(default=None, max_length=64)
    provider_status: str | None = Field(default=None, max_length=20)
    error: str | None = Field(default=None, max_length=200)
    ended_at: datetime | None = moment()


class Spending(SQLModel, table=True):
    """What a provider was given on one day (local date, ISO), and what that costs in millionths of a euro."""

    __table_args__ = {"schema": DESK}
    provider: str = Field(primary_key=True, max_length=20)
    channel: str = Field(primary_key=True, max_length=10)
    day: str = Field(primary_key=True, max_length=10)
    sent: int = 0
    parts: int = 0
    micro_euros: int = Field(default=0, sa_column=Column(BigId, nullable=False))


class Tally(SQLModel, table=True):
    """What an action came to, kept once its deliveries change no more: people alerted and reached, calls, tips, and
    seconds from its start until the first alert left and the first call came (None: there was none)."""

    __table_args__ = {"schema": DESK}
    action_id: int = Field(foreign_key=f"{DESK}.action.id", primary_key=True)
    people: int = 0
    reached: int = 0
    calls: int = 0
    tips: int = 0
    first_alert_s: float | None = None
    first_call_s: float | None = None


class Outbox(SQLModel, table=True):
    """What happened, for live pages and feeds, written in the transaction of the fact. `id` is the Last-Event-ID."""

    __table_args__ = {"schema": DESK}
    id: int | None = big_id()
    at: datetime = moment(default=True)
    kind: str = Field(max_length=60)
    subject: str = Field(max_length=80)
    data: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class Audit(SQLModel, table=True):
    """Who did what to which object, when, from where and why. Rows are only added: the database refuses the rest."""

    __table_args__ = (Index("audit_object", "object_kind", "object_id"), {"schema": DESK})
    id: int | None = big_id()
    at: datetime = moment(default=True)
    actor: str = Field(max_length=80)
    origin: str = Field(max_length=80)
    verb: str = Field(max_length=40)
    object_kind: str = Field(max_length=40)
    object_id: str = Field(max_length=80)
    reason: str = Field(max_length=200)
