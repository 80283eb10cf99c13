"""Replacing: exactly the rows of the given keys go, and the new ones come, in one MERGE.

BigQuery bills by the partition and allows few writers a table, so a replacement
states its dates and is one statement; half of it can never be seen.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tenpo.contracts import Contract, Field, Type
from tenpo.errors import ConfigError
from tenpo.failpoint import failpoint
from tenpo.warehouse.client import Warehouse
from tenpo.warehouse.job import Job
from tenpo.warehouse.read import execute
from tenpo.warehouse.staging import staged
from tenpo.warehouse.statements import Equal, load_sql

_OP = Field("op", Type.STRING, "`insert` a row, or `delete` the rows of a key.")


def replace(
    warehouse: Warehouse, contract: Contract, rows: pa.Table, keys: pa.Table, *, job: Job
) -> int:
    """Delete the rows of the keys and insert `rows`, atomically.

    Args:
        warehouse: where.
        contract: the table; it is partitioned by a DATE column.
        rows: what the keys hold from now on; may be empty.
        keys: key columns of the contract, never null, the partition column among them.
        job: names the work.

    Returns:
        The number of rows deleted plus inserted.

    Raises:
        ConfigError: the keys lack the partition column.
        IntegrityError: the rows break the contract.
        WarehouseError: BigQuery does not answer; run it again with the same arguments.
    """
    day = contract.partition_by
    if day not in keys.column_names:
        raise ConfigError(
            f"the keys lack the partition column {day!r}",
            where=f"{contract.dataset}.{contract.name}",
            remedy="Name the business dates whose rows are to be replaced.",
        )
    if not keys.num_rows:
        return 0
    stage = job.table_name(f"replace_{contract.name}")
    both = _inserts_and_deletes(contract, contract.conform(rows), keys)
    with staged(warehouse, stage, (*contract.fields, _OP), both):
        failpoint("warehouse.before_merge")
        return _merge(warehouse, contract, stage, keys, job)


def _merge(warehouse: Warehouse, contract: Contract, stage: str, keys: pa.Table, job: Job) -> int:
    sql = load_sql(
        warehouse,
        "tenpo.warehouse.sql",
        "replace",
        target=contract,
        stage=stage,
        day=contract.partition_by,
        same_key=Equal("t", "s", keys.column_names),
        columns=contract.names,
        values=[f"s.{name}" for name in contract.names],
    )
    first, last = _span(keys.column(contract.partition_by))
    return execute(warehouse, sql, {"first": first, "last": last}, job=job)


def _inserts_and_deletes(contract: Contract, rows: pa.Table, keys: pa.Table) -> pa.Table:
    """Rows to insert and keys to delete as one table, told apart by `op`."""
    fields = [pa.field(f.name, f.type.arrow) for f in (*contract.fields, _OP)]
    inserts = rows.append_column("op", pa.array(["insert"] * rows.num_rows, pa.string()))
    unique = keys.group_by(keys.column_names).aggregate([])
    columns: list[pa.Array[Any] | pa.ChunkedArray[Any]] = [
        unique.column(f.name).cast(f.type)
        if f.name in unique.column_names
        else pa.nulls(unique.num_rows, f.type)
        for f in fields[:-1]
    ]
    columns.append(pa.array(["delete"] * unique.num_rows, pa.string()))
    schema = pa.schema(fields)
    return pa.concat_tables([inserts.cast(schema), pa.table(columns, schema=schema)])


def _span(days: pa.ChunkedArray[Any]) -> tuple[date, date]:
    ends = pc.min_max(days).as_py()
    return ends["min"], ends["max"]
