"""Revisions that were replaced, so that yesterday's truth can be read."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"

_KEYS = {
    "kpi_store_hour": "tenant_id, store_id, business_date, hour_start_at, revision",
    "kpi_store_day": "tenant_id, store_id, business_date, revision",
}


def upgrade() -> None:
    """A table of past revisions beside each of current rows, and an index for the changed ones."""
    for name, key in _KEYS.items():
        op.execute(f"CREATE TABLE {name}_past (LIKE {name}, PRIMARY KEY ({key}))")
        op.execute(f"CREATE INDEX {name}_past_by_date ON {name}_past (tenant_id, business_date)")
