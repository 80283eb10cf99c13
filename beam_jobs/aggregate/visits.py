"""Visits from the events of known persons: sessions, how long they stayed, who came back.

A visit is what one person did in a store on a business date, until they were away for more
than three hours. Coming back sooner continues it. Away means: after an exit, or before an entry
whose exit before was missed; who is inside and next seen inside or leaving was there all
the time. A visit is made of stays, each from an entry to an exit; where one of its stays lacks
an end, how long the visit took is unknown. A zone that reaches over the door is entered before
the door and left after it: what happens there within a minute of an entry or exit is part of that.
Staff make no visits: a person seen as staff once on a day is staff for that day.

Plain functions over Arrow; the events of people without identity are not for this module.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from beam_jobs.aggregate.hours import HOUR_KEY
from beam_jobs.aggregate.sketches import sketches
from tenpo.kpi.sketch import buckets
from tenpo.masters import MAX_RETURN_DAYS, Store

AWAY_US = 3 * 3_600_000_000
#: How long it takes through a door.
DOOR_US = 60_000_000

#: The columns of `visit_events.sql`.
VISITS_SCHEMA = pa.schema(
    [
        ("store_id", pa.string()),
        ("business_date", pa.date32()),
        ("hour_start_at", pa.timestamp("us", tz="UTC")),
        ("local_hour", pa.int64()),
        ("person_id", pa.string()),
        ("kind", pa.string()),
        ("occurred_at", pa.timestamp("us", tz="UTC")),
        ("is_staff", pa.bool_()),
    ]
)

#: The columns of `visitor_days.sql`: who was in a store on a date, staff left out.
VISITORS_SCHEMA = pa.schema(
    [("store_id", pa.string()), ("business_date", pa.date32()), ("person_id", pa.string())]
)

VISIT_COUNTS = ("visits", "repeat_visits", "dwell_visits", "dwell_total_s")
VISIT_MEASURES = (*VISIT_COUNTS, "dwell_sketch")

#: At one moment a person enters before leaving.
_ORDER = pa.array(["enter", "zone_enter", "zone_exit", "exit"])
_ENTER, _EXIT = 0, 3
_PERSON_DAY = ("store_id", "business_date", "person_id")

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


def visit_hours(events: pa.Table, visitors: pa.Table, stores: Mapping[str, Store]) -> pa.Table:
    """Visits of each store-hour, in the hour in which they began.

    Args:
        events: rows of `visit_events.sql`.
        visitors: rows of `visitor_days.sql`, from `return_days` before the first date on.
        stores: the stores' masters; visits shorter than `min_visit_s` are left out, and who was
            there within `return_days` before comes back.

    Returns:
        `HOUR_KEY`, local_hour and `VISIT_MEASURES`.
    """
    visits = _visits(_without_staff(events))
    if stores:
        shortest = pa.table(
            {
                "store_id": pa.array(stores.keys(), pa.string()),
                "shortest": pa.array([s.min_visit_s for s in stores.values()], pa.int64()),
            }
        )
        visits = visits.join(shortest, "store_id")
        is_long = pc.greater_equal(visits["dwell_s"], visits["shortest"])
        visits = visits.filter(pc.fill_null(is_long, True))
    visits = visits.join(_returning(visitors, stores), list(_PERSON_DAY))
    again = pc.or_(visits["is_later"], pc.fill_null(visits["is_back"], False))
    visits = visits.append_column("again", again.cast(pa.int64()))
    named = [("local_hour", "min"), ([], "count_all"), ("again", "sum"), ("dwell_s", "count"),
             ("dwell_s", "sum")]  # fmt: skip
    found = visits.group_by(list(HOUR_KEY)).aggregate(named)
    dwell = pc.fill_null(found["dwell_s_sum"], 0)
    return pa.table(
        {name: found[name] for name in HOUR_KEY}
        | {"local_hour": found["local_hour_min"], "visits": found["count_all"]}
        | {"repeat_visits": found["again_sum"], "dwell_visits": found["dwell_s_count"]}
        | {"dwell_total_s": dwell}
    ).join(_sketches(visits), list(HOUR_KEY))


def _sketches(visits: pa.Table) -> pa.Table:
    """How long the visits of each hour took that were seen whole, as a sketch."""
    whole = visits.filter(pc.is_valid(visits["dwell_s"])).select([*HOUR_KEY, "dwell_s"])
    _, first, owner = np.unique(_codes(whole, HOUR_KEY), return_index=True, return_inverse=True)
    place = buckets(whole["dwell_s"].to_numpy())
    texts = sketches(owner, place, np.ones(len(owner), np.int64), len(first))
    hours = whole.select(list(HOUR_KEY)).take(pa.array(first, pa.int64()))
    return hours.append_column("dwell_sketch", texts)


def _without_staff(events: pa.Table) -> pa.Table:
    staff = events.filter(pc.fill_null(events["is_staff"], False))
    if not staff.num_rows:
        return events
    people = staff.group_by(list(_PERSON_DAY)).aggregate([])
    return events.join(people, list(_PERSON_DAY), join_type="left anti")


def _visits(events: pa.Table) -> pa.Table:
    """One row a visit: whose, the hour it began in, seconds inside, whether the day's first."""
    rank = pc.index_in(events["kind"], _ORDER).to_numpy()
    at: Ints = events["occurred_at"].cast(pa.int64()).to_numpy()
    whose = _codes(events, _PERSON_DAY)
    order = np.lexsort((rank, at, whose))
    order = order[~_at_door(rank[order], at[order], whose[order])]
    rank, at, whose = rank[order], at[order], whose[order]
    enters, leaves = rank == _ENTER, rank == _EXIT
    first_of_person = _changed(whose)
    after_exit = np.r_[False, leaves[:-1]] if len(at) else leaves
    away = np.diff(at, prepend=at[:1]) > AWAY_US
    new_visit = first_of_person | (away & (after_exit | enters))
    new_stay = new_visit | after_exit | enters
    stays, visits = np.flatnonzero(new_stay), np.flatnonzero(new_visit)
    ends = _last(stays, len(at))
    whole = enters[stays] & leaves[ends]
    length = at[ends] - at[stays]
    of_visit = np.searchsorted(stays, visits)
    inside = np.add.reduceat(length, of_visit) if len(visits) else visits
    known = np.logical_and.reduceat(whole, of_visit) if len(visits) else visits.astype(bool)
    seconds = pa.array(inside // 1_000_000, pa.int64(), mask=~known)
    rows = events.select([*_PERSON_DAY, "hour_start_at", "local_hour"])
    rows = rows.take(pa.array(order[visits], pa.int64()))
    return rows.append_column("dwell_s", seconds).append_column(
        "is_later", pa.array(~first_of_person[visits], pa.bool_())
    )


def _at_door(rank: Ints, at: Ints, whose: Ints) -> Flags:
    """Events of zones right before somebody enters from outside, or right after they leave."""
    if not len(rank):
        return np.zeros(0, np.bool_)
    is_door, row = (rank == _ENTER) | (rank == _EXIT), np.arange(len(rank))
    last = np.maximum.accumulate(np.where(is_door, row, -1)).clip(0)
    then = np.minimum.accumulate(np.where(is_door, row, len(rank))[::-1])[::-1].clip(0, row[-1])
    before = is_door[last] & (whose[last] == whose) & (last < row)
    after = is_door[then] & (whose[then] == whose) & (then > row)
    inside = before & (rank[last] == _ENTER)
    entering = after & (rank[then] == _ENTER) & (at[then] - at <= DOOR_US) & ~inside
    leaving = before & (rank[last] == _EXIT) & (at - at[last] <= DOOR_US)
    return np.asarray(~is_door & (entering | leaving), np.bool_)


def return_days(stores: Iterable[Store]) -> int:
    """How many dates before may matter to any of some stores."""
    return max((store.return_days for store in stores), default=MAX_RETURN_DAYS)


def _returning(visitors: pa.Table, stores: Mapping[str, Store]) -> pa.Table:
    """Of each person and date in a store, whether they were there in the days before."""
    unique = visitors.group_by(list(_PERSON_DAY)).aggregate([])
    windows = {store_id: store.return_days for store_id, store in stores.items()}
    window = np.array([windows[store_id] for store_id in unique["store_id"].to_pylist()], np.int64)
    day = unique["business_date"].cast(pa.int32()).to_numpy().astype(np.int64)
    whose = _codes(unique, ("store_id", "person_id"))
    order = np.lexsort((day, whose))
    since = np.diff(day[order], prepend=day[order][:1])
    back = ~_changed(whose[order]) & (since <= window[order])
    told = np.zeros(len(day), np.bool_)
    told[order] = back
    return unique.append_column("is_back", pa.array(told, pa.bool_()))


def _codes(table: pa.Table, names: Sequence[str]) -> Ints:
    """One number a row: rows with the same key have the same."""
    codes = np.zeros(table.num_rows, np.int64)
    for name in names:
        column: Any = table[name].combine_chunks()
        if isinstance(column, pa.ChunkedArray):  # a table without rows
            column = pa.array([], column.type)
        found: Ints = column.dictionary_encode().indices.to_numpy().astype(np.int64)
        codes = codes * (int(found.max(initial=0)) + 1) + found
    return codes


def _changed(codes: Ints) -> Flags:
    """Where sorted codes differ from the one before; true for the first."""
    changed = np.ones(len(codes), np.bool_)
    changed[1:] = codes[1:] != codes[:-1]
    return changed


def _last(starts: Ints, length: int) -> Ints:
    return np.append(starts[1:], length) - 1 if len(starts) else starts
