"""Bytes of each store and month, stored and read, and what they cost.

Stored bytes are rows times the bytes a row of the table's metadata; where there is none (the
local server keeps none) they follow from the columns by BigQuery's sizes of data types, with
strings of an assumed length. Read bytes are what dry runs of the aggregation's queries say, where
they say it, else the bytes of a date; each table that a statement reads is billed as 10 MB at
least, which is most of what small tenants pay.

Prices and sizes: https://cloud.google.com/bigquery/pricing,
https://cloud.google.com/bigquery/docs/estimate-costs. Not counted: what people ask with SQL, the
free tier, long-term prices, and streams of the Storage APIs, which are free or nearly so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from beam_jobs.aggregate.transforms import PACKAGE as AGGREGATE
from tenpo.contracts import CONFORMED, EVENTS, Contract
from tenpo.contracts.derived import READING_INTERVAL
from tenpo.kpi import KPI_STORE_DAY, KPI_STORE_HOUR, KPI_ZONE_HOUR
from tenpo.warehouse import DOCUMENT, Job, Warehouse, load_sql, query
from tenpo.warehouse.size import bytes_a_row, dry_run_bytes

PACKAGE = "beam_jobs.costs.sql"
TIB, GIB = 1024**4, 1024**3

#: BigQuery bills each table that a statement reads as at least so much.
MINIMUM_BYTES = 10 * 1024**2

#: How often ingest reads an event's tables in one run: raw once, dwh once, the index four times.
READS_OF_INGEST = 6

#: Queries of an aggregation that can be tried without running them.
DRY = ("sales_by_hour", "counts_by_interval", "visit_events")


@dataclass(frozen=True, slots=True)
class Prices:
    """What BigQuery charges on demand, in one currency.

    Args:
        scan_tib: a TiB read.
        storage_gib_month: a GiB of active logical storage for a month.
        as_of: the day of which they are.
    """

    scan_tib: Decimal
    storage_gib_month: Decimal
    as_of: date


@dataclass(frozen=True, slots=True)
class StoreMonth:
    """One store in one month.

    Args:
        store_id: the store.
        month: its first day.
        rows: in raw, dwh and mart.
        stored_bytes: of them; they cost this every month that they are kept.
        read_bytes: its part of what ingest and aggregation read in the month.
        price: of both.
    """

    store_id: str
    month: date
    rows: int
    stored_bytes: int
    read_bytes: int
    price: Decimal


def estimate(
    warehouse: Warehouse, tenant_id: str, first: date, last: date, runs_a_day: int, prices: Prices
) -> list[StoreMonth]:
    """What each store costs in each month of a range that has rows, by store and month.

    Args:
        warehouse: where.
        tenant_id: whose.
        first: first business date.
        last: last business date.
        runs_a_day: how often ingest and aggregation run.
        prices: what BigQuery charges.

    Raises:
        WarehouseError: BigQuery does not answer.
    """
    job = Job("costs", f"{first:%Y%m%d}-{last:%Y%m%d}", tenant_id)
    params = {"tenant": tenant_id, "date_from": first, "date_to": last}
    counted = _counted(warehouse, params, job)
    days = (last - first).days + 1
    tried = _tried(warehouse, params, job)
    a_run = sum(
        read_a_run(name, total // days, tried.get(name, 0))
        for name, total in _totals(counted).items()
    )
    read = a_run * runs_a_day * days
    return shared(counted, read, prices)


def read_a_run(name: str, bytes_a_day: int, tried: int) -> int:
    """Bytes that one run of ingest and aggregation is billed for one event, or one other table.

    Args:
        name: the event or the table; the index is read with its events.
        bytes_a_day: of its tables.
        tried: what a dry run of the aggregation's query says; 0 where it says nothing.
    """
    at_least = max(bytes_a_day, MINIMUM_BYTES)
    if name in CONFORMED:
        aggregation = max(tried, MINIMUM_BYTES) if tried else at_least
        return at_least * READS_OF_INGEST + aggregation
    return 0 if name == DOCUMENT.name else at_least


def shared(counted: pa.Table, read_bytes: int, prices: Prices) -> list[StoreMonth]:
    """What was counted by store and month, and each one's part of what is read, by its bytes.

    Args:
        counted: store_id, month, name, rows, bytes.
        read_bytes: of all of them together.
        prices: what BigQuery charges.
    """
    table = counted.group_by(["store_id", "month"]).aggregate([("rows", "sum"), ("bytes", "sum")])
    table = table.sort_by([("store_id", "ascending"), ("month", "ascending")])
    total = pc.sum(table["bytes_sum"]).as_py() or 1
    found = []
    for row in table.to_pylist():
        stored = row["bytes_sum"]
        read = read_bytes * stored // total
        price = prices.scan_tib * read / TIB + prices.storage_gib_month * stored / GIB
        found.append(
            StoreMonth(row["store_id"], row["month"], row["rows_sum"], stored, read, price)
        )
    return found


def _counted(warehouse: Warehouse, params: Mapping[str, object], job: Job) -> pa.Table:
    """Rows and bytes by store, month and table; raw's as many as dwh's."""
    sources: list[tuple[str, Contract, int]] = [
        (name, table, bytes_a_row(warehouse, table) + bytes_a_row(warehouse, EVENTS[name]))
        for name, table in CONFORMED.items()
    ]
    others = (READING_INTERVAL, KPI_STORE_HOUR, KPI_STORE_DAY, KPI_ZONE_HOUR, DOCUMENT)
    sources += [(table.name, table, bytes_a_row(warehouse, table)) for table in others]
    parts = []
    for name, table, width in sources:
        if table is DOCUMENT:
            sql = load_sql(warehouse, PACKAGE, "documents_by_month")
        else:
            sql = load_sql(warehouse, PACKAGE, "rows_by_month", dwh_table=table)
        found = query(warehouse, sql, params, job=job.step(name))
        rows = found["row_count"].cast(pa.int64())
        parts.append(
            pa.table(
                {
                    "store_id": found["store_id"].cast(pa.string()),
                    "month": found["month"].cast(pa.date32()),
                    "name": pa.repeat(name, found.num_rows),
                    "rows": rows,
                    "bytes": pc.multiply(rows, width),
                }
            )
        )
    return pa.concat_tables(parts)


def _totals(counted: pa.Table) -> dict[str, int]:
    found = counted.group_by("name").aggregate([("bytes", "sum")])
    return dict(zip(found["name"].to_pylist(), found["bytes_sum"].to_pylist(), strict=True))


def _tried(warehouse: Warehouse, params: Mapping[str, object], job: Job) -> dict[str, int]:
    """What dry runs of the aggregation's queries would read of the last date, by event."""
    day = {"date_from": params["date_to"], "date_to": params["date_to"], "stores": [""]}
    events = dict(zip(DRY, ("sale_line", "count_interval", "visit_event"), strict=True))
    return {
        event: dry_run_bytes(
            warehouse, load_sql(warehouse, AGGREGATE, name), {**params, **day}, job=job.step(name)
        )
        for name, event in events.items()
    }
