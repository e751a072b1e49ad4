"""The regions of the postcodes."""

import sqlalchemy as sa
from alembic import op

revision = "postcodes"
down_revision = "0002"

DESK = "desk"


def upgrade() -> None:
    op.create_table(
        "postcode_range",
        sa.Column("first", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.Column("region_id", sa.String(), nullable=False),
        sa.Column("also", sa.JSON(), nullable=False),
        sa.Column("approximate", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["region_id"], ["desk.region.id"]),
        sa.PrimaryKeyConstraint("first"),
        schema=DESK,
    )
