"""Datasets, tables and views from the contracts: made where absent, and brought up to them.

A column that is new is added, one that is retired dropped; every other difference is refused.

Tables are made through the API rather than by `Contract.ddl`: the compatible server
reads NUMERIC in DDL as DECIMAL(18, 3) and truncates silently (bqemulator 1.4.0, seen
2026-11). For the same reason a new NUMERIC column is written NUMERIC(38, 9), which is
NUMERIC's own precision.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from google.api_core.exceptions import NotFound
from google.cloud.bigquery import (
    Dataset,
    PartitionRange,
    RangePartitioning,
    SchemaField,
    Table,
    TimePartitioning,
)

from tenpo.contracts import CONFORMED, Contract, Field, Type
from tenpo.errors import ConfigError
from tenpo.settings import get_settings
from tenpo.warehouse.client import Warehouse, connect
from tenpo.warehouse.failure import RETRY, mapped_errors
from tenpo.warehouse.job import Job
from tenpo.warehouse.read import drop, execute
from tenpo.warehouse.staging import LIFETIME
from tenpo.warehouse.statements import load_sql
from tenpo.warehouse.tables import RETIRED, TABLES, VIEWS

#: The API's own names of the types whose GoogleSQL name differs.
_OLD_NAMES = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}
_BY_DATE = re.compile(r"(?:DATE\()?(\w+)\)?")
_BY_RANGE = re.compile(r"RANGE_BUCKET\((\w+), GENERATE_ARRAY\((\d+), (\d+), (\d+)\)\)")


def ensure_tables(warehouse: Warehouse | None = None) -> None:
    """Make what is missing; calling it again changes nothing.

    Args:
        warehouse: where; none means the one of the process's settings.

    Raises:
        ConfigError: a table differs from its contract by more than missing nullable columns.
        WarehouseError: BigQuery does not answer.
    """
    if warehouse is None:
        with connect(get_settings()) as own:
            return ensure_tables(own)
    for name in ("raw", "dwh", "mart", "staging"):
        _ensure_dataset(warehouse, name)
    for contract in TABLES:
        _ensure_table(warehouse, contract)
    for contract in VIEWS:
        _ensure_view(warehouse, contract)
    _sweep_staging(warehouse)
    return None


def _ensure_dataset(warehouse: Warehouse, name: str) -> None:
    dataset = Dataset(warehouse.dataset(name))
    dataset.location = warehouse.settings.location
    if name == "staging":
        dataset.default_table_expiration_ms = int(LIFETIME.total_seconds() * 1000)
    with mapped_errors(name):
        warehouse.client.create_dataset(dataset, exists_ok=True, retry=RETRY)


def _sweep_staging(warehouse: Warehouse) -> None:
    """Drop what dead runs left and no expiration took: the compatible server knows none."""
    limit = datetime.now(UTC) - LIFETIME
    with mapped_errors("staging"):
        listed = warehouse.client.list_tables(warehouse.dataset("staging"), retry=RETRY)
        old = [t.table_id for t in listed if t.created is not None and t.created < limit]
    for name in old:
        drop(warehouse, name)


def _ensure_table(warehouse: Warehouse, contract: Contract) -> None:
    name = warehouse.table(contract.dataset, contract.name)
    with mapped_errors(name):
        try:
            held = warehouse.client.get_table(name, retry=RETRY)
        except NotFound:
            warehouse.client.create_table(described(contract, name), exists_ok=True, retry=RETRY)
            return
        _widen(warehouse, contract, held)


def _ensure_view(warehouse: Warehouse, contract: Contract) -> None:
    """Columns of its query are those of the table `event`, and what the file adds."""
    of_event = set(CONFORMED["visit_event"].names) - {"person_id"}
    columns = [f"event.{name}" for name in contract.names if name in of_event]
    query = load_sql(warehouse, "tenpo.warehouse.views", contract.name, columns=columns)
    name = warehouse.table(contract.dataset, contract.name)
    options = f'OPTIONS (description = "{contract.grain}")'
    job = Job("schema", contract.name)
    execute(warehouse, f"CREATE OR REPLACE VIEW `{name}`\n{options} AS\n{query}", job=job)


def described(contract: Contract, name: str) -> Table:
    """The contract as the API's table.

    Args:
        contract: the table's contract.
        name: `project.dataset.table`.
    """
    table = Table(name, schema=[_column(field) for field in contract.fields])
    table.description = contract.grain
    if contract.cluster_by:
        table.clustering_fields = list(contract.cluster_by)
    _partition(table, contract)
    return table


def _partition(table: Table, contract: Contract) -> None:
    text = contract.partition_by
    if not text:
        return
    if found := _BY_RANGE.fullmatch(text):
        start, end, step = (int(found[n]) for n in (2, 3, 4))
        span = PartitionRange(start=start, end=end, interval=step)
        table.range_partitioning = RangePartitioning(field=found[1], range_=span)
    elif found := _BY_DATE.fullmatch(text):
        table.time_partitioning = TimePartitioning(field=found[1])
    else:
        raise ConfigError(
            f"the partitioning {text!r} is not understood",
            where=f"{contract.dataset}.{contract.name}",
            remedy="Write `column`, `DATE(column)` or RANGE_BUCKET(column, GENERATE_ARRAY(…)).",
        )
    table.require_partition_filter = True


def _column(field: Field) -> SchemaField:
    mode = "REQUIRED" if field.required else "NULLABLE"
    return SchemaField(field.name, field.type.bigquery, mode, description=field.meaning)


def _widen(warehouse: Warehouse, contract: Contract, held: Table) -> None:
    """Add the contract's new columns, drop retired ones, refuse every other difference."""
    columns = {column.name: column for column in held.schema}
    new = [field for field in contract.fields if field.name not in columns]
    retired = [name for name in RETIRED.get(contract.name, ()) if columns.pop(name, None)]
    _refuse(contract, columns, new)
    for field in new:
        _add_column(warehouse, contract, field)
    for name in retired:
        _alter(warehouse, contract, f"DROP COLUMN IF EXISTS `{name}`", name)
    if new or retired:  # the compatible server's ALTER TABLE forgets its own catalogue
        held.schema = [*columns.values(), *(_column(field) for field in new)]
        warehouse.client.update_table(held, ["schema"], retry=RETRY)


