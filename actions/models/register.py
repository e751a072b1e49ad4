"""The participant register: who takes part, where, by which phone."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from actions.models.columns import REGISTER, BigId, big_id, moment


class Participant(SQLModel, table=True):
    """Somebody of 16 or older who takes part. No name, no house number: they are not needed to be alerted."""

    __table_args__ = {"schema": REGISTER}
    id: int | None = big_id()
    language: str = Field(default="nl", max_length=2)
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
    """One phone or mailbox. A household's shared phone is one row with several subscriptions: it rings once."""

    __tablename__ = "contact_point"
    __table_args__ = {"schema": REGISTER}
    id: int | None = big_id()
    kind: str = Field(max_length=10)  # mobile, landline, mail
    sealed: bytes
    digest: bytes = Field(unique=True)
    key_version: int = Field(index=True)
    opted_out_at: datetime | None = moment()


class Subscription(SQLModel, table=True):
    """By which channel a participant wants to hear about one address."""

    __table_args__ = (
        UniqueConstraint("address_id", "contact_point_id", "channel", name="subscription_once"),
        {"schema": REGISTER},
    )
    id: int | None = big_id()
    address_id: int = Field(sa_column=Column(BigId, nullable=False, index=True))
    contact_point_id: int = Field(sa_column=Column(BigId, nullable=False, index=True))
    channel: str = Field(max_length=10)
