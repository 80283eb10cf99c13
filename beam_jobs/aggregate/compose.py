"""The measures of store-hours and store-days, from grouped sales and counts.

Plain functions over Arrow; no Beam, no database. Null is not zero: a day
without any receipt line says nothing about sales, an hour without any counter
interval says nothing about footfall.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from beam_jobs.aggregate.counts import count_hours, covered_hours, imputed_hours
from beam_jobs.aggregate.gaps import spread_gaps
from beam_jobs.aggregate.hours import HOUR_KEY, StoreDay, hour_grid, open_windows
from beam_jobs.aggregate.occupancy import occupancy_hours
from beam_jobs.aggregate.passing import (
    COVERED_HOUR_RATIO,
    PASSES_SCHEMA,
    at_doors,
    captured,
    passing_hours,
)
from beam_jobs.aggregate.silence import (
    PROFILE_SCHEMA,
    ended,
    filled,
    silence_hours,
    silences,
)
from beam_jobs.aggregate.sketches import merged_lists
from beam_jobs.aggregate.visits import VISIT_MEASURES
from tenpo.errors import IntegrityError
from tenpo.kpi import MEASURES
from tenpo.kpi.measures import MAXIMA, OF_DATE, SKETCHES
from tenpo.masters import Store

SALES = (
    "transactions",
    "return_receipts",
    "sale_lines",
    "net_sales_amount",
    "gross_sales_amount",
    "sold_net_amount",
    "returned_net_amount",
    "merchandise_net_amount",
    "units",
)

#: Those of them that are unknown where a line does not state them.
AMOUNTS = tuple(name for name in SALES if name.endswith("_amount"))

#: What is estimated, unknown for a date where one hour's silence cannot be.
ESTIMATES = ("footfall_imputed", "footfall_filled")

DAY_KEY = ("store_id", "business_date")
_TYPES = {measure.name: measure.type.arrow for measure in MEASURES}

#: How the hours of a date come to the date.
_COMBINED = (
    dict.fromkeys(_TYPES, "sum")
    | dict.fromkeys(MAXIMA | OF_DATE, "max")
    | dict.fromkeys(SKETCHES, "list")
)

_HOUR_FIELDS = [
    ("store_id", pa.string()),
    ("business_date", pa.date32()),
    ("hour_start_at", pa.timestamp("us", tz="UTC")),
    ("local_hour", pa.int64()),
]

#: The columns of `sales_by_hour.sql`.
SALES_SCHEMA = pa.schema([*_HOUR_FIELDS, *((name, _TYPES[name]) for name in SALES)])

#: The columns of `counts_by_interval.sql`.
COUNTS_SCHEMA = pa.schema(
    [
        *_HOUR_FIELDS,
        ("device_id", pa.string()),
        ("start_at", pa.timestamp("us", tz="UTC")),
        ("end_at", pa.timestamp("us", tz="UTC")),
        ("in_count", pa.int64()),
        ("out_count", pa.int64()),
        ("pass_count", pa.int64()),
        ("staff_in_count", pa.int64()),
        ("is_gap", pa.bool_()),
    ]
)


def compose_hours(
    stores: Mapping[str, Store],
    expected: Mapping[str, Sequence[str]],
    days: Sequence[StoreDay],
    sales: pa.Table,
    intervals: pa.Table,
    visits: pa.Table,
    profile: pa.Table | None = None,
    now: datetime | None = None,
    passes: pa.Table | None = None,
    aside: Mapping[str, Mapping[str, str]] | None = None,
) -> pa.Table:
    """Measures of every hour that was open or has data.

    Args:
        stores: store masters by id, at least those of `days`.
        expected: the door counters each store should have.
        days: the store-days; rows of other store-days are ignored.
        sales: rows of `sales_by_hour.sql`.
        intervals: rows of `counts_by_interval.sql`.
        visits: what `visit_hours` gives.
        profile: rows of `counts_by_hour.sql`, of the weeks before; none: nothing is usual.
        now: silence of the dates that were over then is filled; none means the present.
        passes: rows of `passes_by_minute.sql`; none: cameras saw nobody pass.
        aside: by store, its devices that do not stand at a door, and their roles.

    Returns:
        `HOUR_KEY`, local_hour, currency and every measure of `tenpo.kpi.MEASURES`.

    Raises:
        IntegrityError: the inputs hold two rows of one hour.
    """
    windows = open_windows(stores, days)
    grid = hour_grid(stores, days)
    sales, visits = _only(sales, windows), _only(visits, windows)
    measured, imputed = spread_gaps(_only(intervals, windows), stores)
    roles = {device: role for of in (aside or {}).values() for device, role in of.items()}
    seen = PASSES_SCHEMA.empty_table() if passes is None else _only(passes, windows)
    passing = passing_hours(pa.concat_tables([measured, imputed]), seen, grid, windows, roles)
    intervals, imputed = at_doors(measured, roles), at_doors(imputed, roles)
    counted = pa.concat_tables([intervals, imputed])
    counts = count_hours(counted, windows)
    hours = _all_hours(grid, sales, counts, visits, passing)
    table = hours.join(sales.drop_columns(["local_hour"]), list(HOUR_KEY))
    table = table.join(counts.drop_columns(["local_hour"]), list(HOUR_KEY))
    table = table.join(covered_hours(intervals, windows, expected), list(HOUR_KEY))
    table = table.join(imputed_hours(imputed, windows, expected), list(HOUR_KEY))
    table = table.join(visits.drop_columns(["local_hour"]), list(HOUR_KEY))
    table = table.join(occupancy_hours(counted, grid, windows), list(HOUR_KEY))
    table = table.join(passing.drop_columns(["local_hour"]), list(HOUR_KEY))
    if table.num_rows != hours.num_rows:
        raise IntegrityError("the grouped rows hold an hour twice")
    table = _zero_where_known(table, sales)
    table = _visited(table, visits)
    covered = _covered(table, expected)
    table = captured(table, measured, windows, _fronts(aside or {}), covered)
    table = _coverage(table, expected, covered)
    judged = ended(windows, grid, now or datetime.now(UTC))
    usual = PROFILE_SCHEMA.empty_table() if profile is None else profile
    silent = silence_hours(silences(counted, judged, expected), grid, usual)
    return _finish(filled(table, silent, judged, expected), stores)


def compose_days(hours: pa.Table) -> pa.Table:
    """Measures of each store-day: the sums over its hours, the highest, the merged sketch.

    An amount that one hour with receipts does not know is unknown for the day, and so is an
    estimate that one silent hour does not allow; a count that an hour lacks is missing from the
    day's, and coverage tells.

    Args:
        hours: what `compose_hours` gives.
    """
    sold = pc.greater(pc.fill_null(hours["sale_lines"], 0), 0)
    judged = pc.is_valid(hours["uncovered_s"])
    due = dict.fromkeys((*AMOUNTS, *OF_DATE), sold) | dict.fromkeys(ESTIMATES, judged)
    for name, is_due in due.items():
        unknown = pc.and_(is_due, pc.is_null(hours[name])).cast(pa.int64())
        hours = hours.append_column(f"{name}_unknown", unknown)
    key = [*DAY_KEY, "currency"]
    table = hours.group_by(key).aggregate(
        [*_COMBINED.items(), *((f"{name}_unknown", "sum") for name in due)]
    )
    columns = {name: table[name] for name in key}
    columns |= {
        name: merged_lists(table[f"{name}_list"]) if how == "list" else table[f"{name}_{how}"]
        for name, how in _COMBINED.items()
    }
    columns = {name: table.cast(_TYPES.get(name, table.type)) for name, table in columns.items()}
    for name in due:
        known = pc.equal(table[f"{name}_unknown_sum"], 0)
        columns[name] = pc.if_else(known, columns[name], pa.scalar(None, _TYPES[name]))
    return pa.table(columns).sort_by([(name, "ascending") for name in DAY_KEY])


def written_hours(hours: pa.Table) -> pa.Table:
    """The hours as they are written: without drift, which an hour's flow through doors is not.

    Args:
        hours: what `compose_hours` gives.
    """
    place = hours.schema.get_field_index("drift_count")
    unknown = pa.nulls(hours.num_rows, hours.schema.field(place).type)
    return hours.set_column(place, "drift_count", unknown)


def _only(table: pa.Table, windows: pa.Table) -> pa.Table:
    return table.join(windows.select(list(DAY_KEY)), list(DAY_KEY), join_type="left semi")


def _all_hours(grid: pa.Table, *told: pa.Table) -> pa.Table:
    """Open hours and hours with data, each once."""
    key = [*HOUR_KEY, "local_hour"]
    named = [grid.filter(pc.greater(grid["open_s"], 0)), *told]
    every = pa.concat_tables([table.select(key).combine_chunks() for table in named])
    unique = every.group_by(list(HOUR_KEY)).aggregate([("local_hour", "min")])
    unique = unique.rename_columns(key)
    known = grid.select([*HOUR_KEY, "open_s"])
    table = unique.join(known, list(HOUR_KEY))
    return table.set_column(
        table.schema.get_field_index("open_s"), "open_s", pc.fill_null(table["open_s"], 0)
    )


def _zero_where_known(table: pa.Table, sales: pa.Table) -> pa.Table:
    """On a day with receipts, an hour without any sold nothing; what is unknown stays null."""
    sold = sales.group_by(list(DAY_KEY)).aggregate(
        [(name, "count") for name in SALES] + [("sale_lines", "sum")]
    )
    table = table.join(sold.drop_columns(["sale_lines_sum"]), list(DAY_KEY))
    absent = pc.is_null(table["sale_lines"])
    for name in SALES:
        counted = pc.greater(pc.fill_null(table[f"{name}_count"], 0), 0)
        kind = _TYPES[name]
        column = table[name].cast(kind)
        zero = pa.scalar(0, pa.int64()).cast(kind)
        column = pc.if_else(pc.and_(absent, counted), zero, column)
        table = table.set_column(table.schema.get_field_index(name), name, column)
    return table


def _visited(table: pa.Table, visits: pa.Table) -> pa.Table:
    """On a day with visits, an hour without any had none; without known persons all is unknown."""
    days = visits.group_by(list(DAY_KEY)).aggregate([([], "count_all")])
    table = table.join(days.rename_columns([*DAY_KEY, "has_visits"]), list(DAY_KEY))
    known = pc.is_valid(table["has_visits"])
    for name in VISIT_MEASURES:
        kind = _TYPES[name]
        nothing = pa.scalar("" if kind == pa.string() else 0, kind)
        column = pc.if_else(known, pc.fill_null(table[name], nothing), pa.scalar(None, kind))
        table = table.set_column(table.schema.get_field_index(name), name, column)
    return table


def _fronts(aside: Mapping[str, Mapping[str, str]]) -> dict[str, list[str]]:
    """The devices of role `pass` of the stores that have any."""
    found = {store: [d for d, role in of.items() if role == "pass"] for store, of in aside.items()}
    return {store: devices for store, devices in found.items() if devices}


def _covered(table: pa.Table, expected: Mapping[str, Sequence[str]]) -> pa.ChunkedArray:
    """Whether door counters saw at least half of an hour's opening time."""
    counted = pc.is_in(table["store_id"], value_set=pa.array(list(expected), pa.string()))
    enough = pc.greater_equal(
        pc.fill_null(table["covered_s"], 0).cast(pa.float64()),
        pc.multiply(table["open_s"], COVERED_HOUR_RATIO),
    )
    return pc.and_(counted, pc.and_(enough, pc.greater(table["open_s"], 0)))


