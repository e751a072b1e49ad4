"""Places as others publish them (CBS, BAG): boundaries, postcodes, addresses. Nothing in here is about a person."""

from __future__ import annotations

from sqlmodel import Field, SQLModel

from actions.models.columns import DESK


class Boundary(SQLModel, table=True):
    """The outline of a municipality or safety region, as WKB in RD metres. `code` as CBS gives it (GM0599, VR17).
    `region_id`: the police unit it lies in."""

    __table_args__ = {"schema": DESK}
    code: str = Field(primary_key=True, max_length=12)
    kind: str = Field(max_length=20, index=True)  # municipality, safety_region
    name: str = Field(max_length=80, index=True)
    region_id: str | None = Field(default=None, max_length=40, index=True)
    shape: bytes


class PostcodePlace(SQLModel, table=True):
    """The middle of a four-digit postcode, in RD metres, and the municipality that holds most of it."""

    __tablename__ = "postcode_place"
    __table_args__ = {"schema": DESK}
    postcode: str = Field(primary_key=True, max_length=4)
    x: float
    y: float
    municipality: str | None = Field(default=None, max_length=12)


class AddressPlace(SQLModel, table=True):
    """Where an address stands, in RD metres: six-sign postcode and house number with what follows it ("12 A")."""

    __tablename__ = "address_place"
    __table_args__ = {"schema": DESK}
    postcode: str = Field(primary_key=True, max_length=6)
    number: str = Field(primary_key=True, max_length=12)
    x: float
    y: float
