"""Runs the migrations on the connection that `tenpo.datamart.migrations.upgrade` opened."""

from __future__ import annotations

from alembic import context

from tenpo.datamart.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table="tenpo_migration",
)
context.run_migrations()
