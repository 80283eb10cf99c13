"""Carries the store master to the warehouse, where SQL derives business dates from it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tenpo.masters import Store, TenantMasters
from tenpo.warehouse.client import Warehouse
from tenpo.warehouse.job import Job
from tenpo.warehouse.read import execute, query
from tenpo.warehouse.staging import staged
from tenpo.warehouse.statements import load_sql
from tenpo.warehouse.tables import STORE_MASTER

_SQL = "tenpo.warehouse.sql"


def sync_stores(warehouse: Warehouse, masters: TenantMasters, *, job: Job) -> bool:
    """Make `dwh.store` say what the tenant's masters say.

    Lines that are in dwh already keep the business date they got; recompute the tenant
    where a timezone or cut-over changed.

    Args:
        warehouse: where.
        masters: the tenant's masters.
        job: names the work.

    Returns:
        Whether anything had to be written.

    Raises:
        WarehouseError: BigQuery does not answer.
    """
    tenant_id = masters.tenant_id
    held = query(
        warehouse,
        load_sql(warehouse, _SQL, "stores_held"),
        {"tenant_id": tenant_id},
        job=job.step("stores-held"),
    )
    known = {row["store_id"]: row for row in held.to_pylist()}
    changed = [row for row in map(_row, masters.store) if known.get(row["store_id"]) != row]
    if not changed:
        return False
    stamp = {"tenant_id": tenant_id, "updated_at": datetime.now(UTC)}
    rows = STORE_MASTER.table([row | stamp for row in changed])
    stage = job.table_name("stores")
    with staged(warehouse, stage, STORE_MASTER.fields, rows):
        sql = load_sql(warehouse, _SQL, "stores_sync", stage=stage)
        execute(warehouse, sql, job=job.step("stores-sync"))
    return True


def _row(store: Store) -> dict[str, Any]:
    return {
        "store_id": store.store_id,
        "name": store.name,
        "timezone": store.timezone,
        "currency": store.currency,
        "day_cutover_s": store.clock.day_cutover_s,
    }
