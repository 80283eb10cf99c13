"""Axis cameras: people counters and Object Analytics, as JSON over HTTP or MQTT.

* AXIS 3D People Counter, "Axis Retail Data": counts of an interval, in UTC.
  https://developer.axis.com/vapix/applications/p8815-2-3d-people-counter-api/
* AXIS People Counter, exported JSON (`counter`, `data`): counts of intervals on the camera's
  clock, which is taken to be the store's; live totals (`in`, `out`, `timestamp`): people since
  midnight, which become readings. https://developer.axis.com/vapix/applications/people-counter-api/
* AXIS Object Analytics, scenario "crossline counting", by the camera's MQTT event bridge: the
  people counted since the last reset, which become readings. A scenario counts one
  direction: people are counted out where its name ends in "out" or "exit", else in.
  https://developer.axis.com/vapix/applications/axis-object-analytics-api/

Other scenarios of Object Analytics only say that something moves, whatever they watch: they are
ignored. CSV exports are for a spec (`docs/adapters.md`): they do not name their camera.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gateways.formats.json_text import member, objects, read_objects
from gateways.iot.direction import is_outward
from gateways.iot.intervals import interval_records, unix_time
from gateways.iot.readings import reading_records
from gateways.normalize.adapter import Kind
from gateways.normalize.faults import Faults, Reason
from gateways.normalize.json_adapter import JsonAdapter, Rows
from gateways.normalize.records import Records

FIELDS = {
    "device_id": "serial",
    "line_id": "scenario",
    "occurred_at": "start",
    "interval_end_at": "end",
    "length_s": "counter.delta",
    "in_count": "in",
    "out_count": "out",
}
READING_FIELDS = {
    "device_id": "serial",
    "line_id": "scenario",
    "occurred_at": "timestamp",
    "in_total": "in",
    "out_total": "out",
}
_STAMP = re.compile(r"(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})")
_CROSSLINE = "crosslinecounting"
Row = dict[str, Any]


class Axis(JsonAdapter):
    """Counts of Axis cameras."""

    name = "axis"
    version = "3"
    kind: Kind = "iot"

    def rows(self, body: bytes) -> Rows:
        """One row an interval; one reading a total."""
        found = Rows()
        for number, push in enumerate(read_objects(body, "push"), start=1):
            _read(found, str(number), push)
        return found

    def records(self, rows: Sequence[Mapping[str, Any]], faults: Faults) -> Records:
        """Columns in canonical names."""
        return interval_records(rows, faults, FIELDS)

    def readings(self, rows: Sequence[Mapping[str, Any]], faults: Faults) -> Records:
        """Columns in canonical names."""
        return reading_records(rows, faults, READING_FIELDS)


def _read(found: Rows, position: str, push: Mapping[str, Any]) -> None:
    if push.get("apiName") == "Axis Retail Data":
        _retail(found, position, push)
    elif isinstance(push.get("counter"), dict):
        _export(found, position, push)
    elif isinstance(push.get("message"), dict):
        _analytics(found, position, push)
    elif "serial" in push and ("in" in push or "total_in" in push):
        _add_reading(found, position, _live(push))
    else:
        found.ignored += 1


def _retail(found: Rows, position: str, push: Mapping[str, Any]) -> None:
    serial = member(push, "sensor", "serial")
    measurements = objects(member(push, "data", "measurements"))
    for place, one in enumerate(measurements, start=1):
        where = f"{position}.{place}"
        if one.get("kind") != "people-counts":
            found.ignored += 1
            continue
        items = [(str(i.get("direction")), i.get("count")) for i in objects(one.get("items"))]
        if len({direction for direction, _ in items}) < len(items):
            found.faults.append((where, Reason.BAD_VALUE, "items.direction"))
            continue
        counts = dict(items)
        _add(found, where, serial, one.get("utcFrom"), counts.get("in"), counts.get("out"))
        found.values[-1] = {**found.values[-1], "interval_end_at": one.get("utcTo")}
    found.ignored += not measurements


def _export(found: Rows, position: str, push: Mapping[str, Any]) -> None:
    counter = push["counter"]
    types = counter.get("types")
    names = [str(name).lower().split() for name in types] if isinstance(types, dict) else []
    places = [[n for n, name in enumerate(names) if name[-1:] == [side]] for side in ("in", "out")]
    bins = push.get("data")
    if [len(one) for one in places] != [1, 1] or not isinstance(bins, dict):
        found.faults.append((position, Reason.BAD_COLUMNS, "counter.types"))
        return
    (entered,), (left,) = places
    for place, (start, values) in enumerate(bins.items(), start=1):
        row = values if isinstance(values, list) else []
        _add(
            found, f"{position}.{place}", counter.get("serial"), _clock(start),
            row[entered] if entered < len(row) else None, row[left] if left < len(row) else None,
        )  # fmt: skip
        found.values[-1] = {**found.values[-1], "length_s": counter.get("delta")}
    found.ignored += not bins


def _add(found: Rows, where: str, serial: Any, start: Any, entered: Any, left: Any) -> None:
    found.positions.append(where)
    found.values.append(
        {
            "device_id": serial,
            "line_id": "1",
            "occurred_at": start,
            "in_count": entered,
            "out_count": left,
        }
    )


def _live(push: Mapping[str, Any]) -> Row:
    return {
        "device_id": push.get("serial"),
        "line_id": "1",
        "occurred_at": _clock(push.get("timestamp")),
        "in_total": push.get("in", push.get("total_in")),
        "out_total": push.get("out", push.get("total_out")),
    }


def _analytics(found: Rows, position: str, push: Mapping[str, Any]) -> None:
    data = push["message"].get("data")
    if str(member(data, "scenarioType")).lower().replace(" ", "") != _CROSSLINE:
        found.ignored += 1
        return
    scenario, people = member(data, "scenario"), member(data, "totalHuman")
    outward = is_outward(scenario)
    row = {
        "device_id": push.get("serial"),
        "line_id": scenario,
        # Cameras name a document by camera and moment; scenarios report each by itself.
        "document": f"{push.get('serial')}|{scenario}",
        "occurred_at": unix_time(push.get("timestamp"), 1000),
        "in_total": "0" if outward and people is not None else people,
        "out_total": people if outward or people is None else "0",
    }
    _add_reading(found, position, row)


def _add_reading(found: Rows, position: str, row: Row) -> None:
    found.readings.append(row)
    found.reading_positions.append(position)


def _clock(value: Any) -> Any:
    """`YYYYMMDDhhmmss` as ISO 8601; anything else as it is."""
    stamp = _STAMP.fullmatch(value) if isinstance(value, str) else None
    return "{}-{}-{}T{}:{}:{}".format(*stamp.groups()) if stamp else value
