"""The action desk, the participant register and the police data, from the first day with an audit."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

DESK, REGISTER, POLICE = "desk", "register", "police"
MOMENT = sa.DateTime(timezone=True)
BigId = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "attempt",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("delivery_id", BigId, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("provider", sa.String(20), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("deadline", MOMENT, nullable=False),
        sa.Column("provider_id", sa.String(64), nullable=True),
        sa.Column("provider_status", sa.String(20), nullable=True),
        sa.Column("error", sa.String(200), nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("delivery_id", "number", name="attempt_number"),
        schema=DESK,
    )
    op.create_index("ix_desk_attempt_delivery_id", "attempt", ["delivery_id"], unique=False, schema=DESK)
    op.create_index("ix_desk_attempt_state", "attempt", ["state"], unique=False, schema=DESK)
    op.create_table(
        "audit",
        sa.Column("id", BigId, autoincrement=True, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("origin", sa.String(80), nullable=False),
        sa.Column("verb", sa.String(40), nullable=False),
        sa.Column("object_kind", sa.String(40), nullable=False),
        sa.Column("object_id", sa.String(80), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        schema=DESK,
    )
    op.create_index("audit_object", "audit", ["object_kind", "object_id"], unique=False, schema=DESK)
    op.create_table(
        "organisation",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        schema=DESK,
    )
    op.create_table(
        "outbox",
        sa.Column("id", BigId, autoincrement=True, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("kind", sa.String(60), nullable=False),
        sa.Column("subject", sa.String(80), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        schema=DESK,
    )
    op.create_table(
        "call",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("direction", sa.String(3), nullable=False),
        sa.Column("dialled", sa.String(20), nullable=False),
        sa.Column("caller_kind", sa.String(12), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("key_version", sa.Integer(), nullable=True),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("action_id", sa.Integer(), nullable=True),
        sa.Column("match_how", sa.String(20), nullable=True),
        sa.Column("match_confidence", sa.Float(), nullable=True),
        sa.Column("match_reasons", sa.JSON(), nullable=False),
        sa.Column("room_id", sa.String(40), nullable=True),
        sa.Column("operator_id", sa.String(40), nullable=True),
        sa.Column("arrived_at", MOMENT, nullable=False),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.Column("matched_at", MOMENT, nullable=True),
        sa.Column("waiting_at", MOMENT, nullable=True),
        sa.Column("connected_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("ended_how", sa.String(30), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        schema=POLICE,
    )
    op.create_index("ix_police_call_action_id", "call", ["action_id"], unique=False, schema=POLICE)
    op.create_index("ix_police_call_arrived_at", "call", ["arrived_at"], unique=False, schema=POLICE)
    op.create_index("ix_police_call_digest", "call", ["digest"], unique=False, schema=POLICE)
    op.create_table(
        "recording",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("call_id", sa.String(40), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("call_id"),
        schema=POLICE,
    )
    op.create_index("ix_police_recording_key_version", "recording", ["key_version"], unique=False, schema=POLICE)
    op.create_table(
        "tip",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("action_id", sa.Integer(), nullable=True),
        sa.Column("room_id", sa.String(40), nullable=True),
        sa.Column("call_id", sa.String(40), nullable=True),
        sa.Column("recording_id", sa.String(32), nullable=True),
        sa.Column("source", sa.String(10), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("key_version", sa.Integer(), nullable=True),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        schema=POLICE,
    )
    op.create_index("ix_police_tip_action_id", "tip", ["action_id"], unique=False, schema=POLICE)
    op.create_index("ix_police_tip_call_id", "tip", ["call_id"], unique=False, schema=POLICE)
    op.create_table(
        "address",
        sa.Column("id", BigId, autoincrement=True, nullable=False),
        sa.Column("participant_id", BigId, nullable=False),
        sa.Column("postcode", sa.String(4), nullable=False),
        sa.Column("x", sa.Float(), nullable=False),
        sa.Column("y", sa.Float(), nullable=False),
        sa.Column("cell", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        schema=REGISTER,
    )
    op.create_index("ix_register_address_cell", "address", ["cell"], unique=False, schema=REGISTER)
    op.create_index("ix_register_address_participant_id", "address", ["participant_id"], unique=False, schema=REGISTER)
    op.create_table(
        "contact_point",
        sa.Column("id", BigId, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("opted_out_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
        schema=REGISTER,
    )
    op.create_index(
        "ix_register_contact_point_key_version", "contact_point", ["key_version"], unique=False, schema=REGISTER
    )
    op.create_table(
        "participant",
        sa.Column("id", BigId, autoincrement=True, nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("consent_at", MOMENT, nullable=False),
        sa.Column("signed_off_at", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        schema=REGISTER,
    )
    op.create_table(
        "subscription",
        sa.Column("id", BigId, autoincrement=True, nullable=False),
        sa.Column("address_id", BigId, nullable=False),
        sa.Column("contact_point_id", BigId, nullable=False),
        sa.Column("channel", sa.String(10), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("address_id", "contact_point_id", "channel", name="subscription_once"),
        schema=REGISTER,
    )
    op.create_index(
        "ix_register_subscription_address_id", "subscription", ["address_id"], unique=False, schema=REGISTER
    )
    op.create_index(
        "ix_register_subscription_contact_point_id", "subscription", ["contact_point_id"], unique=False, schema=REGISTER
    )
    op.create_table(
        "control_room",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("organisation_id", sa.String(), nullable=False),
        sa.Column("next_room_id", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["next_room_id"],
            ["desk.control_room.id"],
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["desk.organisation.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        schema=DESK,
    )
    op.create_table(
        "operator",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("room_id", sa.String(), nullable=False),
        sa.Column("organisation_id", sa.String(), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("signed_on_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["desk.organisation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["room_id"],
            ["desk.control_room.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        schema=DESK,
    )
    op.create_index("ix_desk_operator_room_id", "operator", ["room_id"], unique=False, schema=DESK)
    op.create_table(
        "region",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("organisation_id", sa.String(), nullable=False),
        sa.Column("room_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["desk.organisation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["room_id"],
            ["desk.control_room.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        schema=DESK,
    )
    op.create_table(
        "action",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(4), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("organisation_id", sa.String(), nullable=False),
        sa.Column("room_id", sa.String(), nullable=False),
        sa.Column("region_id", sa.String(), nullable=False),
        sa.Column("started_by", sa.String(), nullable=True),
        sa.Column("area", sa.JSON(), nullable=False),
        sa.Column("x", sa.Float(), nullable=False),
        sa.Column("y", sa.Float(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("started_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("outcome", sa.String(10), nullable=True),
        sa.CheckConstraint("status in ('draft', 'open', 'ended')", name="action_status"),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["desk.organisation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["region_id"],
            ["desk.region.id"],
        ),
        sa.ForeignKeyConstraint(
            ["room_id"],
            ["desk.control_room.id"],
        ),
        sa.ForeignKeyConstraint(
            ["started_by"],
            ["desk.operator.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        schema=DESK,
    )
    op.create_index(
        "action_open_code",
        "action",
        ["code"],
        unique=True,
        schema=DESK,
        sqlite_where=sa.text("status = 'open'"),
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_index("ix_desk_action_room_id", "action", ["room_id"], unique=False, schema=DESK)
    op.create_index("ix_desk_action_status", "action", ["status"], unique=False, schema=DESK)
    op.create_table(
        "area_code",
        sa.Column("code", sa.String(4), nullable=False),
        sa.Column("place", sa.String(80), nullable=False),
        sa.Column("region_id", sa.String(), nullable=False),
        sa.Column("also", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["region_id"],
            ["desk.region.id"],
        ),
        sa.PrimaryKeyConstraint("code"),
        schema=DESK,
    )
    op.create_table(
        "message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("action_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("deadline", MOMENT, nullable=False),
        sa.Column("audience_written_at", MOMENT, nullable=True),
        sa.Column("stopped_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["action_id"],
            ["desk.action.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        schema=DESK,
    )
    op.create_index("ix_desk_message_action_id", "message", ["action_id"], unique=False, schema=DESK)
    op.create_table(
        "delivery",
        sa.Column("id", BigId, autoincrement=True, nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("contact_point_id", BigId, nullable=False),
        sa.Column("channel", sa.String(10), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("distance", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("reason", sa.String(200), nullable=True),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("claimed_until", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["desk.message.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("message_id", "contact_point_id", "channel", name="delivery_once"),
        schema=DESK,
    )
    op.create_index("delivery_queue", "delivery", ["channel", "state", "due_at"], unique=False, schema=DESK)
    op.create_index("ix_desk_delivery_contact_point_id", "delivery", ["contact_point_id"], unique=False, schema=DESK)
    op.create_table(
        "message_text",
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("title", sa.String(80), nullable=False),
        sa.Column("body", sa.String(1000), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["desk.message.id"],
        ),
        sa.PrimaryKeyConstraint("message_id", "language"),
        schema=DESK,
    )

    _only_add_to_audit()


def _only_add_to_audit() -> None:
    """What was done cannot be made undone in the books: the database refuses to change or remove an audit row."""
    if op.get_context().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_no_{verb.lower()} BEFORE {verb} ON audit "
                "BEGIN SELECT RAISE(ABORT, 'audit rows are only ever added'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION desk.refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'audit rows are only ever added'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON desk.audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION desk.refuse()"
    )
