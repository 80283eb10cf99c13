"""The first tables.

The KPI tables start with what every row has; measures follow from the contracts.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None

_STORE_DAY = """
    tenant_id text NOT NULL,
    store_id text NOT NULL,
    business_date date NOT NULL"""
_REVISED = """
    currency text NOT NULL,
    definition_version bigint NOT NULL,
    revision bigint NOT NULL,
    cause text NOT NULL,
    computed_at timestamptz NOT NULL,
    run_id text NOT NULL"""

_TABLES = (
    f"""
    CREATE TABLE kpi_store_hour ({_STORE_DAY},
    hour_start_at timestamptz NOT NULL,
    local_hour bigint NOT NULL,{_REVISED},
    PRIMARY KEY (tenant_id, store_id, business_date, hour_start_at))""",
    "CREATE INDEX kpi_store_hour_by_date ON kpi_store_hour (tenant_id, business_date)",
    f"""
    CREATE TABLE kpi_store_day ({_STORE_DAY},{_REVISED},
    PRIMARY KEY (tenant_id, store_id, business_date))""",
    "CREATE INDEX kpi_store_day_by_date ON kpi_store_day (tenant_id, business_date)",
    """
    CREATE TABLE store (
      tenant_id text NOT NULL,
      store_id text NOT NULL,
      name text NOT NULL,
      timezone text NOT NULL,
      currency text NOT NULL,
      day_cutover_s integer NOT NULL DEFAULT 0,
      industry text,
      sales_area_m2 double precision,
      opened_on date,
      updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      PRIMARY KEY (tenant_id, store_id))""",
    """
    CREATE TABLE run (
      run_id text PRIMARY KEY,
      tenant_id text NOT NULL,
      job text NOT NULL,
      state text NOT NULL,
      started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      finished_at timestamptz,
      published_at timestamptz,
      announced_at timestamptz,
      rows bigint NOT NULL DEFAULT 0,
      note text NOT NULL DEFAULT '')""",
    "CREATE INDEX run_by_tenant ON run (tenant_id, published_at)",
    """
    CREATE TABLE ingest_object (
      name text PRIMARY KEY,
      tenant_id text NOT NULL,
      event text NOT NULL,
      rows bigint NOT NULL,
      load_id text NOT NULL,
      state text NOT NULL CHECK (state IN ('loading', 'loaded', 'conformed')),
      ingested_at timestamptz NOT NULL,
      loaded_at timestamptz,
      conformed_at timestamptz)""",
    "CREATE INDEX ingest_object_by_load ON ingest_object (load_id)",
    "CREATE INDEX ingest_object_by_tenant ON ingest_object (tenant_id, event)",
    """
    CREATE INDEX ingest_object_open ON ingest_object (state, event)
    WHERE state <> 'conformed'""",
    "CREATE SEQUENCE dirty_generation",
    """
    CREATE TABLE dirty_store_day (
      tenant_id text NOT NULL,
      store_id text NOT NULL,
      business_date date NOT NULL,
      cause text NOT NULL,
      marked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      generation bigint NOT NULL DEFAULT nextval('dirty_generation'),
      PRIMARY KEY (tenant_id, store_id, business_date))""",
    """
    CREATE TABLE lease (
      name text PRIMARY KEY,
      token bigint NOT NULL,
      holder text NOT NULL,
      expires_at timestamptz NOT NULL)""",
    """
    CREATE TABLE device_health (
      tenant_id text NOT NULL,
      store_id text NOT NULL,
      device_id text NOT NULL,
      last_seen_at timestamptz NOT NULL,
      last_interval_end_at timestamptz,
      PRIMARY KEY (tenant_id, store_id, device_id))""",
)


def upgrade() -> None:
    """Make them."""
    for statement in _TABLES:
        op.execute(statement)
