"""Statements in, Arrow tables out.

`query` is for answers of up to some ten thousand rows, `query_large` for any number:
it lets BigQuery write the answer into a staging table and fetches that through the
Storage Read API, which is fifty times faster a row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
from google.api_core.exceptions import Conflict, NotFound
from google.cloud.bigquery import QueryJob, QueryJobConfig
from google.cloud.bigquery_storage_v1 import types

from tenpo.errors import WarehouseError
from tenpo.warehouse.client import Warehouse
from tenpo.warehouse.failure import RETRY, SHORT_RETRY, STORAGE_RETRY, mapped_errors
from tenpo.warehouse.job import Job, parameters

_ATTEMPTS = 50

Params = Mapping[str, object]


def query(warehouse: Warehouse, sql: str, params: Params | None = None, *, job: Job) -> pa.Table:
    """Run a SELECT.

    Args:
        warehouse: where.
        sql: GoogleSQL; values are `@name`.
        params: values by name; their Python types say their SQL types.
        job: gives the job's id and labels.

    Raises:
        InputError: BigQuery refuses the statement.
        WarehouseError: BigQuery does not answer.
    """
    with mapped_errors(str(job)):
        rows = _run(warehouse, sql, params or {}, job).result(retry=RETRY)
        return rows.to_arrow(create_bqstorage_client=False)


def execute(warehouse: Warehouse, sql: str, params: Params | None = None, *, job: Job) -> int:
    """Run a statement that gives no rows.

    Returns:
        The number of rows that DML changed.

    Raises:
        InputError: BigQuery refuses the statement.
        WarehouseError: BigQuery does not answer.
    """
    with mapped_errors(str(job)):
        ran = _run(warehouse, sql, params or {}, job)
        ran.result(retry=RETRY)
        return ran.num_dml_affected_rows or 0


def query_large(
    warehouse: Warehouse, sql: str, params: Params | None = None, *, job: Job
) -> pa.Table:
    """Run a SELECT whose answer may be of any size; its columns need names.

    Raises:
        InputError: BigQuery refuses the statement.
        WarehouseError: BigQuery does not answer.
    """
    name = job.table_name("answer")
    create = (
        f"CREATE OR REPLACE TABLE `{warehouse.table('staging', name)}`\n"
        "OPTIONS (expiration_timestamp = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 1 DAY)) AS\n"
    )
    execute(warehouse, create + sql, params, job=job)
    try:
        return read_table(warehouse, "staging", name)
    finally:
        drop(warehouse, name)


def read_table(
    warehouse: Warehouse,
    dataset: str,
    name: str,
    columns: Sequence[str] = (),
    row_filter: str = "",
) -> pa.Table:
    """Rows of a table through the Storage Read API.

    Args:
        warehouse: where.
        dataset: `raw`, `dwh`, `mart` or `staging`.
        name: the table.
        columns: only these; none means all.
        row_filter: a GoogleSQL condition over literals. Never put outside text into it.

    Raises:
        WarehouseError: BigQuery does not answer.
    """
    project, dataset_id = warehouse.dataset(dataset).split(".", 1)
    wanted = types.ReadSession(
        table=f"projects/{project}/datasets/{dataset_id}/tables/{name}",
        data_format=types.DataFormat.ARROW,
        read_options=types.ReadSession.TableReadOptions(
            selected_fields=list(columns), row_restriction=row_filter
        ),
    )
    with mapped_errors(f"{dataset}.{name}"):
        session = warehouse.reader.create_read_session(
            parent=f"projects/{warehouse.project}",
            read_session=wanted,
            max_stream_count=4,
            retry=STORAGE_RETRY,
        )
        schema = pa.ipc.read_schema(pa.py_buffer(session.arrow_schema.serialized_schema))
        batches = [
            _batch(answer, schema)
            for stream in session.streams
            for answer in warehouse.reader.read_rows(stream.name, retry=STORAGE_RETRY)  # type: ignore[no-untyped-call]
        ]
    return pa.Table.from_batches(batches, schema)


def _batch(answer: types.ReadRowsResponse, schema: pa.Schema) -> pa.RecordBatch:
    message = pa.py_buffer(answer.arrow_record_batch.serialized_record_batch)
    return pa.ipc.read_record_batch(message, schema)


def drop(warehouse: Warehouse, name: str) -> None:
    """Drop a staging table; no error where it is gone."""
    with mapped_errors(f"staging.{name}"):
        warehouse.client.delete_table(
            warehouse.table("staging", name), not_found_ok=True, retry=SHORT_RETRY
        )


def _run(warehouse: Warehouse, sql: str, params: Params, job: Job) -> QueryJob:
    """Start the statement under the job's next free id.

    Where the id is taken, a process before us ran the same statement. If it still runs
    (we succeed a dead process), it ends before ours begins: two of them side by side
    would be two writers.
    """
    config = QueryJobConfig(
        query_parameters=parameters(params),
        labels=job.labels,
        maximum_bytes_billed=warehouse.settings.maximum_bytes_billed,
        use_query_cache=False,
    )
    statement = sql + repr(sorted(params.items()))
    for attempt in range(_ATTEMPTS):
        job_id = job.job_id(statement, attempt)
        try:
            return warehouse.client.query(
                sql, job_config=config, job_id=job_id, job_retry=None, retry=RETRY
            )
        except Conflict:
            _await_end(warehouse, job_id)
    raise WarehouseError(
        f"the statement was started {_ATTEMPTS} times under this name",
        where=job.job_id(statement, 0),
        remedy="Give every run a run_id of its own.",
    )


def _await_end(warehouse: Warehouse, job_id: str) -> None:
    try:
        earlier = warehouse.client.get_job(job_id, retry=RETRY)
    except NotFound:
        return
    if earlier.state != "DONE":
        earlier.cancel(retry=RETRY)
        earlier.exception(timeout=600)  # type: ignore[no-untyped-call]
