"""Appending through the Storage Write API: Arrow rows, one PENDING stream, one commit.

Nothing is visible before the commit, and then everything is. What dies in between
leaves a stream that BigQuery forgets. `append` does it all; who has to decide between
several attempts calls `seal` and, for the one that counts, `commit`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
from google.cloud.bigquery_storage_v1 import types

from tenpo.contracts import Contract
from tenpo.errors import IntegrityError, WarehouseError
from tenpo.failpoint import failpoint
from tenpo.warehouse.client import Warehouse
from tenpo.warehouse.failure import STORAGE_RETRY, mapped_errors

#: BigQuery takes at most 10 MB a request.
_REQUEST_BYTES = 6 * 1024**2
_SEND_TIMEOUT_S = 600


def append(warehouse: Warehouse, contract: Contract, rows: pa.Table) -> int:
    """Append rows to the contract's table, all or none.

    Args:
        warehouse: where.
        contract: the table.
        rows: its columns, in any order.

    Returns:
        The number of rows.

    Raises:
        IntegrityError: the rows break the contract.
        WarehouseError: BigQuery does not answer; nothing was appended, or (where the
            answer to the commit was lost) all of it.
    """
    return append_arrow(warehouse, contract.dataset, contract.name, contract.conform(rows))


def append_arrow(warehouse: Warehouse, dataset: str, name: str, rows: pa.Table) -> int:
    """Append rows whose schema is exactly the table's; for staging tables.

    Raises:
        WarehouseError: as `append`.
    """
    if rows.num_rows and not _commit(
        warehouse, dataset, name, _seal(warehouse, dataset, name, rows)
    ):
        raise WarehouseError("BigQuery lost a stream before its commit", where=f"{dataset}.{name}")
    return int(rows.num_rows)


def seal(warehouse: Warehouse, contract: Contract, rows: pa.Table) -> str:
    """Bring rows into a stream of the contract's table; nobody sees them before `commit`.

    Args:
        warehouse: where.
        contract: the table.
        rows: its columns, in any order; not none.

    Returns:
        The stream's name.

    Raises:
        IntegrityError: the rows break the contract.
        WarehouseError: BigQuery does not answer.
    """
    return _seal(warehouse, contract.dataset, contract.name, contract.conform(rows))


def commit(warehouse: Warehouse, contract: Contract, stream: str) -> bool:
    """Show the rows of a sealed stream; one that is committed already stays as it is.

    Returns:
        False if there is no such stream any more.

    Raises:
        WarehouseError: BigQuery does not answer.
    """
    return _commit(warehouse, contract.dataset, contract.name, stream)


def _seal(warehouse: Warehouse, dataset: str, name: str, rows: pa.Table) -> str:
    where = f"{dataset}.{name}"
    with mapped_errors(where):
        stream: str = warehouse.writer.create_write_stream(
            parent=_parent(warehouse, dataset, name),
            write_stream=types.WriteStream(type_=types.WriteStream.Type.PENDING),
            retry=STORAGE_RETRY,
        ).name
        _send(warehouse, stream, rows, where)
        failpoint("warehouse.before_commit")
        sealed = warehouse.writer.finalize_write_stream(name=stream, retry=STORAGE_RETRY)
        if sealed.row_count != rows.num_rows:
            raise IntegrityError(
                f"BigQuery holds {sealed.row_count} of {rows.num_rows} rows", where=where,
                remedy="Nothing was committed; run it again.",
            )  # fmt: skip
    return stream


def _parent(warehouse: Warehouse, dataset: str, name: str) -> str:
    project, dataset_id = warehouse.dataset(dataset).split(".", 1)
    return f"projects/{project}/datasets/{dataset_id}/tables/{name}"


def _send(warehouse: Warehouse, stream: str, rows: pa.Table, where: str) -> None:
    # Not retried: the rows come from a generator, and a stream that broke is left to expire.
    requests = _requests(stream, rows)
    for answer in warehouse.writer.append_rows(requests, retry=None, timeout=_SEND_TIMEOUT_S):
        if answer.error.code:
            raise WarehouseError(f"BigQuery refuses the rows: {answer.error.message}", where=where)


def _requests(stream: str, rows: pa.Table) -> Iterator[types.AppendRowsRequest]:
    schema = types.ArrowSchema(serialized_schema=rows.schema.serialize().to_pybytes())
    offset = 0
    for batch in _batches(rows):
        data = types.AppendRowsRequest.ArrowData(
            writer_schema=schema,
            rows=types.ArrowRecordBatch(serialized_record_batch=batch.serialize().to_pybytes()),
        )
        yield types.AppendRowsRequest(write_stream=stream, offset=offset, arrow_rows=data)
        offset += batch.num_rows


def _batches(rows: pa.Table) -> Iterator[pa.RecordBatch]:
    """Slices that stay below the limit of a request, cut anew where rows are large."""
    pending = [rows.combine_chunks()]
    while pending:
        part = pending.pop()
        for batch in part.to_batches():
            if pa.ipc.get_record_batch_size(batch) <= _REQUEST_BYTES or batch.num_rows == 1:
                yield batch
            else:
                half = batch.num_rows // 2
                table = pa.Table.from_batches([batch])
                pending += [table.slice(half), table.slice(0, half)]


def _commit(warehouse: Warehouse, dataset: str, name: str, stream: str) -> bool:
    parent, where = _parent(warehouse, dataset, name), f"{dataset}.{name}"
    request = types.BatchCommitWriteStreamsRequest(parent=parent, write_streams=[stream])
    with mapped_errors(where):
        done = warehouse.writer.batch_commit_write_streams(request, retry=STORAGE_RETRY)
    for error in done.stream_errors:
        if error.code == types.StorageError.StorageErrorCode.STREAM_NOT_FOUND:
            return False
        if not _is_committed(error):
            raise WarehouseError(f"BigQuery did not commit: {error.error_message}", where=where)
    return True


def _is_committed(error: types.StorageError) -> bool:
    codes = types.StorageError.StorageErrorCode
    if error.code == codes.INVALID_STREAM_STATE:  # what the local server says, and adds which state
        return "state=COMMITTED" in error.error_message
    return bool(error.code == codes.STREAM_ALREADY_COMMITTED)
