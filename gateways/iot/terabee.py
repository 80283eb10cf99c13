"""Terabee People Counting L and XL over HTTP: running totals as JSON.

Each push has `count_in` and `count_out` since the last reset, `timestamp` (Unix seconds) and
`device_id`. Pushes may also hold the user name and password of the receiver: these
are read by nobody and stay in the sealed raw archive. A device without the time of day
leaves `timestamp` out; then the time of receiving is taken, which is no later than a push period.

https://www.terabee.com/shop/people-counting/terabee-people-counting-l-xl/ (user manual)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateways.formats.json_text import read_objects
from gateways.iot.intervals import interval_records, unix_time
from gateways.iot.readings import reading_records
from gateways.normalize.adapter import Kind
from gateways.normalize.context import Context
from gateways.normalize.faults import Faults
from gateways.normalize.json_adapter import JsonAdapter, Rows
from gateways.normalize.records import Records

FIELDS = {
    "device_id": "device_id",
    "occurred_at": "timestamp",
    "in_total": "count_in",
    "out_total": "count_out",
}


class Terabee(JsonAdapter):
    """Running totals of Terabee devices."""

    name = "terabee"
    version = "1"
    kind: Kind = "iot"

    def rows_under(self, body: bytes, context: Context) -> Rows:
        """One reading a push."""
        found = Rows()
        for number, push in enumerate(read_objects(body, "push"), start=1):
            if "count_in" not in push and "count_out" not in push:
                found.ignored += 1
                continue
            stamp = push.get("timestamp")
            received = context.received_at.isoformat()
            found.readings.append(
                {
                    "device_id": push.get("device_id"),
                    "line_id": "1",
                    "occurred_at": received if stamp in (None, "") else unix_time(stamp),
                    "in_total": push.get("count_in"),
                    "out_total": push.get("count_out"),
                }
            )
            found.reading_positions.append(str(number))
        return found

    def records(self, rows: Sequence[Mapping[str, Any]], faults: Faults) -> Records:
        """There are none."""
        return interval_records(rows, faults, FIELDS)

    def readings(self, rows: Sequence[Mapping[str, Any]], faults: Faults) -> Records:
        """Columns in canonical names."""
        return reading_records(rows, faults, FIELDS)
