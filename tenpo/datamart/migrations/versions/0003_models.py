"""What the models publish. PostgreSQL itself refuses figures that are no numbers."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

_TABLES = (
    """
    CREATE TABLE model_run (
      as_of_date date NOT NULL,
      tenant_id text NOT NULL,
      currency text NOT NULL,
      first_date date NOT NULL,
      store_count bigint NOT NULL,
      cluster_count bigint NOT NULL,
      silhouette double precision CHECK (silhouette <> 'NaN'),
      stability double precision NOT NULL CHECK (stability <> 'NaN'),
      seed bigint NOT NULL,
      data_fingerprint text NOT NULL,
      parameters text NOT NULL,
      versions text NOT NULL,
      notes text NOT NULL,
      started_at timestamptz NOT NULL,
      run_id text NOT NULL,
      PRIMARY KEY (tenant_id, currency))""",
    """
    CREATE TABLE store_cluster (
      as_of_date date NOT NULL,
      tenant_id text NOT NULL,
      store_id text NOT NULL,
      currency text NOT NULL,
      cluster_id text,
      traits text,
      map_x double precision CHECK (map_x <> 'NaN'),
      map_y double precision CHECK (map_y <> 'NaN'),
      left_out text,
      run_id text NOT NULL,
      CHECK ((cluster_id IS NULL) <> (left_out IS NULL)),
      PRIMARY KEY (tenant_id, store_id))""",
    """
    CREATE TABLE store_target (
      as_of_date date NOT NULL,
      tenant_id text NOT NULL,
      store_id text NOT NULL,
      currency text NOT NULL,
      factor text NOT NULL,
      level numeric(38, 9) NOT NULL CHECK (level <> 'NaN'),
      attainable numeric(38, 9) NOT NULL CHECK (attainable <> 'NaN'),
      low numeric(38, 9) NOT NULL CHECK (low <> 'NaN'),
      high numeric(38, 9) NOT NULL CHECK (high <> 'NaN'),
      headroom_amount numeric(38, 9) CHECK (headroom_amount <> 'NaN'),
      low_amount numeric(38, 9) CHECK (low_amount <> 'NaN'),
      high_amount numeric(38, 9) CHECK (high_amount <> 'NaN'),
      basis text NOT NULL,
      is_first boolean NOT NULL,
      run_id text NOT NULL,
      PRIMARY KEY (tenant_id, store_id, factor))""",
    """
    CREATE TABLE store_forecast (
      as_of_date date NOT NULL,
      tenant_id text NOT NULL,
      store_id text NOT NULL,
      currency text NOT NULL,
      business_date date NOT NULL,
      measure text NOT NULL,
      value numeric(38, 9) NOT NULL CHECK (value <> 'NaN'),
      low numeric(38, 9) NOT NULL CHECK (low <> 'NaN'),
      high numeric(38, 9) NOT NULL CHECK (high <> 'NaN'),
      target numeric(38, 9) CHECK (target <> 'NaN'),
      is_cold boolean NOT NULL,
      run_id text NOT NULL,
      PRIMARY KEY (tenant_id, store_id, business_date, measure))""",
    """
    CREATE TABLE chain_forecast (
      as_of_date date NOT NULL,
      tenant_id text NOT NULL,
      currency text NOT NULL,
      business_date date NOT NULL,
      measure text NOT NULL,
      value numeric(38, 9) NOT NULL CHECK (value <> 'NaN'),
      low numeric(38, 9) NOT NULL CHECK (low <> 'NaN'),
      high numeric(38, 9) NOT NULL CHECK (high <> 'NaN'),
      run_id text NOT NULL,
      PRIMARY KEY (tenant_id, currency, business_date, measure))""",
)


def upgrade() -> None:
    """Make them."""
    for statement in _TABLES:
        op.execute(statement)
