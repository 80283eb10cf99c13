"""What is released of many tenants together: rounded quartiles, and nobody's part in them."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make it."""
    op.execute("""
        CREATE TABLE benchmark (
          period_from date NOT NULL,
          grain text NOT NULL,
          industry text NOT NULL,
          currency text NOT NULL,
          size_band text NOT NULL,
          kpi text NOT NULL,
          period text NOT NULL,
          period_to date NOT NULL,
          low numeric(38, 9) NOT NULL CHECK (low <> 'NaN'),
          median numeric(38, 9) NOT NULL CHECK (median <> 'NaN'),
          high numeric(38, 9) NOT NULL CHECK (high <> 'NaN'),
          store_count_min bigint NOT NULL CHECK (store_count_min >= 5),
          definition_version bigint NOT NULL,
          run_id text NOT NULL,
          CHECK (low <= median AND median <= high),
          PRIMARY KEY (period_from, grain, industry, currency, size_band, kpi))""")
