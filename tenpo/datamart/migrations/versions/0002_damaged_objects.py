"""Objects of the lake that cannot be read, and why."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Let the ledger know of them."""
    op.execute("ALTER TABLE ingest_object ADD COLUMN error text")
    op.execute("ALTER TABLE ingest_object DROP CONSTRAINT ingest_object_state_check")
    op.execute(
        "ALTER TABLE ingest_object ADD CONSTRAINT ingest_object_state_check "
        "CHECK (state IN ('loading', 'loaded', 'conformed', 'damaged'))"
    )
