"""How many people were inside, from what went in and out.

Counters miss people, so the sum of all that went in less all that came out drifts. It is set to
nothing at the start of the quietest hour of each business date (fewest in and out; of equal
ones the first, which is the first hour of a date on which the store is closed at night), and the
curve is never below zero. An open hour of which nothing was told is not quiet but unknown: it is
still to come, or the counter was out. What remains of a date counted until closing is the drift.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from beam_jobs.aggregate.hours import HOUR_KEY

OCCUPANCY_MEASURES = ("occupancy_person_s", "drift_count", "occupancy_peak")

_DAY = ("store_id", "business_date")
HOUR_US = 3_600_000_000
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


def occupancy_hours(intervals: pa.Table, grid: pa.Table, windows: pa.Table) -> pa.Table:
    """Person-seconds and most people inside during opening time, and the drift, of each store-hour.

    Args:
        intervals: rows of `counts_by_interval.sql`, gaps spread; those that do not tell who
            left are left out. What an interval counted happens at its end.
        grid: every hour of the store-days (`hour_grid`).
        windows: opening and closing of each store-day (`open_windows`).

    Returns:
        `HOUR_KEY`, occupancy_person_s, drift_count, occupancy_peak: of every hour of a store-day
        that has such an interval. The drift is for summing by date, null where a date was not
        counted until the store closed; the most is null in hours in which it was closed.
    """
    told = intervals.filter(pc.is_valid(intervals["out_count"]))
    days = told.group_by(list(_DAY)).aggregate([])
    hours = grid.join(days, list(_DAY), join_type="left semi")
    steps = _steps(told, hours).join(windows, list(_DAY), join_type="inner")
    order = [("store_id", "ascending"), ("business_date", "ascending"), ("at", "ascending")]
    steps = steps.sort_by([*order, ("delta", "ascending")])
    if not steps.num_rows:
        return _empty()
    day = _numbers(steps)
    at, opened, closed = (
        steps[name].cast(pa.int64()).to_numpy() for name in ("at", "open_at", "close_at")
    )
    last = _last_told(day, steps)
    inside = _inside(day, steps, last)
    until = np.where(np.append(day[1:] == day[:-1], False), np.append(at[1:], at[-1]), closed)
    open_us = (np.minimum(until, closed) - np.maximum(at, opened)).clip(0)
    steps = steps.append_column("person_us", pa.array(inside * open_us, pa.int64()))
    drift = pa.array(steps["delta"].to_numpy(), mask=last + 1 < closed)
    steps = steps.append_column("drift", drift)
    # What is inside for the last microsecond of an hour, or of the day, belongs to what follows.
    lasting = pa.array(inside, pa.int64(), mask=open_us <= 1)
    steps = steps.append_column("inside", lasting)
    found = steps.group_by(list(HOUR_KEY)).aggregate(
        [("person_us", "sum"), ("drift", "sum"), ("inside", "max")]
    )
    # Rounded: steps lie a microsecond before the full second.
    seconds = pc.divide(pc.add(found["person_us_sum"], 500_000), 1_000_000)
    return (
        found.select(list(HOUR_KEY))
        .append_column("occupancy_person_s", seconds)
        .append_column("drift_count", found["drift_sum"])
        .append_column("occupancy_peak", found["inside_max"])
    )


def _steps(told: pa.Table, hours: pa.Table) -> pa.Table:
    """Every moment at which the number may change: ends of intervals, starts of hours."""
    net = pc.subtract(told["in_count"], told["out_count"])
    moved = pc.add(pc.abs(told["in_count"]), pc.abs(told["out_count"]))
    # An interval that ends with its hour still counts in it, so a microsecond before.
    last = pc.subtract(told["end_at"].cast(pa.int64()), 1)
    hour_us = pa.scalar(HOUR_US, pa.int64())
    hour = told["hour_start_at"].cast(pa.int64())
    passed = pc.multiply(pc.divide(pc.subtract(last, hour), hour_us), hour_us)
    ends = pa.table(
        {
            **{name: told[name] for name in _DAY},
            "hour_start_at": pc.add(hour, passed).cast(pa.timestamp("us", tz="UTC")),
            "at": last.cast(pa.timestamp("us", tz="UTC")),
            "delta": net.cast(pa.int64()),
            "moved": moved.cast(pa.int64()),
            "told": pa.array(np.ones(told.num_rows, np.int64)),
            "open_s": pa.array(np.zeros(told.num_rows, np.int64)),
        }
    )
    nothing = pa.array(np.zeros(hours.num_rows, np.int64))
    starts = hours.select(list(HOUR_KEY)).append_column("at", hours["hour_start_at"])
    for name in ("delta", "moved", "told"):
        starts = starts.append_column(name, nothing)
    starts = starts.append_column("open_s", hours["open_s"])
    return pa.concat_tables([ends.select(starts.column_names), starts])


def _numbers(steps: pa.Table) -> Ints:
    """The store-days of sorted rows, numbered."""
    keys = [steps[name].cast(pa.string()) for name in _DAY]
    ranks = pc.rank(pc.binary_join_element_wise(*keys, "|"), tiebreaker="dense")
    return np.asarray(ranks.to_numpy(), np.int64) - 1


def _last_told(day: Ints, steps: pa.Table) -> Ints:
    """Of each row, the last moment (µs) of its store-day of which an interval tells."""
    told = np.where(steps["told"].to_numpy() > 0, steps["at"].cast(pa.int64()).to_numpy(), 0)
    starts = np.flatnonzero(np.r_[True, day[1:] != day[:-1]])
    return np.asarray(np.maximum.reduceat(told, starts)[day], np.int64)


def _inside(day: Ints, steps: pa.Table, last: Ints) -> Ints:
    """People inside after each step: the sum since the quietest hour, never below zero."""
    total = np.cumsum(steps["delta"].to_numpy())
    hour = steps["hour_start_at"].cast(pa.int64()).to_numpy()
    new_hour = np.r_[True, (hour[1:] != hour[:-1]) | (day[1:] != day[:-1])]
    starts = np.flatnonzero(new_hour)
    moved, told, open_s = (
        np.add.reduceat(steps[name].to_numpy(), starts) for name in ("moved", "told", "open_s")
    )
    doubt = _doubt(hour[starts], last[starts] + 1, told > 0, open_s > 0)
    quiet = starts[np.lexsort((hour[starts], moved, doubt, day[starts]))]
    firsts = quiet[np.r_[True, day[quiet][1:] != day[quiet][:-1]]]
    before = total[firsts] - steps["delta"].to_numpy()[firsts]
    return np.asarray((total - before[day]).clip(0), np.int64)


def _doubt(hour: Ints, told_until: Ints, is_told: Flags, is_open: Flags) -> Ints:
    """How little is known of hours: 0 whole or closed, 1 not told to its end, 2 nothing at all."""
    known = np.where(is_open, is_told & (hour + HOUR_US <= told_until), hour <= told_until)
    return np.where(known, 0, np.where(is_told, 1, 2))


def _empty() -> pa.Table:
    key = [("store_id", pa.string()), ("business_date", pa.date32()),
           ("hour_start_at", pa.timestamp("us", tz="UTC"))]  # fmt: skip
    return pa.schema([*key, *((name, pa.int64()) for name in OCCUPANCY_MEASURES)]).empty_table()
