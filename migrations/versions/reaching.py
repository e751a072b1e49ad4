"""Whom, by what and when: kinds, quiet hours, rings, exercises, pictures, budgets; places; links for tips."""

import sqlalchemy as sa
from alembic import op

from migrations import within

revision = "reaching"
down_revision = "callers"

DESK, REGISTER, POLICE = "desk", "register", "police"
MOMENT = sa.DateTime(timezone=True)
BigId = sa.BigInteger().with_variant(sa.Integer, "sqlite")
NO = sa.false()


def upgrade() -> None:
    _participants()
    _actions()
    _messages()
    _tallies()
    _places()
    _tips()


def _participants() -> None:
    for column in (
        sa.Column("birth_year", sa.Integer(), nullable=True),
        sa.Column("exercise", sa.Boolean(), nullable=False, server_default=NO),
        sa.Column("follows", sa.Boolean(), nullable=False, server_default=NO),
    ):
        op.add_column("participant", column, schema=within(REGISTER))
    op.add_column("contact_point", sa.Column("unreachable_since", MOMENT, nullable=True), schema=within(REGISTER))
    op.add_column("contact_point", sa.Column("unreachable_why", sa.String(200), nullable=True), schema=within(REGISTER))
    times = sa.Column("unreachable_times", sa.Integer(), nullable=False, server_default="0")
    op.add_column("contact_point", times, schema=within(REGISTER))
    op.add_column("contact_point", sa.Column("unreachable_on", sa.String(10), nullable=True), schema=within(REGISTER))
    # Bits of actions.models.words.Kind: all but investigations; AMBER wakes.
    for name, value in (("kinds", "23"), ("wakes", "4"), ("quiet_from", "0"), ("quiet_until", "0")):
        number = sa.Column(name, sa.Integer(), nullable=False, server_default=value)
        op.add_column("subscription", number, schema=within(REGISTER))


def _actions() -> None:
    for column in (
        sa.Column("exercise", sa.Boolean(), nullable=False, server_default=NO),
        sa.Column("quiet_reason", sa.String(200), nullable=True),
        sa.Column("audience", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("search", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("ends_at", MOMENT, nullable=True),
        sa.Column("reminded_at", MOMENT, nullable=True),
    ):
        op.add_column("action", column, schema=within(DESK))


def _messages() -> None:
    for column in (
        sa.Column("rings", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("followers", sa.Boolean(), nullable=False, server_default=NO),
    ):
        op.add_column("message", column, schema=within(DESK))
    op.add_column("delivery", sa.Column("ring", sa.Integer(), nullable=False, server_default="0"), schema=within(DESK))
    op.create_table(
        "message_picture",
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(32), nullable=False),
        sa.Column("media_type", sa.String(20), nullable=False),
        sa.Column("picture", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["desk.message.id"]),
        sa.PrimaryKeyConstraint("message_id"),
        sa.UniqueConstraint("key"),
        schema=DESK,
    )
    op.create_table(
        "spending",
        sa.Column("provider", sa.String(20), nullable=False),
        sa.Column("channel", sa.String(10), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("micro_euros", BigId, nullable=False),
        sa.PrimaryKeyConstraint("provider", "channel", "day"),
        schema=DESK,
    )


def _tallies() -> None:
    op.create_table(
        "tally",
        sa.Column("action_id", sa.Integer(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("reached", sa.Integer(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("tips", sa.Integer(), nullable=False),
        sa.Column("first_alert_s", sa.Float(), nullable=True),
        sa.Column("first_call_s", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["action_id"], ["desk.action.id"]),
        sa.PrimaryKeyConstraint("action_id"),
        schema=DESK,
    )


def _places() -> None:
    op.create_table(
        "boundary",
        sa.Column("code", sa.String(12), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("region_id", sa.String(40), nullable=True),
        sa.Column("shape", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("code"),
        schema=DESK,
    )
    for name in ("kind", "name", "region_id"):
        op.create_index(f"ix_desk_boundary_{name}", "boundary", [name], schema=within(DESK))
    op.create_table(
        "postcode_place",
        sa.Column("postcode", sa.String(4), nullable=False),
        sa.Column("x", sa.Float(), nullable=False),
        sa.Column("y", sa.Float(), nullable=False),
        sa.Column("municipality", sa.String(12), nullable=True),
        sa.PrimaryKeyConstraint("postcode"),
        schema=DESK,
    )
    op.create_table(
        "address_place",
        sa.Column("postcode", sa.String(6), nullable=False),
        sa.Column("number", sa.String(12), nullable=False),
        sa.Column("x", sa.Float(), nullable=False),
        sa.Column("y", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("postcode", "number"),
        schema=DESK,
    )


def _tips() -> None:
    op.create_table(
        "photo",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("tip_id", sa.String(32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        schema=POLICE,
    )
    op.create_index("ix_police_photo_tip_id", "photo", ["tip_id"], schema=within(POLICE))
    op.create_index("ix_police_photo_key_version", "photo", ["key_version"], schema=within(POLICE))
    op.create_table(
        "sighting",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("tip_id", sa.String(32), nullable=True),
        sa.Column("action_id", sa.Integer(), nullable=False),
        sa.Column("x", sa.Float(), nullable=False),
        sa.Column("y", sa.Float(), nullable=False),
        sa.Column("accuracy", sa.Integer(), nullable=True),
        sa.Column("heading", sa.Integer(), nullable=True),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("confirmed_at", MOMENT, nullable=True),
        sa.Column("confirmed_by", sa.String(80), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        schema=POLICE,
    )
    op.create_index("ix_police_sighting_tip_id", "sighting", ["tip_id"], schema=within(POLICE))
    op.create_index("ix_police_sighting_action_id", "sighting", ["action_id"], schema=within(POLICE))
    op.create_table(
        "one_time_link",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.String(10), nullable=False),
        sa.Column("action_id", sa.Integer(), nullable=True),
        sa.Column("call_id", sa.String(40), nullable=True),
        sa.Column("room_id", sa.String(40), nullable=True),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
        schema=POLICE,
    )
