"""KPI rows for tests: every column of the contract, few of them interesting."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from tenpo.kpi import KPI_STORE_DAY

DAY = date(2026, 3, 29)


def day_row(store_id: str = "s1", day: date = DAY, **values: Any) -> dict[str, Any]:
    return {
        "tenant_id": "acme",
        "store_id": store_id,
        "business_date": day,
        "currency": "JPY",
        "net_sales_amount": Decimal("12.345678901"),
        "transactions": 3,
        "definition_version": 1,
        "revision": 1,
        "cause": "first computed",
        "computed_at": datetime(2026, 3, 30, 1, 2, 3, 456, tzinfo=UTC),
        "run_id": "r1",
        **values,
    }


def day_table(*rows: dict[str, Any]) -> pa.Table:
    return KPI_STORE_DAY.table(list(rows))
