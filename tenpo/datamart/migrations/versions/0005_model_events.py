"""What became of each run of the models, told once to whoever wants to know."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"

_STATEMENTS = (
    """
    CREATE TABLE model_event (
      event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      tenant_id text NOT NULL,
      run_id text NOT NULL,
      state text NOT NULL,
      note text NOT NULL DEFAULT '',
      happened_at timestamptz NOT NULL DEFAULT clock_timestamp())""",
    "CREATE INDEX model_event_by_tenant ON model_event (tenant_id, event_id)",
    """
    CREATE FUNCTION model_event_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION 'model_event is append-only';
    END $$""",
    """
    CREATE TRIGGER model_event_stays BEFORE UPDATE OR DELETE ON model_event
    FOR EACH ROW EXECUTE FUNCTION model_event_stays()""",
    """
    CREATE TABLE model_notice (
      event_id bigint PRIMARY KEY REFERENCES model_event,
      told_at timestamptz NOT NULL DEFAULT clock_timestamp())""",
)


def upgrade() -> None:
    """Make them."""
    for statement in _STATEMENTS:
        op.execute(statement)
