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
    """Seconds of each open hour with data from every expected device.

    Args:
        intervals: rows of `counts_by_interval.sql`.
        windows: opening and closing of each store-day.
        expected: the devices each store should have; stores without any are left out.

    Returns:
        `HOUR_KEY`, covered_s: the least covered device's seconds, 0 if one is silent.
    """
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
    by_device = (
        _pieces(rows)
        .group_by(list(DEVICE_KEY))
        .aggregate([("covered_us", "sum"), ("open_us", "max")])
    )
    capped = pc.min_element_wise(by_device["covered_us_sum"], by_device["open_us_max"])
    by_hour = (
        by_device.append_column("covered_us", capped)
        .group_by(list(HOUR_KEY))
        .aggregate([("covered_us", "min"), ("device_id", "count")])
    )
    wanted = pa.table(
        {
            "store_id": pa.array(expected.keys(), pa.string()),
            "wanted": pa.array(map(len, expected.values()), pa.int64()),
        }
    )
    by_hour = by_hour.join(wanted, "store_id", join_type="inner")
    complete = pc.equal(by_hour["device_id_count"], by_hour["wanted"])
    seconds = pc.divide(by_hour["covered_us_min"], 1_000_000)
    return by_hour.select(list(HOUR_KEY)).append_column(
        "covered_s", pc.if_else(complete, seconds, 0).cast(pa.int64())
    )


def _pieces(rows: pa.Table) -> pa.Table:
    """Each interval cut at the hours it touches, with what lies within opening hours."""
    start, end, hour, opened, closed = (
        rows[name].cast(pa.int64()).to_numpy()
        for name in ("start_at", "end_at", "hour_start_at", "open_at", "close_at")
    )
    touched = np.maximum(1, -((hour - end) // HOUR_US))
    index = np.repeat(np.arange(len(start)), touched)
    offset = np.arange(len(index)) - np.repeat(np.cumsum(touched) - touched, touched)
    piece_start = hour[index] + offset * HOUR_US
    piece_end = piece_start + HOUR_US
    open_from = np.maximum(piece_start, opened[index])
    open_to = np.minimum(piece_end, closed[index])
    covered = np.minimum(end[index], open_to) - np.maximum(start[index], open_from)
    stamp = pa.timestamp("us", tz="UTC")
    return pa.table(
        {
            "store_id": rows["store_id"].take(pa.array(index)),
            "business_date": rows["business_date"].take(pa.array(index)),
            "hour_start_at": pa.array(piece_start).cast(stamp),
            "device_id": rows["device_id"].take(pa.array(index)),
            "covered_us": pa.array(np.maximum(covered, 0)),
            "open_us": pa.array(np.maximum(open_to - open_from, 0)),
        }
    )
