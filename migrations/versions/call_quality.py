"""How well each side of a call was heard."""

import sqlalchemy as sa
from alembic import op

from migrations import within

revision = "quality"
down_revision = "postcodes"


def upgrade() -> None:
    op.add_column("call", sa.Column("quality", sa.JSON(none_as_null=True), nullable=True), schema=within("police"))
