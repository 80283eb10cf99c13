"""Staging tables: made empty for one statement, expiring by themselves, dropped after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pyarrow as pa
from google.cloud.bigquery import SchemaField, Table

from tenpo.contracts import Field
from tenpo.warehouse.append import append_arrow
from tenpo.warehouse.client import Warehouse
from tenpo.warehouse.failure import RETRY, mapped_errors
from tenpo.warehouse.read import drop

LIFETIME = timedelta(days=1)


@contextmanager
def staged(
    warehouse: Warehouse, name: str, fields: Sequence[Field], rows: pa.Table
) -> Iterator[None]:
    """A staging table that holds `rows` for the time of the block.

    Args:
        warehouse: where.
        name: from `Job.table_name`; a table that a dead run left is replaced.
        fields: its columns; none of them is required.
        rows: exactly those columns.

    Raises:
        WarehouseError: BigQuery does not answer.
    """
    full = warehouse.table("staging", name)
    table = Table(full, schema=[SchemaField(f.name, f.type.bigquery) for f in fields])
    table.expires = datetime.now(UTC) + LIFETIME
    drop(warehouse, name)
    with mapped_errors(full):
        warehouse.client.create_table(table, retry=RETRY)
    try:
        append_arrow(warehouse, "staging", name, rows)
        yield
    finally:
        drop(warehouse, name)
