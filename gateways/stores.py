"""Which store a record belongs to: by the vendor's code on that day, or by its device."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gateways.columns import Column, for_distinct, missing, spread
from gateways.context import Context
from gateways.faults import Reason
from gateways.instants import local_days
from gateways.records import Records


def resolve_stores(records: Records, source: str, context: Context) -> Column:
    """The store id of each record; faults are marked."""
    if records.event == "count_interval" and "store_code" not in records.columns:
        ids = _by_device(records, context)
    else:
        ids = _by_code(records, source, context)
    if context.allowed_store is not None:
        others = pc.fill_null(pc.not_equal(ids, context.allowed_store), False)
        mask = np.asarray(others.to_numpy(zero_copy_only=False), np.bool_)
        records.faults.mark(mask, Reason.STORE_NOT_ALLOWED, records.named("store_code"))
    return ids


def zones_of(store_ids: Column, context: Context) -> Column:
    """IANA timezone of each record's store."""
    return per_store(store_ids, lambda store: context.masters.stores[store].timezone)


def per_store(store_ids: Column, fact: Callable[[str], str]) -> Column:
    """A fact of each record's store; null where the store is not known."""
    values, inverse = for_distinct([store_ids], lambda s: None if s is None else fact(s))
    return spread(values, inverse, pa.string())


def _by_device(records: Records, context: Context) -> Column:
    devices, stores = context.masters.devices, context.masters.stores
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
    records.faults.mark(unknown, Reason.UNKNOWN_DEVICE, name, codes)
    return ids


def _by_code(records: Records, source: str, context: Context) -> Column:
    codes = records.column("store_code")
    if context.store_hint is not None:
        codes = pc.fill_null(codes, context.store_hint)
    name = records.named("store_code")
    records.faults.mark(missing(codes), Reason.MISSING_FIELD, name)

    def store_of(code: str | None, day: date | None) -> str | None:
        if code is None:
            return None
        found = context.masters.store_for(source, code, day or context.received_at.date())
        return found if found in context.masters.stores else None

    values, inverse = for_distinct([codes, _days(records)], store_of)
    ids = spread(values, inverse, pa.string())
    unknown = missing(ids)
    named = codes.to_pylist() if unknown.any() else None
    records.faults.mark(unknown, Reason.UNKNOWN_STORE, name, named)
    return ids


def _days(records: Records) -> Column:
    if "day" in records.columns:
        return records.columns["day"]
    if "local" in records.columns:
        return records.columns["local"].cast(pa.date32(), safe=False)
    return local_days(records.column("at"), pa.repeat("UTC", len(records)))
