"""The participant register: who takes part, where, by which phone."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from actions.models.columns import REGISTER, BigId, big_id, moment
from actions.models.words import WAKES_UNLESS_SAID, WANTED_UNLESS_SAID


class Participant(SQLModel, table=True):
    """Somebody of 16 or older who takes part. No name, no house number: they are not needed to be alerted.

    `exercise`: hears of exercises, and of nothing else. `follows`: after an alert also wants to hear that the search
    went on elsewhere."""

    __table_args__ = {"schema": REGISTER}
    id: int | None = big_id()
    language: str = Field(default="nl", max_length=2)
    birth_year: int | None = None
    exercise: bool = False
    follows: bool = False
    consent_at: datetime = moment(default=True)
    signed_off_at: datetime | None = moment()
    created_at: datetime = moment(default=True)


class Address(SQLModel, table=True):
    """A place about which a participant wants to hear: postcode (4 digits), RD metres, cell (geography.cell_of)."""

    __table_args__ = {"schema": REGISTER}
    id: int | None = big_id()
    participant_id: int = Field(sa_column=Column(BigId, nullable=False, index=True))
    postcode: str = Field(max_length=4)
    x: float
    y: float
    cell: int = Field(index=True)


class ContactPoint(SQLModel, table=True):
    """One phone, mailbox or browser. A household's shared phone is one row with several subscriptions: it rings once.

    `unreachable_since`: providers said for certain that nothing arrives there, `unreachable_why` in their words;
    `unreachable_times`: on how many days they said so, `unreachable_on` (local date, ISO) the last time."""

    __tablename__ = "contact_point"
    __table_args__ = {"schema": REGISTER}
    id: int | None = big_id()
    kind: str = Field(max_length=10)  # mobile, landline, mail, browser
    sealed: bytes
    digest: bytes = Field(unique=True)
    key_version: int = Field(index=True)
    opted_out_at: datetime | None = moment()
    unreachable_since: datetime | None = moment()
    unreachable_why: str | None = Field(default=None, max_length=200)
    unreachable_times: int = 0
    unreachable_on: str | None = Field(default=None, max_length=10)


class Subscription(SQLModel, table=True):
    """By which channel a participant wants to hear about one address, of what, and when.

    `kinds`: of which kinds of action (words.bits). From `quiet_from` until `quiet_until`, minutes of the local day,
    only those in `wakes` come; the two are the same for somebody without quiet hours."""

    __table_args__ = (
        UniqueConstraint("address_id", "contact_point_id", "channel", name="subscription_once"),
        {"schema": REGISTER},
    )
    id: int | None = big_id()
    address_id: int = Field(sa_column=Column(BigId, nullable=False, index=True))
    contact_point_id: int = Field(sa_column=Column(BigId, nullable=False, index=True))
    channel: str = Field(max_length=10)
    kinds: int = WANTED_UNLESS_SAID
    wakes: int = WAKES_UNLESS_SAID
    quiet_from: int = 0
    quiet_until: int = 0
