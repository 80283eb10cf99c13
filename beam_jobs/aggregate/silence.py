"""What silent counters would have told: an estimate, kept apart from what was counted.

A counter is silent in the opening time that none of its intervals reaches. Silence of less than
half an hour is filled at the rate of the two intervals beside it, longer silence at the rate that
the same counter had in the same hour of the same weekday over the eight weeks before. Where
neither is known nothing is estimated, and the figure stays unknown. A date is judged once it is
over: what a running date has not told yet is no silence.

Plain functions over Arrow. Not for gaps between running totals: what came in them was counted
(`gaps`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from beam_jobs.aggregate.hours import HOUR_KEY

SILENCE_MEASURES = ("footfall_imputed", "footfall_filled", "uncovered_s")

#: Weeks before a date whose same weekday says what is usual.
PROFILE_WEEKS = 8

SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US
#: Between intervals that do not quite touch nothing is missed.
SHORTEST_US = 60 * SECOND_US
#: Silence from this on is filled from the weeks before.
LONG_US = 1_800 * SECOND_US
#: People are added up in thousandths, and rounded by the hour.
MILLI = 1_000

_DAY = ("store_id", "business_date")
_DEVICE = (*_DAY, "device_id")
#: Longer than a business date, so that device-days laid end to end do not touch.
_APART_US = 100 * HOUR_US

#: The columns of `counts_by_hour.sql`: what a counter told in an hour, and for how long.
PROFILE_SCHEMA = pa.schema(
    [
        ("store_id", pa.string()),
        ("business_date", pa.date32()),
        ("device_id", pa.string()),
        ("local_hour", pa.int64()),
        ("visitors", pa.int64()),
        ("told_s", pa.int64()),
    ]
)

Ints = NDArray[np.int64]


def ended(windows: pa.Table, grid: pa.Table, now: datetime) -> pa.Table:
    """The opening windows of the dates whose last hour was over at a moment."""
    last = grid.group_by(list(_DAY)).aggregate([("hour_start_at", "max")])
    is_over = pc.less_equal(last["hour_start_at_max"], pa.scalar(now - timedelta(hours=1)))
    return windows.join(last.filter(is_over).select(list(_DAY)), list(_DAY), join_type="left semi")


def silences(
    intervals: pa.Table, windows: pa.Table, expected: Mapping[str, Sequence[str]]
) -> pa.Table:
    """Each stretch of opening time in which an expected counter told nothing.

    Args:
        intervals: rows of `counts_by_interval.sql`, gaps spread.
        windows: opening and closing of the store-days to judge.
        expected: the devices each store should have.

    Returns:
        store_id, business_date, device_id, since_us and until_us (µs since 1970), and what the
        intervals beside it told: beside_visitors in beside_s seconds, none of a long silence.
    """
    frames = _frames(windows, expected)
    rows = pa.concat_tables([_told(intervals, frames), *_ends(frames)])
    device = _codes(rows, _DEVICE)
    since, until, visitors, seconds, opened = (
        rows[name].to_numpy() for name in ("since", "until", "visitors", "seconds", "open_us")
    )
    # To the last column, so that rows that arrive in another order give the same.
    order = np.lexsort((visitors, seconds, until, since, device))
    since, until, visitors, seconds, device = (
        column[order] for column in (since, until, visitors, seconds, device)
    )
    # The furthest that any row before reached, of the same device-day.
    far = np.maximum.accumulate(device * _APART_US + until - opened[order])
    before = np.r_[far[:1], far[:-1]] - device * _APART_US + opened[order]
    same = np.r_[False, device[1:] == device[:-1]][: len(device)]
    length = np.where(same, since - before, 0)
    place = np.flatnonzero(length >= SHORTEST_US)
    short = length[place] < LONG_US
    found = rows.select(list(_DEVICE)).take(pa.array(order[place], pa.int64()))
    columns = {
        "since_us": before[place],
        "until_us": since[place],
        "beside_visitors": (visitors[place] + visitors[place - 1]) * short,
        "beside_s": (seconds[place] + seconds[place - 1]) * short,
    }
    for name, values in columns.items():
        found = found.append_column(name, pa.array(values, pa.int64()))
    return found


def usual_days(silent: pa.Table) -> tuple[list[str], list[date]]:
    """Whose weeks before are to be asked for, and which dates: none where no silence was long.

    Args:
        silent: what `silences` gives.
    """
    long = silent.filter(pc.equal(silent["beside_s"], 0))
    dates = pc.unique(long["business_date"]).to_pylist()
    weeks = range(1, PROFILE_WEEKS + 1)
    before = {day - timedelta(weeks=week) for day in dates for week in weeks}
    return sorted(pc.unique(long["store_id"]).to_pylist()), sorted(before)


def silence_hours(silent: pa.Table, grid: pa.Table, profile: pa.Table) -> pa.Table:
    """Estimates of each store-hour that had silence.

    Args:
        silent: what `silences` gives.
        grid: every hour of the store-days (`hour_grid`).
        profile: rows of `counts_by_hour.sql` of the weeks before.

    Returns:
        `HOUR_KEY`, footfall_imputed: null where some of the silence cannot be estimated.
    """
    pieces = _pieces(silent, grid)
    usual = _usual(pieces, profile)
    pieces = pieces.join(usual, [*_DEVICE, "hour_start_at"])
    beside = pc.greater(pieces["beside_s"], 0)
    top = pc.if_else(beside, pieces["beside_visitors"], pieces["usual_visitors"])
    bottom = pc.if_else(beside, pieces["beside_s"], pieces["usual_s"])
    people = pc.max_element_wise(pc.multiply(pc.multiply(top, pieces["piece_s"]), MILLI), 0,
                                 skip_nulls=False)  # fmt: skip
    known = pc.greater(pc.fill_null(bottom, 0), 0)
    bottom = pc.if_else(known, bottom, 1)
    milli = pc.divide(pc.add(pc.multiply(people, 2), bottom), pc.multiply(bottom, 2))
    pieces = pieces.append_column("milli", pc.if_else(known, milli, 0))
    pieces = pieces.append_column("unknown", pc.invert(known).cast(pa.int64()))
    found = pieces.group_by(list(HOUR_KEY)).aggregate([("milli", "sum"), ("unknown", "sum")])
    whole = pc.divide(pc.add(found["milli_sum"], MILLI // 2), MILLI)
    nothing = pa.scalar(None, pa.int64())
    imputed = pc.if_else(pc.equal(found["unknown_sum"], 0), whole, nothing)
    return found.select(list(HOUR_KEY)).append_column("footfall_imputed", imputed)


def filled(
    table: pa.Table, hours: pa.Table, judged: pa.Table, expected: Mapping[str, Sequence[str]]
) -> pa.Table:
    """Hours with `SILENCE_MEASURES`, known in opening hours of judged dates with counters.

    Args:
        table: the hours, with footfall, open_s, expected_s and covered_s.
        hours: what `silence_hours` gives.
        judged: opening windows of the dates that are over (`ended`).
        expected: the devices each store should have.
    """
    found = hours.append_column("has_silence", pa.repeat(True, hours.num_rows))
    over = judged.select(list(_DAY)).append_column("over", pa.repeat(True, judged.num_rows))
    table = table.join(found, list(HOUR_KEY)).join(over, list(_DAY))
    counted = pc.is_in(table["store_id"], value_set=pa.array(list(expected), pa.string()))
    is_judged = pc.and_(pc.is_valid(table["over"]), counted)
    none = pa.scalar(None, pa.int64())
    silent = pc.is_valid(table["has_silence"])
    imputed = pc.if_else(silent, table["footfall_imputed"], 0)
    total = pc.add(imputed, pc.fill_null(table["footfall"], 0))
    uncovered = pc.subtract(table["expected_s"], table["covered_s"])
    table = table.drop_columns(["has_silence", "over", "footfall_imputed"])
    values = (imputed, total, uncovered)
    for name, column in zip(SILENCE_MEASURES, values, strict=True):
        table = table.append_column(name, pc.if_else(is_judged, column, none))
    return table


def _frames(windows: pa.Table, expected: Mapping[str, Sequence[str]]) -> pa.Table:
    """Every expected device of every store-day that was open at all, with its window in µs."""
    devices = pa.table(
        {
            "store_id": pa.array([s for s, ids in expected.items() for _ in ids], pa.string()),
            "device_id": pa.array([d for ids in expected.values() for d in ids], pa.string()),
        }
    )
    frames = windows.filter(pc.less(windows["open_at"], windows["close_at"]))
    frames = frames.join(devices, "store_id", join_type="inner")
    us = {f"{name}_us": frames[f"{name}_at"].cast(pa.int64()) for name in ("open", "close")}
    return pa.table({name: frames[name] for name in _DEVICE} | us)


def _told(intervals: pa.Table, frames: pa.Table) -> pa.Table:
    """What each interval told within opening hours, cut to them; its rate is that of all of it."""
    rows = intervals.join(frames, list(_DEVICE), join_type="inner")
    start, end = rows["start_at"].cast(pa.int64()), rows["end_at"].cast(pa.int64())
    visitors = pc.subtract(rows["in_count"], rows["staff_in_count"])
    cut = pa.table(
        {name: rows[name] for name in (*_DEVICE, "open_us")}
        | {
            "since": pc.max_element_wise(start, rows["open_us"]),
            "until": pc.min_element_wise(end, rows["close_us"]),
            "visitors": pc.fill_null(visitors, 0),
            "seconds": pc.divide(pc.subtract(end, start), SECOND_US),
        }
    )
    return cut.filter(pc.less(cut["since"], cut["until"]))


def _ends(frames: pa.Table) -> list[pa.Table]:
    """Opening and closing as intervals of no length: silence is looked for between them."""
    nothing = pa.array(np.zeros(frames.num_rows, np.int64))
    return [
        pa.table(
            {name: frames[name] for name in (*_DEVICE, "open_us")}
            | {"since": frames[at], "until": frames[at], "visitors": nothing, "seconds": nothing}
        )
        for at in ("open_us", "close_us")
    ]


def _codes(rows: pa.Table, key: Sequence[str]) -> Ints:
    """One number a row: rows with the same key have the same, in the key's order."""
    keys = [rows[name].cast(pa.string()) for name in key]
    joined = pc.binary_join_element_wise(*keys, "|")
    return np.asarray(pc.rank(joined, tiebreaker="dense").to_numpy(), np.int64)


