"""Who passed the shop front, and the counters that do not stand at a door.

What people do before the shop is told by devices of role `pass` (their passing counts, or else
both ways added up), by door counters that also count who passes by, and by the `pass` events of
cameras that do not stand inside. A camera that states such counts is not taken by its events, too;
of two devices before one front both count. Counts of devices of role `pass` or `zone` are no
footfall.

Capture compares hours in which every device of role `pass` told at least half of the opening time;
where there is none, hours of which anything was told, and all open hours of a date with `pass`
events.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from beam_jobs.aggregate.counts import covered_hours
from beam_jobs.aggregate.hours import HOUR_KEY

#: Devices that do not stand at a door: their role by their id.
Roles = Mapping[str, str]

#: An hour is covered when devices saw at least this part of its opening time.
COVERED_HOUR_RATIO = 0.5

_TOLD = (
    ("store_id", pa.string()),
    ("business_date", pa.date32()),
    ("hour_start_at", pa.timestamp("us", tz="UTC")),
    ("local_hour", pa.int64()),
    ("device_id", pa.string()),
    ("start_at", pa.timestamp("us", tz="UTC")),
    ("pass_count", pa.int64()),
)

#: The columns of `passes_by_minute.sql`.
PASSES_SCHEMA = pa.schema(_TOLD)

_DEVICE_DAY = ("store_id", "business_date", "device_id")


def at_doors(intervals: pa.Table, roles: Roles) -> pa.Table:
    """The intervals of counters that see who enters."""
    return intervals.filter(pc.invert(_has_role(intervals, roles, ("pass", "zone"))))


def passing_hours(
    intervals: pa.Table, passes: pa.Table, grid: pa.Table, windows: pa.Table, roles: Roles
) -> pa.Table:
    """Passers-by of each store-hour that tells of them.

    Args:
        intervals: rows of `counts_by_interval.sql`, gaps spread, of all devices.
        passes: rows of `passes_by_minute.sql`.
        grid: every hour of the store-days (`hour_grid`).
        windows: opening and closing of each store-day (`open_windows`).
        roles: devices that do not stand at a door.

    Returns:
        `HOUR_KEY`, local_hour, passers_by.
    """
    told = _counted(intervals, roles)
    seen = passes.filter(pc.invert(_has_role(passes, roles, ("zone",))))
    seen = seen.join(told.select(list(_DEVICE_DAY)), list(_DEVICE_DAY), join_type="left anti")
    rows = pa.concat_tables([told, seen.select(PASSES_SCHEMA.names)])
    rows = rows.join(windows, ["store_id", "business_date"], join_type="inner")
    is_open = pc.and_(
        pc.greater_equal(rows["start_at"], rows["open_at"]),
        pc.less(rows["start_at"], rows["close_at"]),
    )
    columns = [*HOUR_KEY, "local_hour", "pass_count"]
    parts = [rows.filter(is_open).select(columns), _quiet(seen, grid).select(columns)]
    found = pa.concat_tables([part.combine_chunks() for part in parts]).group_by(list(HOUR_KEY))
    sums = found.aggregate([("local_hour", "min"), ("pass_count", "sum")])
    return sums.rename_columns([*HOUR_KEY, "local_hour", "passers_by"])


def captured(
    table: pa.Table,
    intervals: pa.Table,
    windows: pa.Table,
    fronts: Mapping[str, Sequence[str]],
    covered: pa.ChunkedArray,
) -> pa.Table:
    """Hours with footfall and passers-by where both were covered.

    Args:
        table: hours with open_s, footfall and passers_by.
        intervals: as for `passing_hours`, without gaps.
        windows: opening and closing of each store-day.
        fronts: the devices of role `pass` that each store should have.
        covered: of each hour, whether door counters covered it.
    """
    counted = pc.and_(covered, pc.is_valid(table["footfall"]))
    seen = covered_hours(intervals, windows, fronts)
    known = pc.and_(counted, _passing_known(table, seen, fronts))
    for name in ("footfall", "passers_by"):
        both = pc.if_else(known, table[name], pa.scalar(None, pa.int64()))
        table = table.append_column(f"captured_{name}", both)
    return table


def _passing_known(
    table: pa.Table, seen: pa.Table, fronts: Mapping[str, Sequence[str]]
) -> pa.ChunkedArray:
    told = pc.is_valid(table["passers_by"])
    if not fronts:
        return told
    place = pa.array(range(table.num_rows), pa.int64())
    keys = table.select(list(HOUR_KEY)).append_column("place", place)
    seen_s = keys.join(seen, list(HOUR_KEY)).sort_by("place")["covered_s"]
    half = pc.multiply(table["open_s"], COVERED_HOUR_RATIO)
    enough = pc.greater_equal(pc.fill_null(seen_s, 0).cast(pa.float64()), half)
    expected = pc.is_in(table["store_id"], value_set=pa.array(list(fronts), pa.string()))
    return pc.and_(told, pc.or_(pc.invert(expected), enough))


def _has_role(rows: pa.Table, roles: Roles, wanted: Sequence[str]) -> pa.ChunkedArray:
    devices = [device for device, role in roles.items() if role in wanted]
    return pc.is_in(rows["device_id"], value_set=pa.array(devices, pa.string()))


def _counted(intervals: pa.Table, roles: Roles) -> pa.Table:
    """What devices counted before the shop, by interval."""
    before, within = (_has_role(intervals, roles, (role,)) for role in ("pass", "zone"))
    came, gone = intervals["in_count"], intervals["out_count"]
    both_ways = pc.coalesce(pc.add(came, pc.fill_null(gone, 0)), gone)
    passed = pc.if_else(
        before, pc.coalesce(intervals["pass_count"], both_ways), intervals["pass_count"]
    )
    rows = intervals.drop_columns(["pass_count"]).append_column("pass_count", passed)
    rows = rows.filter(pc.and_(pc.is_valid(passed), pc.invert(within)))
    return rows.select(PASSES_SCHEMA.names).cast(PASSES_SCHEMA)


def _quiet(seen: pa.Table, grid: pa.Table) -> pa.Table:
    """Nobody, in each open hour of the dates on which cameras saw anybody pass."""
    days = seen.group_by(["store_id", "business_date"]).aggregate([])
    hours = grid.filter(pc.greater(grid["open_s"], 0))
    hours = hours.join(days, ["store_id", "business_date"], join_type="left semi")
    return hours.append_column("pass_count", pa.array([0] * hours.num_rows, pa.int64()))
