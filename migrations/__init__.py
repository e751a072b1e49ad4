"""What the migrations share."""

from alembic import op


def within(schema: str) -> str | None:
    """The schema to name when a table is altered: on SQLite none, there all tables share one file."""
    return None if op.get_context().dialect.name == "sqlite" else schema