def _pieces(silent: pa.Table, grid: pa.Table) -> pa.Table:
    """Silence cut at the local hours of its date."""
    rows = silent.join(_bounded(grid), list(_DAY), join_type="inner")
    since = pc.max_element_wise(rows["since_us"], rows["hour_us"])
    until = pc.min_element_wise(rows["until_us"], rows["end_us"])
    seconds = pc.divide(pc.subtract(until, since), SECOND_US)
    rows = rows.append_column("piece_s", seconds).drop_columns(["hour_us", "end_us"])
    return rows.filter(pc.greater(seconds, 0))


def _bounded(grid: pa.Table) -> pa.Table:
    """The hours with beginning and end in µs; where the clock is moved, one may be longer."""
    grid = grid.sort_by([(name, "ascending") for name in HOUR_KEY])
    start = grid["hour_start_at"].cast(pa.int64()).to_numpy()
    following = np.r_[start[1:], start[-1:]]
    day = _codes(grid, _DAY)
    same = np.r_[day[1:] == day[:-1], False][: len(day)]
    end = np.where(same, following, start + HOUR_US)
    return grid.append_column("hour_us", pa.array(start)).append_column("end_us", pa.array(end))


def _usual(pieces: pa.Table, profile: pa.Table) -> pa.Table:
    """What each device told in the hours of the weeks before in which it now was silent."""
    key = [*_DEVICE, "hour_start_at", "local_hour", "open_s"]
    wanted = pieces.group_by(key).aggregate([])
    weeks = [_weeks_before(wanted, n) for n in range(1, PROFILE_WEEKS + 1)]
    told = profile.rename_columns([*PROFILE_SCHEMA.names[:1], "before", *PROFILE_SCHEMA.names[2:]])
    on = ["store_id", "device_id", "before", "local_hour"]
    rows = pa.concat_tables(weeks).join(told, on, join_type="inner")
    # The counter tells at any hour; who came came while the store was open.
    told_s = pc.min_element_wise(rows["told_s"], rows["open_s"])
    rows = rows.append_column("open_told_s", told_s)
    found = rows.group_by([*_DEVICE, "hour_start_at"]).aggregate(
        [("visitors", "sum"), ("open_told_s", "sum")]
    )
    return found.rename_columns([*_DEVICE, "hour_start_at", "usual_visitors", "usual_s"])


def _weeks_before(wanted: pa.Table, weeks: int) -> pa.Table:
    day = wanted["business_date"].cast(pa.int32())
    before = pc.subtract(day, 7 * weeks).cast(pa.int32()).cast(pa.date32())
    return wanted.append_column("before", before)
