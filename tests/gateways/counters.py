"""Pushes of counters and cameras, from the kit's corpora. No test of its own."""

from __future__ import annotations

import re
from typing import Any

from tests.gateways.recordings import document, recording

XOVIS_SERIAL = "80:1F:12:D5:30:DC"
AXIS_SERIAL = "b8a44fa89c85"
HIKVISION_MAC = "44:47:cc:50:00:c1"
OTHER_MAC = "44:47:CC:50:00:C2"
TERABEE_ID = "FA21415EAEB7"
#: What a push carries besides counts, and nobody may see.
PASSWORD = "hunter2-Receiver"

#: Vivotek's counting report, read by a mapping.
VIVOTEK_SPEC = b"""
name: vivotek
event: count_interval
json:
  records: Data[].CountingInfo[]
  only: {^.RuleType: [Counting]}
columns: {device_id: $.Source.MacAddress, line_id: RuleName}
time: {start: StartTime, end: EndTime}
counts: {in: In, out: Out}
"""
VIVOTEK_PUSH: dict[str, Any] = {
    "Source": {"UtcTime": "2026-11-01T06:30:01Z", "MacAddress": "door-1", "TimeZone": "+8"},
    "Data": [
        {"RuleType": "Counting", "CountingInfo": [
            {"RuleName": "East", "In": 1, "Out": 2, "StartTime": "2026-11-01T06:15:00Z",
             "EndTime": "2026-11-01T06:30:00Z"},
            {"RuleName": "West", "In": 0, "Out": 3, "StartTime": "2026-11-01T06:15:00Z",
             "EndTime": "2026-11-01T06:30:00Z"}]},
        {"RuleType": "FlowPath", "CountingInfo": [{"RuleName": "Path"}]},
    ],
}  # fmt: skip


def xovis_counts(entered: int = 3, left: int = 1) -> dict[str, Any]:
    """Firmware 4, line counts of one minute, and a zone."""
    push: dict[str, Any] = document("xovis", "counts-firmware-4.json")
    forward, backward = push["content"]["element"][0]["measurement"][0]["value"]
    forward["value"], backward["value"] = entered, left
    return push


def xovis_logics() -> dict[str, Any]:
    """Firmware 5, two minutes of a line and a zone."""
    push: dict[str, Any] = document("xovis", "logics-firmware-5.json")
    return push


def xovis_event(kind: str = "LineCount", person: int = 3006, **changes: Any) -> dict[str, Any]:
    """Firmware 4, one event."""
    event: dict[str, Any] = document("xovis", "events-firmware-4.json")["values"][0]
    event["object"]["id"] = person
    return event | {"type": kind} | changes


def xovis_live(kind: str, tracked: str = "PERSON") -> dict[str, Any]:
    """Firmware 5, one event of a frame."""
    push: dict[str, Any] = document("xovis", "live-firmware-5.json")
    frame = push["live_data"]["frames"][0]
    frame["tracked_objects"][0]["type"] = tracked
    frame["events"][0]["type"] = kind
    return push


def axis_retail(entered: int = 5, left: int = 2) -> dict[str, Any]:
    """AXIS 3D People Counter, one minute."""
    push: dict[str, Any] = document("axis", "retail-data.json")
    inward, outward = push["data"]["measurements"][0]["items"]
    inward["count"], outward["count"] = entered, left
    return push


def axis_crossline(scenario: str, people: int) -> dict[str, Any]:
    """AXIS Object Analytics by the camera's event bridge."""
    push: dict[str, Any] = document("axis", "crossline.json")
    push["message"]["data"] |= {"scenario": scenario, "totalHuman": str(people)}
    return push


def hikvision(method: str = "timeRange", mac: str = HIKVISION_MAC, namespace: str = "") -> bytes:
    """An XML notification."""
    text = recording("hikvision", f"{'totals' if method == 'realTime' else 'summary'}.xml").decode()
    start, end = text.index("<macAddress>"), text.index("</macAddress>")
    text = f"{text[:start]}<macAddress>{mac}{text[end:]}"
    if method not in ("timeRange", "realTime"):
        text = re.sub("<TimeRange>.*</TimeRange>", "", text.replace(">timeRange<", f">{method}<"))
    return text.replace(' version="2.0"', f' version="2.0"{namespace}').encode()


def terabee(**changes: Any) -> dict[str, Any]:
    """Totals of a device, with the credentials of its receiver."""
    push: dict[str, Any] = document("terabee", "totals.json")
    return push | changes
