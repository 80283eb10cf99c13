"""The hours of a store-day and how much of each the store was open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import pyarrow as pa

from tenpo.clock import StoreClock
from tenpo.masters import Store

HOUR = timedelta(hours=1)

#: What tells one hour from another.
HOUR_KEY = ("store_id", "business_date", "hour_start_at")


class StoreDay(NamedTuple):
    """The unit of work: one store on one business date."""

    store_id: str
    business_date: date


class OpenHour(NamedTuple):
    """One local hour of a business date."""

    start_at: datetime
    local_hour: int
    open_s: int


GRID = pa.schema(
    [
        ("store_id", pa.string()),
        ("business_date", pa.date32()),
        ("hour_start_at", pa.timestamp("us", tz="UTC")),
        ("local_hour", pa.int64()),
        ("open_s", pa.int64()),
    ]
)

WINDOWS = pa.schema(
    [
        ("store_id", pa.string()),
        ("business_date", pa.date32()),
        ("open_at", pa.timestamp("us", tz="UTC")),
        ("close_at", pa.timestamp("us", tz="UTC")),
    ]
)


def hour_grid(stores: Mapping[str, Store], days: Iterable[StoreDay]) -> pa.Table:
    """Every local hour of the store-days with the seconds the store was open in it.

    Days of 23 and 25 hours have as many rows. Stores that trade alike share the work.
    """
    rows: dict[str, list[object]] = {name: [] for name in GRID.names}
    for store_id, day in days:
        store = stores[store_id]
        for hour in _open_hours(store.clock, day, store.open_between(day)):
            rows["store_id"].append(store_id)
            rows["business_date"].append(day)
            rows["hour_start_at"].append(hour.start_at)
            rows["local_hour"].append(hour.local_hour)
            rows["open_s"].append(hour.open_s)
    return pa.table(rows, schema=GRID)


def open_windows(stores: Mapping[str, Store], days: Iterable[StoreDay]) -> pa.Table:
    """Opening and closing (UTC) of each store-day; a closed day has an empty window."""
    rows = []
    for store_id, day in days:
        store = stores[store_id]
        window = store.open_between(day) or (store.clock.at(day, timedelta()),) * 2
        rows.append(
            {
                "store_id": store_id,
                "business_date": day,
                "open_at": window[0],
                "close_at": window[1],
            }
        )
    return pa.Table.from_pylist(rows, schema=WINDOWS)


@lru_cache(maxsize=65_536)
def _open_hours(
    clock: StoreClock, day: date, window: tuple[datetime, datetime] | None
) -> tuple[OpenHour, ...]:
    return tuple(
        OpenHour(start, clock.local_hour(start), _overlap_s(start, window))
        for start in clock.hours(day)
    )


def _overlap_s(start: datetime, window: tuple[datetime, datetime] | None) -> int:
    if window is None:
        return 0
    overlap = min(start + HOUR, window[1]) - max(start, window[0])
    return max(0, int(overlap.total_seconds()))
