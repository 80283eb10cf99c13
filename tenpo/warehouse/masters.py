"""Carries stores and their timezones to the warehouse, where SQL derives business dates."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tenpo.masters import Store, TenantMasters
from tenpo.warehouse.client import Warehouse
from tenpo.warehouse.job import Job
from tenpo.warehouse.read import execute, query
from tenpo.warehouse.staging import staged
from tenpo.warehouse.statements import load_sql
from tenpo.warehouse.tables import STORE_MASTER, TIMEZONE_OFFSET
from tenpo.warehouse.timezones import Stretch, stretches

_SQL = "tenpo.warehouse.sql"


def sync_stores(warehouse: Warehouse, masters: TenantMasters, *, job: Job) -> bool:
    """Make `dwh.store` say what the tenant's masters say.

    Lines that are in dwh already keep the business date they got; where a timezone or
    cut-over changed, `redate_stores` comes next.

    Args:
        warehouse: where.
        masters: the tenant's masters.
        job: names the work.

    Returns:
        Whether anything had to be written.

    Raises:
        WarehouseError: BigQuery does not answer.
    """
    zones = _sync_timezones(warehouse, {store.timezone for store in masters.store}, job)
    return _sync_rows(warehouse, masters, job) or zones


def _sync_rows(warehouse: Warehouse, masters: TenantMasters, job: Job) -> bool:
    tenant_id = masters.tenant_id
    sql = load_sql(warehouse, _SQL, "stores_held")
    held = query(warehouse, sql, {"tenant_id": tenant_id}, job=job.step("stores-held"))
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


def _sync_timezones(warehouse: Warehouse, timezones: set[str], job: Job) -> bool:
    """Before the stores: a store is of no use without its timezone."""
    if not timezones:
        return False
    sql = load_sql(warehouse, _SQL, "timezones_held")
    held = query(warehouse, sql, {"timezones": sorted(timezones)}, job=job.step("zones-held"))
    known = {tuple(row[name] for name in Stretch._fields) for row in held.to_pylist()}
    changed = [name for name in sorted(timezones) if not known.issuperset(stretches(name))]
    if not changed:
        return False
    rows = [stretch._asdict() for name in changed for stretch in stretches(name)]
    stage = job.table_name("timezones")
    with staged(warehouse, stage, TIMEZONE_OFFSET.fields, TIMEZONE_OFFSET.table(rows)):
        sql = load_sql(warehouse, _SQL, "timezones_sync", stage=stage)
        execute(warehouse, sql, job=job.step("zones-sync"))
    return True


def _row(store: Store) -> dict[str, Any]:
    return {
        "store_id": store.store_id,
        "name": store.name,
        "timezone": store.timezone,
        "currency": store.currency,
        "day_cutover_s": store.clock.day_cutover_s,
    }
