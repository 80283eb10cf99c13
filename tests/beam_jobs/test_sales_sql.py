"""The grouping of sales in the warehouse itself."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from beam_jobs.aggregate.transforms import PACKAGE
from tenpo.contracts import CONFORMED
from tenpo.warehouse import Job, Warehouse, append, load_sql, query

DAY = date(2026, 11, 5)
HOUR = datetime(2026, 11, 5, 9, tzinfo=UTC)


def line(source: str, net: int, **more: Any) -> dict[str, Any]:
    return {
        "business_date": DAY, "hour_start_at": HOUR, "local_hour": 10, "event_id": f"{source}{net}",
        "tenant_id": "t", "store_id": "berlin", "source": source, "adapter_version": "1",
        "source_object": "o", "source_position": "1/1", "document_key": "Berlin|7001",
        "document_version": 1, "occurred_at": HOUR, "received_at": HOUR, "receipt_id": "7001",
        "line_number": 1, "kind": "sale", "quantity": Decimal(1), "unit_price": Decimal(net),
        "net_amount": Decimal(net), "currency": "EUR", "ingested_at": HOUR, "load_id": "l", **more,
    }  # fmt: skip


def test_two_tills_may_number_their_receipts_alike(warehouse: Warehouse) -> None:
    contract = CONFORMED["sale_line"]
    append(warehouse, contract, contract.table([line("old_till", 10), line("new_till", 50)]))
    params = {"tenant": "t", "date_from": DAY, "date_to": DAY, "stores": ["berlin"]}
    sql = load_sql(warehouse, PACKAGE, "sales_by_hour")
    (hour,) = query(warehouse, sql, params, job=Job("test", "sales", "t")).to_pylist()
    assert hour["transactions"] == 2
    assert hour["net_sales_amount"] == 60
    assert hour["gross_sales_amount"] is None
