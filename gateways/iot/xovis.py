"""Xovis 3D sensors: data push of firmware 4 and 5, as JSON over HTTP or MQTT.

* Firmware 4, line counts (`content.element`): each measurement has from, to, and `fw` and `bw`.
* Firmware 4, events (`values`): each `LineCount` of a person is an interval of one crossing.
  `LineCrossing` says the same before the sensor's own rules for counting, so it is ignored.
* Firmware 5, logics (`logics_data`): records of the logics "line in/out count".
* Firmware 5, live data (`live_data`): each `LINE_CROSS_FORWARD` or `LINE_CROSS_BACKWARD` of a
  person is an interval of one crossing. Groups repeat their members and are ignored.

Forward is in; turn the line in the sensor where it is not. Let a sensor push either counts or
events: both say the same people. Only counts tell that a sensor lives while nobody comes.

The sensor's own pages document its push formats; product pages: https://www.xovis.com/technology/sensor
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateways.formats.json_text import member, objects, read_objects
from gateways.iot.intervals import CROSSING_S, interval_records, unix_time
from gateways.normalize.adapter import Kind
from gateways.normalize.faults import Faults
from gateways.normalize.json_adapter import JsonAdapter, Rows
from gateways.normalize.records import Records

FIELDS = {
    "device_id": "serial number",
    "line_id": "line id",
    "occurred_at": "from",
    "interval_end_at": "to",
    "in_count": "fw",
    "out_count": "bw",
}
_LINE_LOGICS = ("XLT_LINE_IN_OUT_COUNT", "XLT_4X_LINE_IN_OUT_COUNT")
_CROSSINGS = {"LINE_CROSS_FORWARD": "forward", "LINE_CROSS_BACKWARD": "backward"}
_PERSON = "PERSON"
#: Logics have other numbers than the lines that they count on, so all of a sensor is one channel.
_CHANNEL = "1"
Row = dict[str, Any]


class Xovis(JsonAdapter):
    """Line counts and crossings of Xovis sensors."""

    name = "xovis"
    version = "2"
    kind: Kind = "iot"

    def rows(self, body: bytes) -> Rows:
        """One row a line and interval, or a crossing."""
        found = Rows()
        for number, push in enumerate(read_objects(body, "push"), start=1):
            rows, others = _read(push)
            found.values += rows
            found.positions += [f"{number}.{place}" for place in range(1, len(rows) + 1)]
            found.ignored += others if rows or others else 1
        return found

    def records(self, rows: Sequence[Mapping[str, Any]], faults: Faults) -> Records:
        """Columns in canonical names."""
        return interval_records(rows, faults, FIELDS)


def _read(push: Mapping[str, Any]) -> tuple[list[Row], int]:
    """Rows of a push, and how many other records it has."""
    if isinstance(push.get("content"), dict):
        return _line_counts(push)
    if "values" in push:
        return _events(push)
    if isinstance(push.get("logics_data"), dict):
        return _logics(push["logics_data"])
    if isinstance(push.get("live_data"), dict):
        return _live(push["live_data"])
    return [], 1


def _line_counts(push: Mapping[str, Any]) -> tuple[list[Row], int]:
    serial = member(push, "sensor-info", "serial-number")
    rows: list[Row] = []
    others = 0
    for element in objects(push["content"].get("element")):
        measurements = objects(element.get("measurement"))
        if element.get("data-type") != "LINE":
            others += max(1, len(measurements))
            continue
        for one in measurements:
            counts = {str(v.get("label")): v.get("value") for v in objects(one.get("value"))}
            rows.append(
                _interval(serial, element.get("element-id"), one.get("from"), one.get("to"), counts)
            )
    return rows, others


def _logics(data: Mapping[str, Any]) -> tuple[list[Row], int]:
    serial = member(data, "sensor_info", "serial_number")
    rows: list[Row] = []
    others = 0
    for logic in objects(data.get("logics")):
        records = objects(logic.get("records"))
        if logic.get("info") not in _LINE_LOGICS:
            others += max(1, len(records))
            continue
        for one in records:
            counts = {str(c.get("name")): c.get("value") for c in objects(one.get("counts"))}
            start, end = (unix_time(one.get(key), 1000) for key in ("from", "to"))
            rows.append(_interval(serial, logic.get("id"), start, end, counts))
    return rows, others


def _interval(serial: Any, line: Any, start: Any, end: Any, counts: Mapping[Any, Any]) -> Row:
    return {
        **_place(serial, line),
        "document": _key(serial, line),
        "occurred_at": start,
        "interval_end_at": end,
        "in_count": counts.get("fw"),
        "out_count": counts.get("bw"),
    }


def _events(push: Mapping[str, Any]) -> tuple[list[Row], int]:
    rows: list[Row] = []
    events = objects(push["values"])
    for event in events:
        if event.get("type") != "LineCount" or event.get("objectType", _PERSON) != _PERSON:
            continue
        rows.append(
            _crossing(
                event.get("serial"),
                member(event, "countItem", "id"),
                member(event, "object", "id"),
                unix_time(event.get("timestamp"), 1000),
                event.get("direction"),
            )
        )
    return rows, len(events) - len(rows)


def _live(data: Mapping[str, Any]) -> tuple[list[Row], int]:
    serial = member(data, "sensor_info", "serial_number")
    rows: list[Row] = []
    frames = objects(data.get("frames"))
    others = 0
    for frame in frames:
        moment = unix_time(frame.get("time"), 1000)
        kinds = {o.get("track_id"): o.get("type") for o in _hashable(frame.get("tracked_objects"))}
        events = objects(frame.get("events"))
        before = len(rows)
        for event in events:
            track = member(event, "attributes", "track_id")
            direction = _CROSSINGS.get(str(event.get("type")))
            if direction is None or kinds.get(str(track), _PERSON) != _PERSON:
                continue
            line = member(event, "attributes", "geometry_id")
            order = member(event, "attributes", "sequence_number")
            rows.append(_crossing(serial, line, _key(track, order), moment, direction))
        others += max(1, len(events)) - (len(rows) - before)
    return rows, others


def _hashable(tracked: Any) -> list[Mapping[str, Any]]:
    return [one for one in objects(tracked) if isinstance(one.get("track_id"), str)]


def _crossing(serial: Any, line: Any, person: Any, moment: Any, direction: Any) -> Row:
    """One person over one line, named by track and moment so that a repetition is the same."""
    known = {"forward": ("1", "0"), "backward": ("0", "1")}
    entered, left = known.get(str(direction).lower(), (None, None))
    return {
        **_place(serial, line),
        "document": _key(serial, line, person, direction),
        "occurred_at": moment,
        "length_s": CROSSING_S,
        "in_count": entered,
        "out_count": left,
    }


def _place(serial: Any, line: Any) -> Row:
    """Sensor and line; `line_key` is the number alone, as ids were made before channels."""
    named = f"{_CHANNEL}.{line}" if isinstance(line, str) else line
    return {"device_id": serial, "line_id": named, "line_key": line}


def _key(*parts: Any) -> str:
    return "|".join(part if isinstance(part, str) else "" for part in parts)
