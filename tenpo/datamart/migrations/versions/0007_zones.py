"""Zones of stores by hour, and the revisions of theirs that were replaced. Measures follow."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"

_KEY = "tenant_id, store_id, business_date, hour_start_at, zone_id"


def upgrade() -> None:
    """A table of current rows and one of past revisions."""
    op.execute(f"""
        CREATE TABLE kpi_zone_hour (
          tenant_id text NOT NULL,
          store_id text NOT NULL,
          business_date date NOT NULL,
          hour_start_at timestamptz NOT NULL,
          local_hour bigint NOT NULL,
          zone_id text NOT NULL,
          definition_version bigint NOT NULL,
          revision bigint NOT NULL,
          cause text NOT NULL,
          computed_at timestamptz NOT NULL,
          run_id text NOT NULL,
          PRIMARY KEY ({_KEY}))""")
    op.execute(f"""
        CREATE TABLE kpi_zone_hour_past (
          LIKE kpi_zone_hour, PRIMARY KEY ({_KEY}, revision))""")
    for table in ("kpi_zone_hour", "kpi_zone_hour_past"):
        op.execute(f"CREATE INDEX {table}_by_date ON {table} (tenant_id, business_date)")
