"""Rooms: whose callers go where and when, closed rooms, wrap-up, the room's own exchange. Operators: languages, skills,
lent to another room, paused."""

import sqlalchemy as sa
from alembic import op

from migrations import within

revision = "rooms"
down_revision = "quality"

DESK = "desk"
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    for column in (
        sa.Column("overflow", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("overflow_after_s", sa.Float(), nullable=True),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.Column("wrap_up_s", sa.Integer(), nullable=False, server_default="10"),
        sa.Column("switchboard", sa.String(120), nullable=False, server_default=""),
        sa.Column("seats", sa.Integer(), nullable=False, server_default="0"),
    ):
        op.add_column("control_room", column, schema=within(DESK))
    for column in (
        sa.Column("languages", sa.JSON(), nullable=False, server_default='["nl", "en"]'),
        sa.Column("skills", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("lent_to", sa.String(40), nullable=True),
        sa.Column("paused_at", MOMENT, nullable=True),
    ):
        op.add_column("operator", column, schema=within(DESK))
    _fill_overflow()


def _fill_overflow() -> None:
    """The one neighbour of before is the first of the list."""
    sqlite = op.get_context().dialect.name == "sqlite"
    table, of_type = ("control_room", "") if sqlite else (f"{DESK}.control_room", "::json")
    op.execute(
        sa.text(
            f"UPDATE {table} SET overflow = ('[\"' || next_room_id || '\"]'){of_type} "  # noqa: S608 - our own words
            "WHERE next_room_id IS NOT NULL"
        )
    )
