"""The API's own questions to the datamart: stores and freshness. KPIs come from the kernel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from api.models import DeviceFreshness, Freshness, PublishedRun, StoreItem

#: Counters of one tenant do not close at the same minute; a gap this long is no closing time.
SILENT_AFTER = timedelta(hours=6)

_STORES = text("""
    SELECT store_id, name, timezone, currency FROM store
    WHERE tenant_id = :tenant_id AND (CAST(:store_id AS text) IS NULL OR store_id = :store_id)
    ORDER BY name, store_id""")
_SPAN = text("""
    SELECT min(business_date) AS first_date, max(business_date) AS last_date,
      max(computed_at) AS computed_at
    FROM kpi_store_day
    WHERE tenant_id = :tenant_id AND (CAST(:store_id AS text) IS NULL OR store_id = :store_id)""")
_LAST_RUN = text("""
    SELECT run_id, job, published_at FROM run
    WHERE tenant_id = :tenant_id AND job = 'aggregate' AND published_at IS NOT NULL
    ORDER BY published_at DESC LIMIT 1""")
_DEVICES = text("""
    SELECT device_id, store_id, last_seen_at, last_interval_end_at FROM device_health
    WHERE tenant_id = :tenant_id AND (CAST(:store_id AS text) IS NULL OR store_id = :store_id)
    ORDER BY store_id, device_id""")


def read_stores(
    connection: Connection, tenant_id: str, store_id: str | None = None
) -> list[StoreItem]:
    """The tenant's stores by name, or the one."""
    rows = connection.execute(_STORES, {"tenant_id": tenant_id, "store_id": store_id})
    return [StoreItem.model_validate(dict(row)) for row in rows.mappings()]


def read_freshness(
    connection: Connection, tenant_id: str, store_id: str | None = None
) -> Freshness:
    """How new the tenant's figures are, or the one store's."""
    asked = {"tenant_id": tenant_id, "store_id": store_id}
    span = connection.execute(_SPAN, asked).mappings().one()
    run = connection.execute(_LAST_RUN, asked).mappings().first()
    devices = connection.execute(_DEVICES, asked).mappings().all()
    return Freshness(
        **span,
        last_run=None if run is None else PublishedRun.model_validate(dict(run)),
        devices=_judged(devices),
    )


def _judged(devices: Sequence[Mapping[Any, Any]]) -> list[DeviceFreshness]:
    """Devices with their silence, measured against the newest count of any of them."""
    ends: list[datetime] = [d["last_interval_end_at"] for d in devices if d["last_interval_end_at"]]
    newest = max(ends, default=None)
    return [
        DeviceFreshness(**device, is_silent=_is_silent(device["last_interval_end_at"], newest))
        for device in devices
    ]


def _is_silent(end: datetime | None, newest: datetime | None) -> bool:
    return end is None or (newest is not None and newest - end > SILENT_AFTER)