def _coverage(
    table: pa.Table, expected: Mapping[str, Sequence[str]], covered: pa.ChunkedArray
) -> pa.Table:
    """Expected and covered time, and what was sold to whom in covered hours."""
    counted = pc.is_in(table["store_id"], value_set=pa.array(list(expected), pa.string()))
    unknown = pa.scalar(None, pa.int64())
    covered_s = pc.if_else(counted, pc.fill_null(table["covered_s"], 0), unknown)
    table = _occupied(table, covered)
    for name in ("footfall", "transactions"):
        covered = pc.and_(covered, pc.is_valid(table[name]))
    imputed_s = pc.if_else(counted, pc.fill_null(table["imputed_s"], 0), unknown)
    table = table.drop_columns(["covered_s", "imputed_s"])
    for name in ("footfall", "transactions", "net_sales_amount"):
        column = pc.if_else(covered, table[name], pa.scalar(None, _TYPES[name]))
        table = table.append_column(f"covered_{name}", column)
    expected_s = pc.if_else(counted, table["open_s"], unknown)
    return (
        table.append_column("expected_s", expected_s)
        .append_column("covered_s", covered_s)
        .append_column("imputed_s", imputed_s)
    )


def _occupied(table: pa.Table, covered: pa.ChunkedArray) -> pa.Table:
    """Occupancy is known in covered hours; a drift of zero is one, too."""
    known = pc.and_(covered, pc.is_valid(table["occupancy_person_s"]))
    unknown = pa.scalar(None, pa.int64())
    for name in ("occupancy_person_s", "occupancy_peak"):
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, pc.if_else(known, table[name], unknown))
    return table.append_column("occupancy_open_s", pc.if_else(known, table["open_s"], unknown))


def _area(table: pa.Table, stores: Mapping[str, Store]) -> pa.Table:
    """The sales floor in every hour of a date whose net sales are known."""
    kind = _TYPES["sales_area_m2"]
    areas = [s.sales_area_m2 and Decimal(str(s.sales_area_m2)) for s in stores.values()]
    names = pa.array(list(stores), pa.string())
    table = table.join(pa.table({"store_id": names, "area": pa.array(areas, kind)}), "store_id")
    known = pc.is_valid(table["net_sales_amount"])
    area = pc.if_else(known, table["area"], pa.scalar(None, kind))
    return table.append_column("sales_area_m2", area)


def _finish(table: pa.Table, stores: Mapping[str, Store]) -> pa.Table:
    currency = pa.table(
        {
            "store_id": pa.array(stores.keys(), pa.string()),
            "currency": pa.array([store.currency for store in stores.values()], pa.string()),
        }
    )
    table = _area(table.join(currency, "store_id"), stores)
    columns = {name: table[name] for name in (*HOUR_KEY, "local_hour", "currency")}
    columns |= {name: table[name].cast(kind) for name, kind in _TYPES.items()}
    return pa.table(columns).sort_by([(name, "ascending") for name in HOUR_KEY])
