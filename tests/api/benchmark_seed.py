"""Released benchmarks of fashion stores: some that hinode's stores lie in, and some they do not."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, insert

from tenpo.datamart.tables import TABLES

WEEK = (date(2026, 11, 9), date(2026, 11, 15))
WEEK_BEFORE = (date(2026, 11, 2), date(2026, 11, 8))
OCTOBER = (date(2026, 10, 1), date(2026, 10, 31))


def write_benchmarks(connection: Connection) -> None:
    """Fill the table; `low` tells the rows apart."""
    rows = [
        _row("week", WEEK, ("fashion", "JPY", "small"), "conversion_ratio", "0.19", "0.22", "0.26"),
        _row("week", WEEK, ("fashion", "JPY", ""), "conversion_ratio", "0.21", "0.25", "0.31"),
        _row("week", WEEK_BEFORE, ("fashion", "JPY", "small"), "conversion_ratio", "0.1"),
        _row("week", WEEK_BEFORE, ("fashion", "JPY", "small"), "atv_amount", "2400"),
        _row("month", OCTOBER, ("fashion", "JPY", "small"), "conversion_ratio", "0.18"),
        _row("week", WEEK, ("fashion", "GBP", ""), "conversion_ratio", "0.01"),
        _row("week", WEEK, ("food", "JPY", "small"), "conversion_ratio", "0.02"),
    ]
    connection.execute(insert(TABLES["benchmark"]), rows)


def _row(
    grain: str, span: tuple[date, date], group: tuple[str, str, str], kpi: str, *values: str
) -> dict[str, Any]:
    low, median, high = (Decimal(values[min(n, len(values) - 1)]) for n in range(3))
    industry, currency, size_band = group
    name = f"{span[0]:%G-W%V}" if grain == "week" else f"{span[0]:%Y-%m}"
    return {
        "grain": grain, "period": name, "period_from": span[0], "period_to": span[1],
        "industry": industry, "currency": currency, "size_band": size_band, "kpi": kpi,
        "low": low, "median": median, "high": high, "store_count_min": 10,
        "definition_version": 1, "run_id": "benchmark-1",
    }  # fmt: skip
