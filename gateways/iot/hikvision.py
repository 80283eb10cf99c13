"""Hikvision cameras: ISAPI event notifications of people counting, as XML, JSON or multipart.

An `EventNotificationAlert` of `PeopleCounting` is a summary of a period (`timeRange`), whose
counts are an interval, or the people since the last reset (`realTime`), which become a reading. A
camera may send both of the same people: the warehouse lets the summaries count.

Alarms of persons are intervals of one crossing: `linedetection`, `regionEntrance` and
`regionExiting`, each target by itself. A line counts in, unless the alarm says "righttoleft" or
the channel's name ends in "out" or "exit"; let it watch one direction. Vehicles, alarms that
end, and those that a camera posts again while they last (`activePostCount`) are ignored, as
everything else is (heartbeats, other alarms, pictures, periods between two signals), and counted.

XML comes with the namespace of PSIA, of ISAPI, or none; JSON has the same names, in other
capitals. The device is the camera's MAC address; its line is the channel, and the region if told.

ISAPI, event "PeopleCounting": https://tpp.hikvision.com/ (for partners)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element  # a name only, no parsing

from gateways.formats.json_text import member, objects, read_objects
from gateways.formats.multipart import parts_of
from gateways.formats.xml_stream import local_name, records
from gateways.iot.direction import is_outward
from gateways.iot.intervals import CROSSING_S, interval_records
from gateways.iot.readings import reading_records
from gateways.iot.registered import registered
from gateways.normalize.adapter import Kind
from gateways.normalize.context import Context
from gateways.normalize.faults import Faults, Reason
from gateways.normalize.json_adapter import JsonAdapter, Rows
from gateways.normalize.records import Records
from tenpo.errors import PayloadError
from tenpo.masters import Device

FIELDS = {
    "device_id": "macAddress",
    "line_id": "channelID",
    "occurred_at": "TimeRange.startTime",
    "interval_end_at": "TimeRange.endTime",
    "in_count": "enter",
    "out_count": "exit",
    "pass_count": "pass",
    "child_in_count": "childCounting.enter",
}
READING_FIELDS = {
    "device_id": "macAddress",
    "line_id": "channelID",
    "occurred_at": "RealTime.time",
    "in_total": "enter",
    "out_total": "exit",
}
_ALERT = "EventNotificationAlert"
#: Alarms of a person, and where they say that it goes.
_CROSSINGS = {"linedetection": None, "regionentrance": "in", "regionexiting": "out"}
_DIRECTIONS = {"lefttoright": "in", "righttoleft": "out"}
_TARGETS = ("human", "all", "")
_MAX_DEPTH = 32


class Hikvision(JsonAdapter):
    """People counting of Hikvision cameras."""

    name = "hikvision"
    version = "4"
    kind: Kind = "iot"
    media_type = "application/xml"

    def rows_under(self, body: bytes, context: Context) -> Rows:
        """One row or reading a notification."""
        found = Rows()
        devices = context.masters.devices
        for position, alert in _alerts(body, found):
            _take(found, position, alert, devices)
        return found

    def records(self, rows: Sequence[Mapping[str, Any]], faults: Faults) -> Records:
        """Columns in canonical names."""
        return interval_records(rows, faults, FIELDS)

    def readings(self, rows: Sequence[Mapping[str, Any]], faults: Faults) -> Records:
        """Columns in canonical names."""
        return reading_records(rows, faults, READING_FIELDS)


def _alerts(body: bytes, found: Rows) -> Iterator[tuple[str, dict[str, Any]]]:
    """The notifications of a body, each with its place.

    A part of many that cannot be read is a fault of its own; a body without parts is refused.
    """
    parts = parts_of(body)
    if parts is None:
        for place, alert in enumerate(_documents(body), start=1):
            yield str(place), alert
        return
    found.ignored += not parts
    for number, part in enumerate(parts, start=1):
        if part.media_type.startswith("image/") or not part.content:
            found.ignored += 1
            continue
        try:
            documents = _documents(part.content)
        except PayloadError:
            found.faults.append((str(number), Reason.UNREADABLE_PAYLOAD, ""))
            continue
        for place, alert in enumerate(documents, start=1):
            yield f"{number}.{place}", alert


def _documents(body: bytes) -> list[dict[str, Any]]:
    """Notifications with their names in lower case; an empty one for what is none."""
    if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")):
        opened = [_lowered(one, 0) for one in read_objects(body, "notification")]
        inner = [one.get(_ALERT.lower(), one) for one in opened]
        return [one if isinstance(one, dict) else {} for one in inner]
    return [_fields(element) for element in records(body, _ALERT)] or [{}]


def _fields(element: Element) -> dict[str, Any]:
    """Children by name: text, or fields of their own. Depth is bounded by the reader."""
    found: dict[str, list[Any]] = {}
    for child in element:
        value = _fields(child) if len(child) else (child.text or "").strip()
        found.setdefault(local_name(child).lower(), []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _lowered(value: Any, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise PayloadError("the notification nests too deeply", remedy="Send the documented form.")
    if isinstance(value, dict):
        return {name.lower(): _lowered(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list):
        return [_lowered(inner, depth + 1) for inner in value]
    return value


def _take(
    found: Rows, position: str, alert: Mapping[str, Any], devices: Mapping[str, Device]
) -> None:
    kind = str(alert.get("eventtype")).lower()
    mac = alert.get("macaddress")
    device = registered(mac, devices) if isinstance(mac, str) else None
    device_id = device.device_id if device else mac
    if kind == "peoplecounting":
        _counting(found, position, alert, device_id)
    elif kind in _CROSSINGS and _is_new(alert):
        _crossings(found, position, alert, device_id)
    else:
        found.ignored += 1


def _is_new(alert: Mapping[str, Any]) -> bool:
    """Whether an alarm begins, and is told for the first time."""
    begins = str(alert.get("eventstate", "active")).lower() == "active"
    return begins and alert.get("activepostcount", "1") == "1"


def _crossings(found: Rows, position: str, alert: Mapping[str, Any], device_id: Any) -> None:
    """A row for each person of an alarm."""
    regions = _regions(alert)
    for place, region in enumerate(regions, start=1):
        if str(region.get("detectiontarget", "")).lower() not in _TARGETS:
            found.ignored += 1
            continue
        line = _line(alert, {"regionsid": region.get("regionid")})
        out = _direction(alert, region) == "out"
        # Two who come in one second are told apart by where they are seen.
        seen = [member(region, "targetrect", side) for side in ("x", "y")]
        head = (_document(alert, {"regionsid": region.get("regionid")}), alert.get("eventtype"))
        found.values.append(
            {
                "device_id": device_id,
                "line_id": line,
                "document": "|".join(str(part) for part in (*head, *seen)),
                "occurred_at": alert.get("datetime"),
                "length_s": CROSSING_S,
                "in_count": "0" if out else "1",
                "out_count": "1" if out else "0",
            }
        )
        found.positions.append(f"{position}.{place}" if len(regions) > 1 else position)


def _regions(alert: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """What an alarm tells of each target; one empty region where it tells nothing."""
    told = alert.get("detectionregionlist")
    every = told if isinstance(told, list) else [told]
    inner = [one.get("detectionregionentry", one) for one in every if isinstance(one, dict)]
    flat = [one for entry in inner for one in (entry if isinstance(entry, list) else [entry])]
    return objects(flat) or [{}]


def _direction(alert: Mapping[str, Any], region: Mapping[str, Any]) -> str:
    known = _CROSSINGS[str(alert.get("eventtype")).lower()]
    told = str(region.get("direction") or alert.get("direction")).lower()
    by_name = "out" if is_outward(alert.get("channelname")) else "in"
    return known or _DIRECTIONS.get(told, by_name)


def _counting(found: Rows, position: str, alert: Mapping[str, Any], device_id: Any) -> None:
    """Intervals and readings of people counting."""
    counting = alert.get("peoplecounting")
    counted = objects(counting if isinstance(counting, list) and counting else [counting])
    for place, one in enumerate(counted, start=1):
        where = f"{position}.{place}" if len(counted) > 1 else position
        head = {"device_id": device_id, "line_id": _line(alert, one)}
        method = str(one.get("statisticalmethods")).lower()
        if method not in ("timerange", "realtime", "signaltrigger"):
            found.faults.append((where, Reason.BAD_VALUE, "statisticalMethods"))
        elif method == "timerange":
            found.values.append(head | _interval(alert, one))
            found.positions.append(where)
        elif method == "realtime":
            found.readings.append(head | _reading(alert, one))
            found.reading_positions.append(where)
        else:
            found.ignored += 1


def _line(alert: Mapping[str, Any], counting: Mapping[str, Any]) -> Any:
    channel, region = alert.get("channelid", "1"), counting.get("regionsid")
    both = isinstance(channel, str) and isinstance(region, str)
    return f"{channel}.{region}" if both else channel


def _interval(alert: Mapping[str, Any], counting: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "document": _document(alert, counting),
        "occurred_at": member(counting, "timerange", "starttime"),
        "interval_end_at": member(counting, "timerange", "endtime"),
        "in_count": counting.get("enter"),
        "out_count": counting.get("exit"),
        "pass_count": counting.get("pass"),
        "child_in_count": member(alert, "childcounting", "enter"),
    }


def _reading(alert: Mapping[str, Any], counting: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "document": _document(alert, counting),
        "occurred_at": member(counting, "realtime", "time") or alert.get("datetime"),
        "in_total": counting.get("enter"),
        "out_total": counting.get("exit"),
    }


def _document(alert: Mapping[str, Any], counting: Mapping[str, Any]) -> str:
    """Channels of a recorder report by themselves, so each is a document."""
    mac = alert.get("macaddress")
    return f"{mac.lower() if isinstance(mac, str) else ''}|{_line(alert, counting)}"
