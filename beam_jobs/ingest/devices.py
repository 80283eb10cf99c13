"""Which counters were heard of in a load, for the health of devices."""

from __future__ import annotations

import pyarrow as pa

from beam_jobs.ingest.transforms import Load, read_load
from tenpo.lake import Lake

#: What counters send.
COUNTER_EVENTS = ("count_interval", "count_reading")


def devices_seen(lake: Lake, load: Load) -> pa.Table:
    """Latest sign of life of each device in a load of what counters send.

    Returns:
        tenant_id, store_id, device_id, last_seen_at, last_interval_end_at.
    """
    rows = read_load(lake, load)
    key = ["tenant_id", "store_id", "device_id"]
    until = "interval_end_at" if load.event == "count_interval" else "occurred_at"
    return (
        rows.group_by(key)
        .aggregate([("received_at", "max"), (until, "max")])
        .rename_columns([*key, "last_seen_at", "last_interval_end_at"])
    )
