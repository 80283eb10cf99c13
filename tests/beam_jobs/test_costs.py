"""What a store costs, against sums by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from beam_jobs.costs.estimate import MINIMUM_BYTES, Prices, estimate, read_a_run, shared
from tenpo.contracts import CONFORMED, EVENTS
from tenpo.kpi import KPI_STORE_DAY
from tenpo.settings import Settings
from tenpo.warehouse import Warehouse, append, connect
from tenpo.warehouse.size import bytes_a_row

PRICES = Prices(Decimal(6), Decimal("0.02"), date(2026, 6, 1))
OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)


def test_a_run_reads_each_table_as_ten_megabytes_at_least() -> None:
    assert read_a_run("sale_line", 1, 0) == 7 * MINIMUM_BYTES
    assert read_a_run("sale_line", 100 * MINIMUM_BYTES, 0) == 700 * MINIMUM_BYTES
    assert read_a_run("sale_line", 100 * MINIMUM_BYTES, 2 * MINIMUM_BYTES) == 602 * MINIMUM_BYTES
    assert read_a_run("kpi_store_day", 5, 0) == MINIMUM_BYTES
    assert read_a_run("document", 5, 0) == 0


def test_what_is_read_is_shared_by_bytes() -> None:
    rows = [
        ("ginza", OCTOBER, 2, 2**30),
        ("ginza", OCTOBER, 1, 2**30),
        ("ueno", NOVEMBER, 1, 2**31),
    ]
    names = ["store_id", "month", "rows", "bytes"]
    counted = pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows])
    first, second = shared(counted, 2**40, PRICES)
    assert (first.store_id, first.rows, first.stored_bytes) == ("ginza", 3, 2**31)
    assert (first.read_bytes, second.read_bytes) == (2**39, 2**39)
    assert first.price == Decimal(3) + Decimal("0.04")
    assert shared(counted.slice(0, 0), 2**40, PRICES) == []


def test_rows_are_counted_by_store_and_month(warehouse: Warehouse) -> None:
    def line(number: int, store: str, day: date, tenant: str = "acme") -> dict[str, Any]:
        at = datetime(day.year, day.month, day.day, 3, tzinfo=UTC)
        return {
            "business_date": day, "hour_start_at": at, "local_hour": 12, "tenant_id": tenant,
            "store_id": store, "event_id": f"e{number}", "source": "till", "adapter_version": "1",
            "source_object": "o", "source_position": "1", "document_key": f"d{number}",
            "document_version": 1, "occurred_at": at, "received_at": at, "receipt_id": "r",
            "line_number": 1, "kind": "sale", "quantity": Decimal(1), "currency": "JPY",
            "ingested_at": at, "load_id": "l",
        }  # fmt: skip

    contract = CONFORMED["sale_line"]
    lines = [line(1, "ginza", OCTOBER), line(2, "ginza", OCTOBER), line(3, "ginza", NOVEMBER),
             line(4, "ueno", NOVEMBER), line(5, "ueno", NOVEMBER, "other")]  # fmt: skip
    append(warehouse, contract, contract.table(lines))
    found = estimate(warehouse, "acme", OCTOBER, NOVEMBER, 24, PRICES)
    assert [(x.store_id, x.month, x.rows) for x in found] == [
        ("ginza", OCTOBER, 2), ("ginza", NOVEMBER, 1), ("ueno", NOVEMBER, 1),
    ]  # fmt: skip
    width = bytes_a_row(warehouse, contract) + bytes_a_row(warehouse, EVENTS["sale_line"])
    assert [x.stored_bytes for x in found] == [2 * width, width, width]
    days = 32
    least = 24 * 7 * MINIMUM_BYTES * days
    assert sum(x.read_bytes for x in found) == pytest.approx(least, rel=1e-6)


class Metadata:
    """A client that knows a table's size."""

    def __init__(self, rows: int, size: int) -> None:
        self.found = SimpleNamespace(num_rows=rows, num_bytes=size)

    def get_table(self, name: str, **_options: object) -> SimpleNamespace:
        assert name.endswith(".kpi_store_day")
        return self.found


def test_metadata_is_believed_and_columns_only_where_there_is_none() -> None:
    warehouse = connect(Settings(project="p"))
    warehouse.__dict__["client"] = Metadata(10, 1_234)
    assert bytes_a_row(warehouse, KPI_STORE_DAY) == 123
    warehouse.__dict__["client"] = Metadata(10, 0)
    assert 8 * len(KPI_STORE_DAY.fields) < bytes_a_row(warehouse, KPI_STORE_DAY) < 500
