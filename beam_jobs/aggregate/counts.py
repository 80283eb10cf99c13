"""Counts and coverage of each store-hour, from the intervals of its counters.

An interval counts in the hour it starts in; it covers every hour it touches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beam_jobs.aggregate.hours import HOUR_KEY

HOUR_US = 3_600_000_000
MINUTE_US = 60_000_000
DEVICE_KEY = (*HOUR_KEY, "device_id")


def count_hours(intervals: pa.Table, windows: pa.Table) -> pa.Table:
    """Sums of each store-hour.

    Args:
        intervals: rows of `counts_by_interval.sql`.
        windows: opening and closing of each store-day (`open_windows`).

    Returns:
        `HOUR_KEY`, local_hour, in_count, out_count, footfall.
    """
    rows = intervals.join(windows, ["store_id", "business_date"], join_type="inner")
    is_open = pc.and_(
        pc.greater_equal(rows["start_at"], rows["open_at"]),
        pc.less(rows["start_at"], rows["close_at"]),
    )
    visitors = pc.subtract(rows["in_count"], rows["staff_in_count"])
    rows = rows.append_column("footfall", pc.if_else(is_open, visitors, 0))
    return (
        rows.group_by(list(HOUR_KEY))
        .aggregate(
            [("local_hour", "min"), ("in_count", "sum"), ("out_count", "sum"), ("footfall", "sum")]
        )
        .rename_columns([*HOUR_KEY, "local_hour", "in_count", "out_count", "footfall"])
    )


def covered_hours(
    intervals: pa.Table, windows: pa.Table, expected: Mapping[str, Sequence[str]]
) -> pa.Table:
    """Seconds of each open hour with data from every expected device at once.

    Told to the minute: each device's hour is sixty bits, or-ed over its intervals and
    and-ed over the devices, so overlapping intervals count once.

    Args:
        intervals: rows of `counts_by_interval.sql`.
        windows: opening and closing of each store-day.
        expected: the devices each store should have; stores without any are left out.

    Returns:
        `HOUR_KEY`, covered_s: 0 where a device is silent for all of the hour.
    """
    by_device = _reduced(_minutes(intervals, windows, expected), DEVICE_KEY, np.bitwise_or)
    wanted = pa.array([len(expected[store]) for store in by_device["store_id"].to_pylist()])
    by_hour = _reduced(by_device.append_column("wanted", wanted), HOUR_KEY, np.bitwise_and)
    complete = pc.equal(by_hour["rows"], by_hour["wanted"])
    covered = pc.if_else(complete, _seconds(by_hour), 0)
    return by_hour.select(list(HOUR_KEY)).append_column("covered_s", covered)


def imputed_hours(
    imputed: pa.Table, windows: pa.Table, expected: Mapping[str, Sequence[str]]
) -> pa.Table:
    """Seconds of each open hour whose counts are imputed at any expected device.

    Args:
        imputed: the pieces of gaps (`spread_gaps`).
        windows: opening and closing of each store-day.
        expected: the devices each store should have.

    Returns:
        `HOUR_KEY`, imputed_s.
    """
    by_hour = _reduced(_minutes(imputed, windows, expected), HOUR_KEY, np.bitwise_or)
    return by_hour.select(list(HOUR_KEY)).append_column("imputed_s", _seconds(by_hour))


def _seconds(by_hour: pa.Table) -> pa.Array:
    minutes = [mask.bit_count() for mask in by_hour["minutes"].to_pylist()]
    return pc.multiply(pa.array(minutes, pa.int64()), 60)


def _minutes(
    intervals: pa.Table, windows: pa.Table, expected: Mapping[str, Sequence[str]]
) -> pa.Table:
    """The open minutes of each hour that each interval of an expected device touches."""
    devices = pa.table(
        {
            "store_id": [store for store, ids in expected.items() for _ in ids],
            "device_id": [device for ids in expected.values() for device in ids],
        },
        schema=pa.schema([("store_id", pa.string()), ("device_id", pa.string())]),
    )
    rows = intervals.join(devices, ["store_id", "device_id"], join_type="inner").join(
        windows, ["store_id", "business_date"], join_type="inner"
    )
    return _pieces(rows)


def _reduced(table: pa.Table, key: Sequence[str], combine: np.ufunc) -> pa.Table:
    """One row a key: its minutes combined, how many rows it had, and what else it has."""
    table = table.sort_by([(name, "ascending") for name in key])
    ids = pc.rank(_joined(table, key), tiebreaker="dense").to_numpy()
    starts = np.flatnonzero(np.diff(ids, prepend=0)) if len(ids) else np.array([], int)
    combined = combine.reduceat(table["minutes"].to_numpy(), starts) if len(starts) else starts
    counts = np.diff(np.append(starts, len(ids)))
    table = table.take(pa.array(starts, pa.int64())).drop_columns(["minutes"])
    if "rows" in table.column_names:
        table = table.drop_columns(["rows"])
    return table.append_column("minutes", pa.array(combined, pa.int64())).append_column(
        "rows", pa.array(counts, pa.int64())
    )


def _joined(table: pa.Table, key: Sequence[str]) -> pa.Array:
    """The key as one column, in the same order as the table sorted by it."""
    texts = [table[name].cast(pa.string()) for name in key]
    return pc.binary_join_element_wise(*texts, "|").combine_chunks()


def _pieces(rows: pa.Table) -> pa.Table:
    """Each interval cut at the hours it touches, as the open minutes it covers of each."""
    start, end, hour, opened, closed = (
        rows[name].cast(pa.int64()).to_numpy()
        for name in ("start_at", "end_at", "hour_start_at", "open_at", "close_at")
    )
    touched = np.maximum(1, -((hour - end) // HOUR_US))
    index = np.repeat(np.arange(len(start)), touched)
    offset = np.arange(len(index)) - np.repeat(np.cumsum(touched) - touched, touched)
    piece = hour[index] + offset * HOUR_US
    since = np.maximum(start, opened)[index] - piece
    until = np.minimum(end, closed)[index] - piece
    first = np.clip(-(-since // MINUTE_US), 0, 60)
    last = np.clip(until // MINUTE_US, 0, 60)
    one = np.int64(1)
    minutes = np.where(last > first, (one << np.maximum(last, first)) - (one << first), 0)
    take = pa.array(index)
    return pa.table(
        {
            "store_id": rows["store_id"].take(take),
            "business_date": rows["business_date"].take(take),
            "hour_start_at": pa.array(piece).cast(pa.timestamp("us", tz="UTC")),
            "device_id": rows["device_id"].take(take),
            "minutes": pa.array(minutes, pa.int64()),
        }
    )
