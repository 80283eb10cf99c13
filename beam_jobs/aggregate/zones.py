"""The measures of each zone's hours: who came there, and how many were in the store meanwhile."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from beam_jobs.aggregate.hours import HOUR_KEY
from beam_jobs.aggregate.passing import COVERED_HOUR_RATIO

ZONE_KEY = (*HOUR_KEY, "zone_id")

#: The columns of `zones_by_hour.sql`.
ZONES_SCHEMA = pa.schema(
    [
        ("store_id", pa.string()),
        ("business_date", pa.date32()),
        ("hour_start_at", pa.timestamp("us", tz="UTC")),
        ("local_hour", pa.int64()),
        ("zone_id", pa.string()),
        ("zone_visitors", pa.int64()),
        ("zone_engaged", pa.int64()),
    ]
)

_ZONE_DAY = ("store_id", "business_date", "zone_id")


def compose_zones(hours: pa.Table, zones: pa.Table) -> pa.Table:
    """Measures of each zone in every open hour of the dates on which somebody came there.

    Args:
        hours: what `compose_hours` gives.
        zones: rows of `zones_by_hour.sql`.

    Returns:
        `ZONE_KEY`, local_hour and `tenpo.kpi.ZONE_MEASURES`; what concerns the store is null in
        hours that door counters do not cover.
    """
    days = zones.group_by(list(_ZONE_DAY)).aggregate([])
    store = hours.select([*HOUR_KEY, "local_hour"])
    every = store.join(days, ["store_id", "business_date"], join_type="inner")
    named = [table.select([*ZONE_KEY, "local_hour"]).combine_chunks() for table in (every, zones)]
    rows = pa.concat_tables(named).group_by(list(ZONE_KEY)).aggregate([("local_hour", "min")])
    rows = rows.rename_columns([*ZONE_KEY, "local_hour"])
    rows = rows.join(zones.drop_columns(["local_hour"]), list(ZONE_KEY))
    people = hours.select(list(HOUR_KEY)).append_column("footfall", _covered(hours))
    rows = rows.join(people, list(HOUR_KEY))
    counts = {name: pc.fill_null(rows[name], 0) for name in ("zone_visitors", "zone_engaged")}
    exposed = pc.if_else(
        pc.is_valid(rows["footfall"]), counts["zone_visitors"], pa.scalar(None, pa.int64())
    )
    columns = {name: rows[name] for name in (*ZONE_KEY, "local_hour")} | counts
    table = pa.table(columns | {"exposed_visitors": exposed, "exposed_footfall": rows["footfall"]})
    return table.sort_by([(name, "ascending") for name in ZONE_KEY])


def _covered(hours: pa.Table) -> pa.ChunkedArray:
    """Footfall of the hours that door counters cover."""
    half = pc.multiply(hours["open_s"], COVERED_HOUR_RATIO)
    enough = pc.greater_equal(pc.fill_null(hours["covered_s"], -1).cast(pa.float64()), half)
    covered = pc.and_(enough, pc.greater(hours["open_s"], 0))
    return pc.if_else(covered, hours["footfall"], pa.scalar(None, pa.int64()))
