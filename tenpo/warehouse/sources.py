"""The payloads behind a store-day: which objects of the lake its current lines came from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from secrets import token_hex
from typing import Any

from tenpo.kpi import Kpi
from tenpo.kpi.causes import events_of
from tenpo.warehouse.client import Warehouse
from tenpo.warehouse.job import Job
from tenpo.warehouse.read import query
from tenpo.warehouse.statements import load_sql

_LAST_HOUR = 47


@dataclass(frozen=True, slots=True)
class SourceObject:
    """One sealed payload object in the lake, and what came of it for the store-day."""

    event: str
    source: str
    source_object: str
    line_count: int
    document_count: int
    first_occurred_at: datetime
    last_occurred_at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Sources:
    """Payloads, newest first, at most a hundred; `object_count` says how many there are."""

    object_count: int
    objects: tuple[SourceObject, ...]

    def as_document(self) -> dict[str, Any]:
        """As the API and `tenpo explain --json` give it."""
        names = SourceObject.__slots__
        told = [{name: _told(getattr(each, name)) for name in names} for each in self.objects]
        return {"object_count": self.object_count, "objects": told}


def store_day_sources(
    warehouse: Warehouse, tenant_id: str, store_id: str, day: date, kpi: Kpi, hour: int | None
) -> Sources:
    """The payloads behind a KPI of a store on a business date.

    Args:
        warehouse: where.
        tenant_id: whose.
        store_id: the store.
        day: the business date.
        kpi: which events count.
        hour: only this hour of the business date's clock.

    Raises:
        WarehouseError: BigQuery does not answer.
    """
    params = {
        "tenant": tenant_id,
        "store": store_id,
        "day": day,
        "events": events_of(kpi),
        "hour_from": 0 if hour is None else hour,
        "hour_to": _LAST_HOUR if hour is None else hour,
    }
    sql = load_sql(warehouse, "tenpo.warehouse.sql", "store_day_sources")
    rows = query(warehouse, sql, params, job=Job("explain", token_hex(6), tenant_id)).to_pylist()
    total = rows[0]["object_count"] if rows else 0
    names = SourceObject.__slots__
    return Sources(total, tuple(SourceObject(*(row[name] for name in names)) for row in rows))


def _told(value: object) -> object:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
