"""How large rows are, and how much a statement would read, before it is run."""

from __future__ import annotations

from google.cloud.bigquery import QueryJobConfig

from tenpo.contracts import Contract, Type
from tenpo.warehouse.client import Warehouse
from tenpo.warehouse.failure import RETRY, mapped_errors
from tenpo.warehouse.job import Job, parameters
from tenpo.warehouse.read import Params

#: Logical bytes by https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types;
#: a string has 2 beside its own, which are taken to be 16.
_BYTES = {
    Type.STRING: 18, Type.INT64: 8, Type.NUMERIC: 16, Type.FLOAT64: 8, Type.BOOL: 1,
    Type.TIMESTAMP: 8, Type.DATE: 8,
}  # fmt: skip


def bytes_a_row(warehouse: Warehouse, contract: Contract) -> int:
    """Mean logical bytes of a table's rows; by its columns where its metadata does not tell.

    Raises:
        WarehouseError: BigQuery does not answer.
    """
    name = warehouse.table(contract.dataset, contract.name)
    with mapped_errors(name):
        table = warehouse.client.get_table(name, retry=RETRY)
    if table.num_rows and table.num_bytes:
        return int(table.num_bytes // table.num_rows)
    return sum(_BYTES[field.type] for field in contract.fields)


def dry_run_bytes(warehouse: Warehouse, sql: str, params: Params, *, job: Job) -> int:
    """Bytes that a statement would read; 0 where the server does not tell.

    Raises:
        InputError: BigQuery refuses the statement.
        WarehouseError: BigQuery does not answer.
    """
    config = QueryJobConfig(
        dry_run=True, use_query_cache=False, query_parameters=parameters(params),
        labels=job.labels, maximum_bytes_billed=warehouse.settings.maximum_bytes_billed,
    )  # fmt: skip
    with mapped_errors(str(job)):
        tried = warehouse.client.query(sql, job_config=config, job_retry=None, retry=RETRY)
        return int(tried.total_bytes_processed or 0)
