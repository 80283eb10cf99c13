"""A store's clock was changed: its lines in dwh get their business dates anew.

`dwh.store` remembers by which timezone and cut-over a store's lines were dated. The
change is noted with the master itself and taken back only once every event is done, so a
run that died is simply repeated.

Not for lines that are still on their way: conforming dates those by the present master.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tenpo.contracts import CONFORMED
from tenpo.store_day import StoreDay
from tenpo.warehouse.client import Warehouse
from tenpo.warehouse.conform import conform_again
from tenpo.warehouse.job import Job
from tenpo.warehouse.read import execute, query
from tenpo.warehouse.statements import load_sql

_SQL = "tenpo.warehouse.sql"


def redate_stores(
    warehouse: Warehouse,
    tenant_id: str,
    *,
    job: Job,
    on_dirty: Callable[[Sequence[StoreDay]], None],
    guard: Callable[[], None] = lambda: None,
) -> list[str]:
    """Conform the documents of stores whose timezone or cut-over changed once more.

    Reads all partitions of these stores; BigQuery lets one statement change 4,000, which
    are eleven years of days.

    Args:
        warehouse: where; the masters are in it (`sync_stores`).
        tenant_id: whose stores.
        job: names the work.
        on_dirty: marks store-days durably, those the lines leave and those they come to.
        guard: as in `conform`.

    Returns:
        The stores, sorted; nothing is done where there are none.

    Raises:
        WarehouseError: BigQuery does not answer; do it again.
    """
    sql = load_sql(warehouse, _SQL, "stores_stale")
    found = query(warehouse, sql, {"tenant_id": tenant_id}, job=job.step("stale"))
    stores: list[str] = found.column("store_id").to_pylist()
    if not stores:
        return []
    for event in CONFORMED:
        conform_again(
            warehouse, event, tenant_id, stores, job=job, on_dirty=on_dirty, guard=guard
        )  # fmt: skip
    guard()
    sql = load_sql(warehouse, _SQL, "stores_dated")
    params = {"tenant_id": tenant_id, "store_ids": stores}
    execute(warehouse, sql, params, job=job.step("dated"))
    return stores
