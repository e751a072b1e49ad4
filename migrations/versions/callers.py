"""What callers say of their call, and call-backs."""

import sqlalchemy as sa
from alembic import op

from migrations import within

revision = "callers"
down_revision = "talks"

POLICE = "police"
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("call", sa.Column("triage", sa.String(10), nullable=True), schema=within(POLICE))
    op.add_column("call", sa.Column("callback_of", sa.String(40), nullable=True), schema=within(POLICE))
    op.create_table(
        "call_back",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("action_id", sa.Integer(), nullable=False),
        sa.Column("match_how", sa.String(20), nullable=False),
        sa.Column("triage", sa.String(10), nullable=True),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("arrived_at", MOMENT, nullable=False),
        sa.Column("reason", sa.String(20), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("claimed_by", sa.String(40), nullable=True),
        sa.Column("claimed_until", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("ended_how", sa.String(30), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        schema=POLICE,
    )
    op.create_index("ix_police_call_back_digest", "call_back", ["digest"], schema=within(POLICE))
    op.create_index("ix_police_call_back_key_version", "call_back", ["key_version"], schema=within(POLICE))
    op.create_index("call_back_open", "call_back", ["ended_at", "due_at"], schema=within(POLICE))
