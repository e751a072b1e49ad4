"""Talks: short numbers of operators and rooms; several recordings of one call, each of a kind."""

import sqlalchemy as sa
from alembic import op

from migrations import within

revision = "talks"
down_revision = "rooms"

DESK, POLICE = "desk", "police"
# The constraint was made without a name; so SQLite's is called while the table is written anew.
NAMES = {"uq": "uq_%(table_name)s_%(column_0_name)s"}


def upgrade() -> None:
    for table in ("operator", "control_room"):
        op.add_column(table, sa.Column("number", sa.String(6), nullable=True), schema=within(DESK))
        op.create_index(f"ix_desk_{table}_number", table, ["number"], unique=True, schema=within(DESK))
    op.add_column(
        "recording", sa.Column("kind", sa.String(10), nullable=False, server_default="tip"), schema=within(POLICE)
    )
    if op.get_context().dialect.name == "sqlite":
        with op.batch_alter_table("recording", naming_convention=NAMES) as batch:
            batch.drop_constraint("uq_recording_call_id", type_="unique")
    else:
        op.drop_constraint("recording_call_id_key", "recording", type_="unique", schema=POLICE)
    op.create_index("ix_police_recording_call_id", "recording", ["call_id"], schema=within(POLICE))