def _refuse(contract: Contract, columns: dict[str, SchemaField], new: list[Field]) -> None:
    problems = [f"{f.name} is new but required" for f in new if f.required]
    for field in contract.fields:
        column = columns.get(field.name)
        if column is None:
            continue
        held = _OLD_NAMES.get(column.field_type, column.field_type)
        if held != field.type.bigquery:
            problems.append(f"{field.name} is {held}, not {field.type.bigquery}")
    problems += [f"{name} is in no contract" for name in columns.keys() - set(contract.names)]
    if problems:
        raise ConfigError(
            f"the table differs from its contract: {'; '.join(problems)}",
            where=f"{contract.dataset}.{contract.name}",
            remedy="Migrate it by hand: copy it into a table of the new shape, or drop it and "
            "replay from the lake.",
        )


def _add_column(warehouse: Warehouse, contract: Contract, field: Field) -> None:
    kind = "NUMERIC(38, 9)" if field.type is Type.NUMERIC else field.type.bigquery
    change = f"ADD COLUMN IF NOT EXISTS `{field.name}` {kind}"
    _alter(warehouse, contract, change, field.name)


def _alter(warehouse: Warehouse, contract: Contract, change: str, column: str) -> None:
    table = warehouse.table(contract.dataset, contract.name)
    job = Job("schema", f"{contract.name}.{column}")
    execute(warehouse, f"ALTER TABLE `{table}` {change}", job=job)
