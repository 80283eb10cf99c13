"""Does what was received equal what is held? accepted = current + duplicate + superseded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from tenpo.contracts import CONFORMED, EVENTS
from tenpo.warehouse.client import Warehouse
from tenpo.warehouse.job import Job
from tenpo.warehouse.read import query
from tenpo.warehouse.statements import load_sql

_SQL = "tenpo.warehouse.sql"

#: A day short of the last, so that its end can be told.
EVER = (date(1, 1, 1), date(9999, 12, 30))


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What became of a tenant's rows of one event.

    Args:
        event: which event.
        accepted: rows in raw.
        current: rows of dwh, each found in raw.
        duplicate: further sendings of those.
        superseded: rows of a lower version that the newest one no longer has.
        orphaned: rows of dwh that raw does not know; there must be none.
    """

    event: str
    accepted: int
    current: int
    duplicate: int
    superseded: int
    orphaned: int

    @property
    def balanced(self) -> bool:
        """Whether every row is accounted for."""
        told = self.current + self.duplicate + self.superseded
        return self.accepted == told and self.orphaned == 0


def reconcile(warehouse: Warehouse, tenant_id: str, event: str, *, job: Job) -> Reconciliation:
    """Sort a tenant's raw rows by what became of them. Reads all its partitions.

    Raises:
        WarehouseError: BigQuery does not answer.
    """
    sql = load_sql(
        warehouse, _SQL, "reconcile", raw_table=EVENTS[event], dwh_table=CONFORMED[event]
    )
    rows = query(warehouse, sql, {"tenant_id": tenant_id}, job=job.step(f"reconcile-{event}"))
    row = {name: int(value) for name, value in rows.to_pylist()[0].items()}
    return Reconciliation(event, current=row.pop("current_rows"), **row)


def loads_present(
    warehouse: Warehouse,
    event: str,
    load_ids: Sequence[str],
    ingest_dates: tuple[date, date],
    *,
    job: Job,
) -> set[str]:
    """Which loads really are in raw: asked after a crash, when the ledger cannot know.

    Args:
        warehouse: where.
        event: a key of `EVENTS`.
        load_ids: the loads in question.
        ingest_dates: first and last UTC date of their `ingested_at`.
        job: names the work.

    Raises:
        WarehouseError: BigQuery does not answer.
    """
    if not load_ids:
        return set()
    sql = load_sql(warehouse, _SQL, "loads_present", raw_table=EVENTS[event])
    params = {"load_ids": list(load_ids), **between(ingest_dates)}
    rows = query(warehouse, sql, params, job=job.step(f"loads-{event}"))
    return set(rows.column("load_id").to_pylist())


def between(dates: tuple[date, date]) -> dict[str, datetime]:
    """UTC dates, both included, as the half-open bounds of a partition predicate."""
    first, last = dates
    return {
        "from_at": datetime.combine(first, time(), UTC),
        "to_at": datetime.combine(last, time(), UTC) + timedelta(days=1),
    }
