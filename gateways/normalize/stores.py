"""Which store a record belongs to: by the vendor's code on that day, or by its device."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from gateways.normalize.columns import Column, flags, for_distinct, missing, spread
from gateways.normalize.context import Batch
from gateways.normalize.faults import Reason
from gateways.normalize.instants import local_days
from gateways.normalize.records import Records


def resolve_stores(records: Records, source: str, batch: Batch) -> Column:
    """The store id of each record; faults are marked."""
    if records.event != "sale_line" and "store_code" not in records.columns:
        ids = _by_device(records, batch)
    else:
        ids = _by_code(records, source, batch)
    others = flags(pc.not_equal(ids, batch.allowed_store))
    records.faults.mark(others, Reason.STORE_NOT_ALLOWED, records.named("store_code"))
    return ids


def zones_of(store_ids: Column, batch: Batch) -> Column:
    """IANA timezone of each record's store."""
    stores = batch.masters.stores
    return per_store(store_ids, lambda store: stores[store].timezone)


def per_store(store_ids: Column, fact: Callable[[str], str]) -> Column:
    """A fact of each record's store; null where the store is not known."""
    values, inverse = for_distinct([store_ids], lambda s: None if s is None else fact(s))
    return spread(values, inverse, pa.string())


def _by_device(records: Records, batch: Batch) -> Column:
    devices, stores = batch.masters.devices, batch.masters.stores
    device_ids = records.column("device_id")

    def store_of(device_id: str | None) -> str | None:
        device = devices.get(device_id or "")
        return device.store_id if device and device.store_id in stores else None

    values, inverse = for_distinct([device_ids], store_of)
    ids = spread(values, inverse, pa.string())
    name = records.named("device_id")
    records.faults.mark(missing(device_ids), Reason.MISSING_FIELD, name)
    unknown = missing(ids)
    codes = device_ids.to_pylist() if unknown.any() else None
    records.faults.mark(unknown, Reason.UNKNOWN_DEVICE, name, codes, devices)
    return ids


def _by_code(records: Records, source: str, batch: Batch) -> Column:
    codes = pc.coalesce(records.column("store_code"), batch.store_hint)
    name = records.named("store_code")
    records.faults.mark(missing(codes), Reason.MISSING_FIELD, name)

    def store_of(code: str | None, day: date) -> str | None:
        if code is None:
            return None
        found = batch.masters.store_for(source, code, day)
        return found if found in stores else None

    stores = batch.masters.stores
    received = batch.received_at.cast(pa.date32(), safe=False)
    values, inverse = for_distinct([codes, pc.coalesce(_days(records), received)], store_of)
    ids = spread(values, inverse, pa.string())
    unknown = missing(ids)
    if unknown.any():
        known = {row.code for row in batch.masters.store_code if row.source == source}
        records.faults.mark(unknown, Reason.UNKNOWN_STORE, name, codes.to_pylist(), known)
    return ids


def _days(records: Records) -> Column:
    if "day" in records.columns:
        return records.columns["day"]
    if "local" in records.columns:
        return records.columns["local"].cast(pa.date32(), safe=False)
    return local_days(records.column("at"), pa.repeat("UTC", len(records)))
