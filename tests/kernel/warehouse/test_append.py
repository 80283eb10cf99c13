"""All rows or none, of any size, and nothing of a process that was killed before it committed."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys

import pyarrow as pa
import pytest

from tenpo.contracts import SALE_LINE
from tenpo.errors import IntegrityError, WarehouseError
from tenpo.settings import Settings
from tenpo.warehouse import Warehouse, append, connect, failure, loads_present, query
from tests.kernel.warehouse.sales import TODAY, Receipt, job


def rows_of(warehouse: Warehouse, load_id: str) -> int:
    table = warehouse.table("raw", "raw_pos")
    found = query(
        warehouse,
        f"SELECT COUNT(*) AS n FROM `{table}` "  # noqa: S608
        "WHERE load_id = @load AND ingested_at > '2000-01-01'",
        {"load": load_id},
        job=job("x"),
    )
    return int(found.column("n")[0].as_py())


def sale_lines(load_id: str, count: int, **columns: str) -> pa.Table:
    receipts = [Receipt(f"r{n}").rows(load_id)[0] | columns for n in range(count)]
    return SALE_LINE.table(receipts)


def test_rows_arrive(warehouse: Warehouse) -> None:
    load_id = secrets.token_hex(8)
    assert append(warehouse, SALE_LINE, sale_lines(load_id, 3)) == 3
    assert rows_of(warehouse, load_id) == 3
    assert append(warehouse, SALE_LINE, sale_lines(load_id, 0)) == 0


def test_more_than_one_request_holds(warehouse: Warehouse) -> None:
    """BigQuery takes 10 MB a request; this is 30."""
    load_id = secrets.token_hex(8)
    rows = sale_lines(load_id, 3_000, category="x" * 10_000)
    assert append(warehouse, SALE_LINE, rows) == 3_000
    assert rows_of(warehouse, load_id) == 3_000


def test_rows_that_break_the_contract_are_not_sent(warehouse: Warehouse) -> None:
    rows = sale_lines("x", 1)
    with pytest.raises(IntegrityError, match=r"raw_pos\.currency is required"):
        append(warehouse, SALE_LINE, rows.set_column(
            rows.column_names.index("currency"), "currency", pa.nulls(1, pa.string())
        ))  # fmt: skip


def test_killed_before_the_commit_nothing_is_seen(warehouse: Warehouse) -> None:
    load_id = secrets.token_hex(8)
    settings = warehouse.settings
    done = subprocess.run(
        [sys.executable, "-m", "tests.kernel.warehouse.append_once", load_id],
        env=os.environ
        | {
            "TENPO_FAILPOINT": "warehouse.before_commit",
            "TENPO_BIGQUERY_ENDPOINT": settings.bigquery_endpoint or "",
            "TENPO_BIGQUERY_GRPC_ENDPOINT": settings.bigquery_grpc_endpoint or "",
            "TENPO_DATASET_PREFIX": settings.dataset_prefix,
        },
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert rows_of(warehouse, load_id) == 0
    assert loads_present(warehouse, "sale_line", [load_id], TODAY, job=job("x")) == set()
    append(warehouse, SALE_LINE, sale_lines(load_id, 2))
    present = loads_present(warehouse, "sale_line", [load_id, "other"], TODAY, job=job("x"))
    assert present == {load_id}
    assert loads_present(warehouse, "sale_line", [], TODAY, job=job("x")) == set()


def test_a_server_that_is_away_is_a_warehouse_error(monkeypatch: pytest.MonkeyPatch) -> None:
    short = failure.STORAGE_RETRY.with_timeout(1)
    module = sys.modules[append.__module__]  # the package's name for it is the function
    monkeypatch.setattr(module, "STORAGE_RETRY", short)
    settings = Settings(
        bigquery_endpoint="http://127.0.0.1:1", bigquery_grpc_endpoint="127.0.0.1:1"
    )
    with connect(settings) as warehouse, pytest.raises(WarehouseError):
        append(warehouse, SALE_LINE, sale_lines("x", 1))
