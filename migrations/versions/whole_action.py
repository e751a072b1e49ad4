"""A whole action: drafts, own recordings, withdrawals, texts that come in, tips of every source, tokens."""

import sqlalchemy as sa
from alembic import op

from migrations import within

revision = "0002"
down_revision = "0001"

DESK, POLICE = "desk", "police"
MOMENT = sa.DateTime(timezone=True)
BigId = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    _actions()
    _deliveries()
    _texts_that_come_in()
    _tips_and_calls()
    _tokens()


def _actions() -> None:
    op.add_column("action", sa.Column("draft_texts", sa.JSON(), nullable=True), schema=within(DESK))
    op.add_column("action", sa.Column("incident", sa.String(80), nullable=True), schema=within(DESK))
    op.create_index("action_incident", "action", ["incident"], unique=True, schema=within(DESK))
    op.create_table(
        "message_sound",
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("wav", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["desk.message.id"]),
        sa.PrimaryKeyConstraint("message_id", "language"),
        schema=DESK,
    )
    op.create_table(
        "withdrawal",
        sa.Column("action_id", sa.Integer(), nullable=False),
        sa.Column("contact_point_id", BigId, autoincrement=False, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["action_id"], ["desk.action.id"]),
        sa.PrimaryKeyConstraint("action_id", "contact_point_id"),
        schema=DESK,
    )


def _deliveries() -> None:
    op.drop_index("delivery_queue", "delivery", schema=within(DESK))
    op.create_index("delivery_queue", "delivery", ["message_id", "channel", "state", "distance"], schema=within(DESK))


def _texts_that_come_in() -> None:
    op.create_table(
        "inbound_text",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("meaning", sa.String(10), nullable=False),
        sa.Column("action_id", sa.Integer(), nullable=True),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("answer", sa.String(20), nullable=True),
        sa.Column("answer_state", sa.String(12), nullable=False),
        sa.Column("answer_tries", sa.Integer(), nullable=False),
        sa.Column("answer_due_at", MOMENT, nullable=False),
        sa.Column("answer_provider_id", sa.String(64), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        schema=POLICE,
    )
    op.create_index("ix_police_inbound_text_digest", "inbound_text", ["digest"], schema=within(POLICE))
    op.create_index("ix_police_inbound_text_key_version", "inbound_text", ["key_version"], schema=within(POLICE))
    op.create_index("inbound_text_answers", "inbound_text", ["answer_state", "answer_due_at"], schema=within(POLICE))


def _tips_and_calls() -> None:
    op.add_column("tip", sa.Column("match_how", sa.String(20), nullable=True), schema=within(POLICE))
    op.add_column("tip", sa.Column("operator_id", sa.String(40), nullable=True), schema=within(POLICE))
    op.create_index("ix_police_tip_key_version", "tip", ["key_version"], schema=within(POLICE))
    op.add_column("call", sa.Column("attempt_id", sa.String(32), nullable=True), schema=within(POLICE))
    op.create_index("ix_police_call_attempt_id", "call", ["attempt_id"], schema=within(POLICE))


def _tokens() -> None:
    op.create_table(
        "token",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("room_id", sa.String(), nullable=True),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["room_id"], ["desk.control_room.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
        schema=DESK,
    )
