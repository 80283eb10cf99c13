"""Tables that the warehouse derives from conformed events, and from nothing else."""

from __future__ import annotations

from tenpo.contracts.contract import Contract
from tenpo.contracts.events import STORE, TENANT
from tenpo.contracts.field import Field, Type

#: Neighbouring readings of a counting line, subtracted (docs/adr/0007-readings.md).
READING_INTERVAL = Contract(
    name="reading_interval",
    dataset="dwh",
    grain="One business date of the time between two neighbouring readings of one counting line.",
    fields=(
        Field("business_date", Type.DATE,
              "Where the interval starts; of a gap every date that it touches has a row.",
              required=True),
        TENANT,
        STORE,
        Field("source", Type.STRING, "Adapter or spec that made the readings.", required=True),
        Field("device_id", Type.STRING, "The counter, by the device master.", required=True),
        Field("line_id", Type.STRING, "Counting line or zone of the device.", required=True),
        Field("start_at", Type.TIMESTAMP, "The earlier reading.", required=True),
        Field("end_at", Type.TIMESTAMP, "The later reading.", required=True),
        Field("hour_start_at", Type.TIMESTAMP, "Start of the local hour of start_at.",
              required=True),
        Field("local_hour", Type.INT64, "That hour on the clock of its business date.",
              required=True),
        Field("is_reset", Type.BOOL,
              "A total fell: the counts are those since the counter began anew.", required=True),
        Field("is_gap", Type.BOOL,
              "Too long to say in which hour people came: aggregation spreads the counts.",
              required=True),
        Field("in_count", Type.INT64, "People going in; of a gap, in all of it.", "people"),
        Field("out_count", Type.INT64, "People going out.", "people"),
        Field("staff_in_count", Type.INT64, "Staff among those going in, where told.", "people"),
        Field("staff_out_count", Type.INT64, "Staff among those going out, where told.",
              "people"),
        Field("child_in_count", Type.INT64, "Children among those going in, where told.",
              "people"),
        Field("group_in_count", Type.INT64, "Groups going in, where told.", "groups"),
        Field("clock_offset_s", Type.INT64,
              "How far the device's clock was found behind (ahead: below 0), the times of the "
              "readings being corrected by it; null where it was believed.", "s"),
        Field("left_out_count", Type.INT64,
              "Readings that fit neither their own time nor their arrival, or fell for once, and "
              "were left out.",
              "readings"),
    ),
    partition_by="business_date",
    cluster_by=("tenant_id", "store_id"),
)  # fmt: skip
