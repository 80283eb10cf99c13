"""Which stream of the warehouse is a load's, so that attempts at it append it once."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make it."""
    op.execute("""
        CREATE TABLE append_claim (
          key text PRIMARY KEY,
          stream text NOT NULL,
          claimed_at timestamptz NOT NULL DEFAULT clock_timestamp())""")
    op.execute("CREATE INDEX append_claim_by_age ON append_claim (claimed_at)")
