"""What all tables share: the three groups, moments in UTC, ids."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Dialect, Integer
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field

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


def moment(*, default: bool = False, index: bool = False) -> Any:
    return (
        Field(default_factory=now, sa_type=UtcTime, index=index)
        if default
        else Field(default=None, sa_type=UtcTime, index=index)
    )


def big_id() -> Any:
    return Field(default=None, sa_column=Column(BigId, primary_key=True, autoincrement=True))


def token() -> Any:
    return Field(default_factory=lambda: uuid.uuid4().hex, primary_key=True, max_length=32)
